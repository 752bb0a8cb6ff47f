"""The adapter under test as the suites see it, and the base and tools of all suites."""

import asyncio
import dataclasses
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeAlias, TypeVar

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
from fastapi_easy.testing.conformance.school import SCHOOL, SCHOOL_OPTIONS
from fastapi_easy.testing.conformance.shop import OPTIONS
from fastapi_easy.testing.recorders import RecordingEventBus
from fastapi_easy.testing.resources import resources_with_relations

T = TypeVar("T")

AnyRepository: TypeAlias = Repository[Any]
"""A repository of rows; the suites do not know the class of the entities."""

_ALL = 1_000_000

_KNOWN: Final[Mapping[str, Shape]] = {**SHAPES, **SCHOOL}


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Store:
    """The adapter under test, opened and with its schema created.

    Attributes:
        database: The database, opened.

        resources: The resources by name, one for each of `sample_shapes.SHAPES`; without `labels` if the store has no
            arrays, without `seats` and `tickets` if it has no composite keys. `resources_of` builds them.

        repositories: The factories of repositories outside any unit of work, by name of the resource.

        unit_of_work: The factory of a unit of work on all resources, which publishes to *event_bus*.

        event_bus: The event bus, which keeps the published events.

        read_system_rows: Reads the rows of a system table, and creates the table if it is missing; `None` if the store
            cannot have one.

        column: The name of its column in the report of results: adapter, server, driver.
    """

    database: Database
    resources: Mapping[str, Resource[Any]]
    repositories: Mapping[str, Callable[[], AnyRepository]]
    unit_of_work: Callable[[], UnitOfWork]
    event_bus: RecordingEventBus
    read_system_rows: Callable[[SystemTable], Awaitable[Sequence[Mapping[str, object]]]] | None = None
    column: str = ""

    def __repr__(self) -> str:
        """Return only the names of its resources, to keep failure reports short."""
        return f"<store of {', '.join(self.resources)}>"

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        printer.text(repr(self))

    @property
    def capabilities(self) -> frozenset[Capability]:
        """The capabilities that the adapter declares. Cases that need another one are skipped."""
        return self.database.capabilities

    @property
    def notes(self) -> AnyRepository:
        """The repository of entities with a field of every kind."""
        return self.repositories["notes"]()

    @property
    def seats(self) -> AnyRepository:
        """The repository of entities with a key of two fields."""
        self.require(Capability.COMPOSITE_KEYS)
        return self.repositories["seats"]()

    @property
    def tokens(self) -> AnyRepository:
        """The repository of entities with a UUID as key."""
        return self.repositories["tokens"]()

    @property
    def labels(self) -> AnyRepository:
        """The repository of entities with a list of scalars."""
        self.require(Capability.ARRAYS)
        return self.repositories["labels"]()

    @property
    def authors(self) -> AnyRepository:
        """The repository of entities with a relation to their own kind."""
        return self.repositories["authors"]()

    @property
    def books(self) -> AnyRepository:
        """The repository of entities with a version and soft deletion, including deleted ones."""
        return self.repositories["books"]()

    @property
    def reviews(self) -> AnyRepository:
        """The repository of entities at the end of a to-many relation."""
        return self.repositories["reviews"]()

    @property
    def tickets(self) -> AnyRepository:
        """The repository of entities with a reference of two fields."""
        self.require(Capability.COMPOSITE_KEYS)
        return self.repositories["tickets"]()

    @property
    def loans(self) -> AnyRepository:
        """The repository of entities with three kinds of references."""
        return self.repositories["loans"]()

    def entities(self, name: str) -> EntityRepository[Any]:
        """Return the entities of the resource *name* as instances of its class, outside of any unit of work."""
        return self.entities_in(self.repositories[name](), name)

    def entities_in(self, repository: Repository[Any], name: str) -> EntityRepository[Any]:
        """Return the entities in *repository*, of the resource *name*, as instances of its class."""
        return EntityRepository(self.resources[name], repository)

    def relation(self, path: str) -> Relation:
        """Return the relation at *path*, like `books.author`."""
        resource, name = path.split(".")
        return self.resources[resource].relations[name]

    def require(self, capability: Capability) -> None:
        """Skip the test when the store lacks *capability*."""
        if capability not in self.capabilities:
            pytest.skip(f"the store declares that it lacks {capability}")

    async def clear(self) -> None:
        """Remove every entity and every recorded event."""
        # Entities with references are removed before the entities they refer to.
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
    """Return the resources of the suite, as *database* stores them.

    Args:
        database: Need not be open yet.

        entities: A class for each of `sample_shapes.SHAPES`, by name, as far as the store can hold them; or for each of
            `school.SCHOOL`.

        describe: Reads such a class.

        linked: The classes say themselves how they lead and refer to others; else it is said for them.

        given_as: The classes that repositories give and take, where *entities* only say how they are stored.
    """
    shapes: dict[str, Shape] = {}
    for name in entities:
        shape = describe(entities[name])
        if not linked and Capability.REFERENCES in database.capabilities:
            known = _KNOWN[name]
            shape = dataclasses.replace(shape, references=known.references, table=known.table)
        shapes[name], mistakes = database.narrow_shape(name, shape)
        assert mistakes == []
    return resources_with_relations(
        shapes,
        given_as or entities,
        options={
            name: {
                **OPTIONS.get(name, {}),
                **SCHOOL_OPTIONS.get(name, {}),
                "stored": entities[name],
                "relations": None if linked else _KNOWN[name].links,
            }
            for name in shapes
        },
    )


class Suite:
    """The base of conformance suites. Subclass, and override `store`."""

    pytestmark = pytest.mark.asyncio

    @pytest.fixture
    def store(self) -> Store:
        """Return the adapter under test. Override with a fixture of any scope; each test begins with it empty."""
        raise NotImplementedError("a subclass overrides the fixture `store`")

    @pytest_asyncio.fixture(autouse=True)
    async def _clear_before(self, store: Store) -> None:
        await store.clear()


def value_of(outcome: Outcome[T]) -> T:
    """Return the value of *outcome*; a failure fails the test and shows the error."""
    if isinstance(outcome, Failure):
        pytest.fail(f"failed with {outcome.failure()!r}")
    return outcome.unwrap()


async def add_one(repository: AnyRepository, /, **values: object) -> Row:
    """Add one entity."""
    return value_of(await repository.add(values))


async def add_rows(repository: AnyRepository, rows: Iterable[Mapping[str, object]]) -> None:
    """Add an entity for each of *rows*."""
    _ = value_of(await repository.add_all(list(rows)))


async def add_titles(store: Store, titles: Iterable[str]) -> None:
    """Add a note for each of *titles*."""
    await add_rows(store.notes, ({"title": title} for title in titles))


def titles(rows: Iterable[Any]) -> list[str]:
    """Return the titles of *rows*, in their order."""
    return [row.title for row in rows]


async def run_concurrently(callers: int, call: Callable[[int], Coroutine[object, object, T]]) -> list[T]:
    """Run *call* concurrently with each number below *callers*, and return the results by number."""
    async with asyncio.timeout(30), asyncio.TaskGroup() as group:
        tasks = [group.create_task(call(number)) for number in range(callers)]
    return [task.result() for task in tasks]
