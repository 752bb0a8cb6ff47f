"""What an adapter hands to the suites, and what all suites are made of."""

import dataclasses
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import pytest
import pytest_asyncio
from returns.result import Failure

from fastapi_easy.domain.changes.journal import SystemTable
from fastapi_easy.domain.changes.row import Row
from fastapi_easy.domain.errors import Outcome
from fastapi_easy.domain.ports.database import Database
from fastapi_easy.domain.ports.entity_repository import EntityRepository
from fastapi_easy.domain.ports.repository import Repository
from fastapi_easy.domain.ports.unit_of_work import UnitOfWork
from fastapi_easy.domain.queries.specification import Everything
from fastapi_easy.domain.resources.capability import Capability
from fastapi_easy.domain.resources.resource import Relation, Resource, Shape
from fastapi_easy.testing.conformance.sample_shapes import SHAPES
from fastapi_easy.testing.conformance.shop import OPTIONS
from fastapi_easy.testing.recorders import RecordingEventBus
from fastapi_easy.testing.resources import connected

T = TypeVar("T")

_ALL = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Store:
    """An adapter that is ready: opened, its schema made.

    Attributes:
        database: What is tested, opened.

        resources: One for each of `notes.SHAPES`, by name and in their order; without `labels` where there are
            no arrays, without `seats` and `tickets` where no key has several fields. `resources_of` makes them.

        repositories: Makes the repository of each, outside of any unit of work.

        unit_of_work: Makes a unit of work over all of them, that publishes to *event_bus*.

        event_bus: Keeps what was published.

        system_rows: Reads the rows of a table of the system's own, and creates it where it is missing; `None` where
            there are none to be kept.

        column: What it is called where results are counted: adapter, server, driver.
    """

    database: Database
    resources: Mapping[str, Resource[Any]]
    repositories: Mapping[str, Callable[[], Repository[Any]]]
    unit_of_work: Callable[[], UnitOfWork]
    event_bus: RecordingEventBus
    system_rows: Callable[[SystemTable], Awaitable[Sequence[Mapping[str, Any]]]] | None = None
    column: str = ""

    def __repr__(self) -> str:
        """Its resources by name: reports of failures are long enough."""
        return f"<store of {', '.join(self.resources)}>"

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        printer.text(repr(self))

    @property
    def capabilities(self) -> frozenset[Capability]:
        """What the adapter declares it can do. Cases that need more are skipped."""
        return self.database.capabilities

    @property
    def notes(self) -> Repository[Any]:
        """The entities with a field of every kind."""
        return self.repositories["notes"]()

    @property
    def seats(self) -> Repository[Any]:
        """The entities with a key of two fields."""
        self.require(Capability.COMPOSITE_KEYS)
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

    @property
    def authors(self) -> Repository[Any]:
        """The entities that lead to others of their own."""
        return self.repositories["authors"]()

    @property
    def books(self) -> Repository[Any]:
        """The entities with a version and a mark of deletion, the marked ones among them."""
        return self.repositories["books"]()

    @property
    def reviews(self) -> Repository[Any]:
        """The entities of which there may be many for each book."""
        return self.repositories["reviews"]()

    @property
    def tickets(self) -> Repository[Any]:
        """The entities that lead by two fields together."""
        self.require(Capability.COMPOSITE_KEYS)
        return self.repositories["tickets"]()

    @property
    def loans(self) -> Repository[Any]:
        """The entities that refer to others in three ways."""
        return self.repositories["loans"]()

    def entities(self, name: str) -> EntityRepository[Any]:
        """Return the entities of the resource *name* as instances of its class, outside of any unit of work."""
        return self.entities_in(self.repositories[name](), name)

    def entities_in(self, repository: Repository[Any], name: str) -> EntityRepository[Any]:
        """Return the entities in *repository*, of the resource *name*, as instances of its class."""
        return EntityRepository(self.resources[name], repository)

    def relation(self, path: str) -> Relation:
        """The relation *path*, like `books.author`."""
        resource, name = path.split(".")
        return self.resources[resource].relations[name]

    def require(self, capability: Capability) -> None:
        """Skip the test when the store lacks *capability*."""
        if capability not in self.capabilities:
            pytest.skip(f"the store declares that it lacks {capability}")

    async def clear(self) -> None:
        """Remove every entity, and forget what was published."""
        # Who refers to others goes before them.
        for make in reversed(tuple(self.repositories.values())):
            _ = value_of(await make().remove_where(Everything(), max_affected=_ALL))
        self.event_bus.events.clear()


def resources_of(
    database: Database,
    entities: Mapping[str, type[Any]],
    describe: Callable[[type[Any]], Shape],
    *,
    linked: bool = True,
    given_as: Mapping[str, type[Any]] | None = None,
) -> dict[str, Resource[Any]]:
    """The resources of the suite, as *database* keeps them.

    Args:
        database: Need not be open yet.

        entities: A class for each of `notes.SHAPES`, by name, as far as the store can hold them.

        describe: Reads such a class.

        linked: The classes say themselves how they lead and refer to others; else it is said for them.

        given_as: The classes that repositories give and take, where *entities* only say how they are stored.
    """
    shapes: dict[str, Shape] = {}
    for name in (name for name in SHAPES if name in entities):
        shape = describe(entities[name])
        if not linked and Capability.REFERENCES in database.capabilities:
            shape = dataclasses.replace(shape, references=SHAPES[name].references, table=SHAPES[name].table)
        shapes[name], mistakes = database.narrow_shape(name, shape)
        assert mistakes == []
    return connected(
        shapes,
        given_as or entities,
        options={
            name: {
                **OPTIONS.get(name, {}),
                "stored": entities[name],
                "relations": None if linked else SHAPES[name].links,
            }
            for name in shapes
        },
    )


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


async def add_titles(store: Store, titles: Iterable[str]) -> None:
    """Add a note for each of *titles*."""
    await given(store.notes, ({"title": title} for title in titles))


def titles(rows: Iterable[Any]) -> list[str]:
    """The titles of *rows*, in their order."""
    return [row.title for row in rows]
