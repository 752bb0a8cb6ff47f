"""The suite that users subclass for their own container."""

from collections.abc import AsyncIterator, Collection, Mapping
from contextlib import asynccontextmanager
from typing import Any, ClassVar

import pytest

from fastapi_easy.domain.principal import Principal
from fastapi_easy.testing.conformance.policy.asking import Leak, report_of
from fastapi_easy.testing.conformance.policy.expectations import (
    FOREIGN,
    NOBODY,
    OWNER,
    POWERLESS,
    Expectations,
    Permitted,
)
from fastapi_easy.testing.conformance.policy.field_trial import FieldTrial
from fastapi_easy.testing.conformance.policy.http_door import CALLER_HEADER, HttpDoor
from fastapi_easy.testing.conformance.policy.kernel_door import KernelDoor
from fastapi_easy.testing.conformance.policy.population import Population
from fastapi_easy.testing.conformance.policy.questions import Door
from fastapi_easy.testing.conformance.policy.trial import Trial


class PolicyConformance:
    """Tries every operation of every resource of a container, in Python and over HTTP, as callers who may not.

    Subclass it, override the fixture `container`, and say who the callers are. Each test makes entities for *owner* and
    for *foreign* and tries to reach them as somebody else: by key, in lists, by filters and orders, along relations, in
    bulk, by imports, by actions. Whatever is hidden has to answer exactly as what does not exist.

    Attributes:
        owner: Makes the entities.

        foreign: Has the same rights on entities of their own: of another tenant, or another owner.

        powerless: Has no rights.

        public: What everybody may do, also callers who do not say who they are: `{"books": {"get", "list"}}`. `read`
            stands for all that reads, `*` for everything.

        authenticated: What everybody may do who says who they are, *powerless* included, in the same form.

        shared: What *foreign* may do to the entities of *owner*, in the same form.

        unreadable: The fields that not even *owner* may read: `{"books": {"cost"}}`.

        unwritable: The fields that not even *owner* may set.

        doors: The ways in that are tried: `python` and `http`.
    """

    owner: ClassVar[Principal]
    foreign: ClassVar[Principal]
    powerless: ClassVar[Principal] = Principal(id="powerless")
    public: ClassVar[Permitted] = {}
    authenticated: ClassVar[Permitted] = {}
    shared: ClassVar[Permitted] = {}
    unreadable: ClassVar[Permitted] = {}
    unwritable: ClassVar[Permitted] = {}
    doors: ClassVar[Collection[str]] = ("python", "http")

    @pytest.fixture
    def container(self) -> Any:
        """Return a new instance of your container, whose databases are for tests."""
        raise NotImplementedError("override the fixture `container`: return an instance of your container")

    def example(self, resource: str, principal: Principal, number: int) -> Mapping[str, object]:
        """Return the values of a new entity of *resource* for *principal* that cannot be made up from its fields.

        Args:
            resource: The name of the resource.

            principal: Whose it is to be.

            number: Another one for each entity.
        """
        return {}

    def arguments(self, resource: str, action: str) -> Mapping[str, object]:
        """Return the fields of *action* that cannot be made up from their types."""
        return {}

    async def test_the_owner_reaches_what_they_made(self, container: Any) -> None:
        """Otherwise nothing of the rest would mean anything."""
        async with self._populated(container) as (population, _):
            owner, lost = KernelDoor(population.kernel, self.owner), []
            for stored in population.every:
                if stored.caller == OWNER and stored.made_by_caller and not stored.deleted:
                    found = (
                        await population.kernel.acting_as(self.owner)
                        .resource(stored.resource.name)
                        .get(stored.key)
                    )
                    lost += [] if hasattr(found, "unwrap") and type(found).__name__ == "Success" else [stored]
            assert not lost, f"the owner does not see what they made: {lost} {owner}"

    async def test_a_foreign_caller_reaches_nothing_of_the_owner(self, container: Any) -> None:
        """Neither reads nor changes anything of *owner*, and learns not even that it is there."""
        await self._try_everything(container, FOREIGN)

    async def test_a_caller_without_rights_reaches_nothing(self, container: Any) -> None:
        """Reads and changes nothing but what is public."""
        await self._try_everything(container, POWERLESS)

    async def test_an_anonymous_caller_reaches_nothing(self, container: Any) -> None:
        """Reads and changes nothing but what is public."""
        await self._try_everything(container, NOBODY)

    async def test_the_owner_reads_and_writes_the_fields_they_may(self, container: Any) -> None:
        """No operation shows the fields in `unreadable`, or sets those in `unwritable`."""
        leaks = await self.find_leaks(container, OWNER)
        assert not leaks, report_of(leaks)

    async def _try_everything(self, container: Any, caller: str) -> None:
        leaks = await self.find_leaks(container, caller)
        assert not leaks, report_of(leaks)

    async def find_leaks(self, container: Any, caller: str) -> list[Leak]:
        """Return everything that *caller* reaches in *container* though it is hidden from them."""
        async with self._populated(container) as (population, client):
            every: list[Door] = [
                KernelDoor(population.kernel, population.expectations.principal(caller)),
                HttpDoor(client, container.settings().http.prefix, caller),
            ]
            doors = [door for door in every if door.name in self.doors]
            if caller == OWNER:
                return await FieldTrial(population, doors).run(self.arguments)
            return await Trial(population, caller, doors).run(self.arguments)

    @asynccontextmanager
    async def _populated(self, container: Any) -> AsyncIterator[tuple[Population, Any]]:
        """Open *container*, with HTTP, and make the entities."""
        # The pytest plugin loads this package, and must not make every run pay for the web stack.
        import httpx2  # noqa: PLC0415
        from fastapi import Request  # noqa: PLC0415

        from fastapi_easy.bootstrap import create_app  # noqa: PLC0415

        expectations = Expectations(
            owner=self.owner,
            foreign=self.foreign,
            powerless=self.powerless,
            public=self.public,
            authenticated=self.authenticated,
            shared=self.shared,
            unreadable=self.unreadable,
            unwritable=self.unwritable,
        )

        async def caller_of(request: Request) -> Principal:
            return expectations.principal(request.headers.get(CALLER_HEADER, ""))

        app = create_app(container, principal=caller_of)
        client = httpx2.AsyncClient(transport=httpx2.ASGITransport(app), base_url="http://conformance.test")
        async with app.router.lifespan_context(app), client:
            population = Population(container, container.kernel(), expectations, self.example)
            await population.fill()
            yield population, client
