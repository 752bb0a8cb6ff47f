"""Change the entity that is known by its unique fields, or make it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from returns.result import Failure

from fastapi_easy.application.changes.entity_writer import EntityWriter, Upserted
from fastapi_easy.application.changes.settling import settle
from fastapi_easy.application.context import Context
from fastapi_easy.domain.errors import AlreadyExists, Outcome
from fastapi_easy.domain.patch import Values
from fastapi_easy.domain.ports.clock import Clock
from fastapi_easy.domain.ports.policy import Policy
from fastapi_easy.domain.ports.unit_of_work import UnitOfWork
from fastapi_easy.domain.resource import Resource

ATTEMPTS: Final = 3
"""Times an upsert is tried when others make the same entity meanwhile."""


@dataclass(frozen=True, slots=True)
class UpsertEntity:
    """Give the entity that has the values of `Resource.upsert_by` the other *values*, or make it.

    Attributes:
        values: Writable fields. Of an entity that is there, those that cannot change stay as they are.
    """

    values: Values


class UpsertEntityHandler:
    """Carries out `UpsertEntity`."""

    def __init__(
        self,
        resource: Resource[Any],
        unit_of_work: Callable[[], UnitOfWork],
        clock: Clock,
        policy: Policy | None = None,
    ) -> None:
        self._resource = resource
        self._unit_of_work = unit_of_work
        self._clock = clock
        self._policy = policy

    async def __call__(self, command: UpsertEntity, context: Context, /) -> Outcome[Upserted]:
        """Answer its readable fields as they are now. Of two callers at once one makes it, the other changes it.

        Fails with:
            Invalid: A field is named that callers may not write, or one of `Resource.upsert_by` is missing or null.

            Forbidden: The caller could not see it.

            AlreadyExists: Values of other unique fields are taken, or those of an entity the caller may not see.

            ReferenceBroken, CheckFailed: The store refused the values.
        """
        upserted = await self._try(command, context)
        for _ in range(1, ATTEMPTS):
            if not self._was_overtaken(upserted):
                break
            upserted = await self._try(command, context)
        return upserted

    async def _try(self, command: UpsertEntity, context: Context) -> Outcome[Upserted]:
        async with self._unit_of_work() as work:
            writer = EntityWriter(self._resource, work, context, self._clock, self._policy)
            done = await writer.upsert(command.values)
            return done if isinstance(done, Failure) else await settle(work, context, done.unwrap())

    def _was_overtaken(self, upserted: Outcome[Upserted]) -> bool:
        if not isinstance(upserted, Failure):
            return False
        error = upserted.failure()
        return isinstance(error, AlreadyExists) and set(error.fields) == set(self._resource.upsert_by)
