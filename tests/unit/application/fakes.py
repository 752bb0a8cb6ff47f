"""What the tests of the application stand on: two resources, and a store in memory whose commit can fail."""

import dataclasses
import datetime
import enum
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

from returns.result import Failure

from fastapi_easy.application.application_ports import ApplicationPorts
from fastapi_easy.application.collaborators import Collaborators
from fastapi_easy.application.context import Context
from fastapi_easy.application.pipeline.step import Target
from fastapi_easy.application.queries.limits import QueryLimits
from fastapi_easy.application.queries.query_reader import QueryReader
from fastapi_easy.domain.changes.events import DomainEvent
from fastapi_easy.domain.changes.row import Row
from fastapi_easy.domain.errors import Error, Outcome
from fastapi_easy.domain.field import Field, Kind
from fastapi_easy.domain.ports.observer import Observation
from fastapi_easy.domain.ports.repository import Repository
from fastapi_easy.domain.principal import Principal
from fastapi_easy.domain.queries.query import Query
from fastapi_easy.domain.resources.declaration import Declaration, declare
from fastapi_easy.domain.resources.options import Fields, QueryRules
from fastapi_easy.domain.resources.resource import Resource, Shape
from fastapi_easy.infrastructure.persistence.memory import MemoryDatabase, MemoryRepository, MemoryUnitOfWork
from fastapi_easy.infrastructure.validation import PydanticValidator
from fastapi_easy.testing.clock import FrozenClock
from fastapi_easy.testing.recorders import RecordingEventBus

SECRET: Final = b"a secret of thirty-two bytes....."
NOON: Final = datetime.datetime(2026, 11, 23, 12, tzinfo=datetime.UTC)
ADA: Final = Context(principal=Principal(id="ada"), correlation_id="call-1")
ANY_ID: Final = uuid.UUID(int=0)


class Colour(enum.Enum):
    """Enumerated by text."""

    RED = "red"
    GREEN = "green"


class Size(enum.IntEnum):
    """Enumerated by number."""

    SMALL = 1
    LARGE = 2


class Thing:
    """Has a field of every kind."""


@dataclass
class Order:
    """Something bought."""

    id: int
    status: str
    total: Decimal
    note: str | None = None
    secret: str = "hidden"  # noqa: S105 (a field of that name)
    channel: str = "web"


THING_FIELDS: Final = (
    Field(name="id", kind=Kind.INTEGER),
    *(
        Field(
            name=kind.value,
            kind=kind,
            nullable=True,
            enumeration=Colour if kind is Kind.ENUM else None,
            item=Kind.TEXT if kind is Kind.ARRAY else None,
        )
        for kind in Kind
    ),
    Field(name="size", kind=Kind.ENUM, nullable=True, enumeration=Size),
    Field(name="numbers", kind=Kind.ARRAY, nullable=True, item=Kind.INTEGER),
    Field(name="tiny", kind=Kind.INTEGER, nullable=True, minimum=0, maximum=255),
    Field(name="price", kind=Kind.DECIMAL, nullable=True, precision=20, scale=2),
)
"""A key, one nullable field of each kind with the name of its kind, and a few special ones."""

ORDER_FIELDS: Final = (
    Field(name="id", kind=Kind.INTEGER),
    Field(name="status", kind=Kind.TEXT),
    Field(name="total", kind=Kind.DECIMAL),
    Field(name="note", kind=Kind.TEXT, nullable=True),
    Field(name="secret", kind=Kind.TEXT, default="hidden"),
    Field(name="channel", kind=Kind.TEXT, default="web"),
)


def resource_of(
    name: str, entity: type[Any], stored: Sequence[Field], key: Sequence[str] = ("id",), **options: Any
) -> Resource[Any]:
    """The resource that *options* make of an entity with these fields; there must be no mistakes."""
    declaration = Declaration(entity=entity, **options)
    resource, mistakes = declare(name, declaration, Shape(fields=tuple(stored), key=tuple(key)))
    assert resource is not None, mistakes
    return resource


THINGS: Final = resource_of(
    "things", Thing, THING_FIELDS, query=QueryRules(search=("text",), order=("-integer",))
)
ORDERS: Final = resource_of(
    "orders", Order, ORDER_FIELDS, fields=Fields(hidden=("secret",), create_only=("channel",))
)


def target_of(action: str, resource: Resource[Any] = ORDERS) -> Target:
    """What steps around a use case are told."""
    validator = PydanticValidator(resource)
    return Target(resource, action, lambda: validator)


def reader_of(resource: Resource[Any], secret: bytes = SECRET, **limits: int) -> QueryReader:
    """A reader of the queries of *resource*."""
    return QueryReader(resource, QueryLimits(**limits), secret)


class RecordingObserver:
    """Implements `Observer`: keeps what it is told."""

    def __init__(self) -> None:
        self.observations: list[Observation] = []

    def observe(self, observation: Observation) -> None:
        self.observations.append(observation)


class Store:
    """Orders in memory, and what was published about them.

    Attributes:
        clock: Says it is noon.

        refusal: What every commit fails with, once it is set.

        stand_in: Taken for the repository inside units of work, once it is set.

        last: Of each repository that a unit of work was asked for, whether all was to be done with one write.
    """

    def __init__(self) -> None:
        self.clock = FrozenClock(NOON)
        self.refusal: Error | None = None
        self.stand_in: Repository[Any] | None = None
        self.last: list[bool] = []
        self._bus = RecordingEventBus()
        self._database = MemoryDatabase()

    def repository(self) -> Repository[Any]:
        """The orders, outside any unit of work."""
        return self.stand_in or MemoryRepository(ORDERS, self._database)

    def unit_of_work(self) -> MemoryUnitOfWork:
        """A new one on the orders."""
        return _MoodyUnitOfWork(self, self._database, self._bus)

    def collaborators(self, **replaced: Any) -> Collaborators:
        """What handlers of the orders work with, but for what is *replaced*."""
        ports = ApplicationPorts(
            clock=self.clock,
            event_bus=self._bus,
            policy=replaced.pop("policy", None),
            journal=replaced.pop("journal", None),
            resources={"orders": ORDERS},
        )
        return Collaborators(
            **{
                "resource": ORDERS,
                "repository": self.repository,
                "unit_of_work": self.unit_of_work,
                "ports": ports,
                **replaced,
            }
        )

    async def put(self, **values: Any) -> Row:
        """Store an order, past every use case."""
        row = {"id": 1, "status": "new", "total": Decimal("9.50")} | values
        return (await MemoryRepository(ORDERS, self._database).add(row)).unwrap()

    async def rows(self) -> list[Row]:
        """Every order that is stored for good."""
        stored = MemoryRepository(ORDERS, self._database).stream(Query())
        return [row async for rows in stored for row in rows]

    def events(self) -> list[DomainEvent]:
        """What was published, with `ANY_ID` for the random ids."""
        return [dataclasses.replace(event, id=ANY_ID) for event in self._bus.events]


class _MoodyUnitOfWork(MemoryUnitOfWork):
    """Commits unless its store refuses. Makes nothing durable before, as units of work may."""

    def __init__(self, store: Store, database: MemoryDatabase, bus: RecordingEventBus) -> None:
        super().__init__(database, {"orders": ORDERS}, {"orders": store.repository}, bus)
        self._store = store

    def repository(self, resource: Resource[Any] | str, *, last: bool = False) -> Repository[Any]:
        self._store.last.append(last)
        return super().repository(resource)

    async def commit(self) -> Outcome[None]:
        return await super().commit() if self._store.refusal is None else Failure(self._store.refusal)
