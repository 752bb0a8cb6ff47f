"""What an adapter hands to the suites, and what all suites are made of."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

import pytest
import pytest_asyncio
from returns.result import Failure

from fastapi_easy.domain.capability import Capability
from fastapi_easy.domain.errors import Outcome
from fastapi_easy.domain.ports.repository import Repository
from fastapi_easy.domain.ports.unit_of_work import UnitOfWork
from fastapi_easy.domain.resource import Resource
from fastapi_easy.domain.row import Row
from fastapi_easy.domain.specification import Everything
from fastapi_easy.testing.recorders import RecordingEventBus

T = TypeVar("T")

_ALL = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Store:
    """An adapter that is ready: opened, its schema made.

    Attributes:
        resources: One for each of `notes.SHAPES`, by name; without `labels` where there are no arrays.

        repositories: Makes the repository of each, outside of any unit of work.

        unit_of_work: Makes a unit of work over all of them, that publishes to *event_bus*.

        event_bus: Keeps what was published.

        capabilities: What the adapter declares it can do. Cases that need more are skipped.
    """

    resources: Mapping[str, Resource[Any]]
    repositories: Mapping[str, Callable[[], Repository[Any]]]
    unit_of_work: Callable[[], UnitOfWork]
    event_bus: RecordingEventBus
    capabilities: frozenset[Capability]

    def __repr__(self) -> str:
        """Its resources by name: reports of failures are long enough."""
        return f"<store of {', '.join(self.resources)}>"

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        printer.text(repr(self))

    @property
    def notes(self) -> Repository[Any]:
        """The entities with a field of every kind."""
        return self.repositories["notes"]()

    @property
    def seats(self) -> Repository[Any]:
        """The entities with a key of two fields."""
        return self.repositories["seats"]()

    @property
    def tokens(self) -> Repository[Any]:
        """The entities with a UUID for a key."""
        return self.repositories["tokens"]()

    @property
    def labels(self) -> Repository[Any]:
        """The entities with a list of scalars."""
        self.require(Capability.ARRAYS)
        return self.repositories["labels"]()

    def require(self, capability: Capability) -> None:
        """Skip the test when the store lacks *capability*."""
        if capability not in self.capabilities:
            pytest.skip(f"the store declares that it lacks {capability}")

    async def clear(self) -> None:
        """Remove every entity, and forget what was published."""
        for make in self.repositories.values():
            _ = value_of(await make().remove_where(Everything(), max_affected=_ALL))
        self.event_bus.events.clear()


class Suite:
    """Promises that every adapter keeps. Subclass, and override `store`."""

    pytestmark = pytest.mark.asyncio

    @pytest.fixture
    def store(self) -> Store:
        """The adapter under test. Override with a fixture of any scope; its contents are removed before each test."""
        raise NotImplementedError("a subclass overrides the fixture `store`")

    @pytest_asyncio.fixture(autouse=True)
    async def _clear_before(self, store: Store) -> None:
        await store.clear()


def value_of(outcome: Outcome[T]) -> T:
    """What *outcome* succeeded with; a failure fails the test and says why."""
    if isinstance(outcome, Failure):
        pytest.fail(f"failed with {outcome.failure()!r}")
    return outcome.unwrap()


async def put(repository: Repository[Any], /, **values: Any) -> Row:
    """Add one entity."""
    return value_of(await repository.add(values))


async def given(repository: Repository[Any], rows: Iterable[Mapping[str, Any]]) -> None:
    """Add an entity for each of *rows*."""
    _ = value_of(await repository.add_all(list(rows)))


async def given_titles(store: Store, titles: Iterable[str]) -> None:
    """Add a note for each of *titles*."""
    await given(store.notes, ({"title": title} for title in titles))


def titles(rows: Iterable[Any]) -> list[str]:
    """The titles of *rows*, in their order."""
    return [row.title for row in rows]
