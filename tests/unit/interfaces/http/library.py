"""A kernel in memory with one resource that has a field of every kind, and the apps that show it."""

import dataclasses
import datetime
import enum
import uuid
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from decimal import Decimal
from typing import Annotated, Any

import annotated_types
import httpx2
from fastapi import FastAPI

from fastapi_easy.application import Context, Handler, Kernel, UseCases
from fastapi_easy.application.application_ports import ApplicationPorts
from fastapi_easy.application.collaborators import Collaborators
from fastapi_easy.application.history.history_request import HistoryRequests
from fastapi_easy.application.idempotency.idempotency import Idempotency
from fastapi_easy.application.idempotency.idempotency_manager import IdempotencyManager
from fastapi_easy.application.operations import OPERATIONS
from fastapi_easy.application.pipeline.compose import compose
from fastapi_easy.application.pipeline.step import Target
from fastapi_easy.application.queries.limits import QueryLimits
from fastapi_easy.application.queries.query_reader import QueryReader
from fastapi_easy.application.resources.perform_action import PerformActionHandler
from fastapi_easy.domain import Field, Key, Kind, Operation, Outcome, Patch, Resource, Shape
from fastapi_easy.domain.ports import Repository, UnitOfWork
from fastapi_easy.domain.resources.options import EVERY_OPERATION
from fastapi_easy.infrastructure.events.in_process import InProcessEventBus
from fastapi_easy.infrastructure.idempotency.memory import MemoryIdempotencyStore
from fastapi_easy.infrastructure.persistence.memory.connection import MemoryDatabase
from fastapi_easy.infrastructure.persistence.memory.repository import MemoryRepository
from fastapi_easy.infrastructure.persistence.memory.unit_of_work import MemoryUnitOfWork
from fastapi_easy.infrastructure.validation import PydanticValidator
from fastapi_easy.interfaces.http.app import build_app
from fastapi_easy.interfaces.http.health import HealthChecks
from fastapi_easy.interfaces.http.options import HttpOptions
from fastapi_easy.testing.clock import FrozenClock
from fastapi_easy.testing.resources import resource_from


class Colour(enum.Enum):
    RED = "red"
    BLUE = "blue"


@dataclasses.dataclass
class Book:
    """Something to read."""

    id: int | None = None
    title: str = ""


@dataclasses.dataclass
class Shelf:
    """Where books stand."""

    room: str
    number: int


@dataclasses.dataclass(frozen=True)
class Lend:
    """Lend the book to somebody.

    It comes back one day.
    """

    to: Annotated[str, annotated_types.MinLen(1)]

    async def perform(self, key: Key, work: UnitOfWork, context: Context, /) -> Outcome[Any]:
        return await work.repository("books").update(key, Patch({"note": self.to}))


@dataclasses.dataclass(frozen=True)
class Burn:
    """Burn the book."""

    async def perform(self, key: Key, work: UnitOfWork, context: Context, /) -> Outcome[None]:
        return await work.repository("books").remove(key)


BOOK_FIELDS = (
    Field(name="id", kind=Kind.INTEGER, generated=True, minimum=-(2**31), maximum=2**31 - 1),
    Field(name="title", kind=Kind.TEXT, min_length=1, max_length=50, unique=True),
    Field(name="price", kind=Kind.DECIMAL, precision=10, scale=2, rules=(annotated_types.Ge(0),)),
    Field(name="pages", kind=Kind.INTEGER, minimum=-(2**31), maximum=2**31 - 1, default=1),
    Field(name="note", kind=Kind.TEXT, nullable=True, max_length=100),
    Field(name="rating", kind=Kind.FLOAT, nullable=True),
    Field(name="in_print", kind=Kind.BOOLEAN, default=True),
    Field(name="published", kind=Kind.DATE, nullable=True),
    Field(name="opens", kind=Kind.TIME, nullable=True),
    Field(name="added", kind=Kind.DATETIME, nullable=True),
    Field(name="reading_time", kind=Kind.DURATION, nullable=True),
    Field(name="code", kind=Kind.UUID, nullable=True),
    Field(name="cover", kind=Kind.BINARY, nullable=True, max_length=30),
    Field(name="colour", kind=Kind.ENUM, enumeration=Colour, default=Colour.RED),
    Field(name="extra", kind=Kind.JSON, nullable=True),
    Field(name="tags", kind=Kind.ARRAY, item=Kind.TEXT, default_factory=list),
    Field(name="secret", kind=Kind.TEXT, nullable=True),
)
READABLE = tuple(field.name for field in BOOK_FIELDS if field.name != "secret")

OFFERED = frozenset(EVERY_OPERATION) - {
    Operation.RESTORE,
    Operation.UPSERT,
    Operation.CHANGES,
    Operation.HISTORY,
}
"""What a resource offers that declares neither `soft_delete` nor `upsert`, nor events, nor audit."""

PLAIN = HttpOptions()

BOOK = {"title": "Ada", "price": "12.50"}

EVERYTHING: dict[str, Any] = {
    "title": "Everything",
    "price": "12.50",
    "pages": 7,
    "note": "a note",
    "rating": 4.5,
    "in_print": False,
    "published": "2026-11-23",
    "opens": "08:30:00",
    "added": "2026-11-23T08:30:00.000001Z",
    "reading_time": "P1DT2H",
    "code": "5f0c7c0d-9f9b-4f0f-8a7d-2f4b3c1e6a90",
    "cover": "AAH/",
    "colour": "blue",
    "extra": {"a": [1, 2.5, None]},
    "tags": ["x", "y"],
}

VALUES: dict[str, Any] = {
    "title": "Everything",
    "price": Decimal("12.50"),
    "pages": 7,
    "note": "a note",
    "rating": 4.5,
    "in_print": False,
    "published": datetime.date(2026, 11, 23),
    "opens": datetime.time(8, 30),
    "added": datetime.datetime(2026, 11, 23, 8, 30, 0, 1, datetime.UTC),
    "reading_time": datetime.timedelta(days=1, hours=2),
    "code": uuid.UUID("5f0c7c0d-9f9b-4f0f-8a7d-2f4b3c1e6a90"),
    "cover": b"\x00\x01\xff",
    "colour": Colour.BLUE,
    "extra": {"a": [1, 2.5, None]},
    "tags": ["x", "y"],
}


def book_resource(**replaced: Any) -> Resource[Book]:
    """Books, whose `secret` nobody sees."""
    shape = Shape(fields=BOOK_FIELDS, key=("id",))
    made = resource_from(shape, "books", Book, readable=READABLE, searchable=("title",))
    open_fields = tuple(name for name in READABLE if name != "id")
    hidden = {
        "writable": open_fields,
        "changeable": open_fields,
        "filterable": tuple(name for name in made.filterable if name != "secret"),
        "sortable": tuple(name for name in made.sortable if name != "secret"),
        "description": "Something to read.",
        "operations": OFFERED,
        "actions": {"lend": Lend, "burn": Burn},
    }
    return dataclasses.replace(made, **{**hidden, **replaced})


def shelf_resource() -> Resource[Shelf]:
    """Shelves, whose key has two parts."""
    fields = (
        Field(name="room", kind=Kind.TEXT, max_length=20),
        Field(name="number", kind=Kind.INTEGER, minimum=-(2**31), maximum=2**31 - 1),
        Field(name="label", kind=Kind.TEXT, nullable=True),
    )
    shape = Shape(fields=fields, key=("room", "number"))
    return resource_from(shape, "shelves", Shelf, operations=OFFERED)


def kernel_of(*resources: Resource[Any], repository: Repository[Any] | None = None) -> Kernel:
    """A kernel in memory; *repository* takes the place of every real one."""
    database = MemoryDatabase()
    by_name = {each.name: each for each in resources}
    repositories: dict[str, Callable[[], Repository[Any]]] = {
        each.name: (lambda each=each: repository or MemoryRepository(each, database)) for each in resources
    }

    def unit_of_work() -> UnitOfWork:
        return MemoryUnitOfWork(database, by_name, repositories, bus)

    bus = InProcessEventBus()
    ports = ApplicationPorts(clock=FrozenClock(), event_bus=bus, resources=by_name)
    store = MemoryIdempotencyStore(database)
    idempotency = IdempotencyManager(lambda _: store, ports.clock)
    return Kernel(
        {
            each.name: _use_cases(each, repositories[each.name], unit_of_work, ports, idempotency)
            for each in resources
        }
    )


def _use_cases(
    resource: Resource[Any],
    repository: Callable[[], Repository[Any]],
    unit_of_work: Callable[[], UnitOfWork],
    ports: ApplicationPorts,
    idempotency: Idempotency,
) -> UseCases:
    collaborators = Collaborators(
        resource=resource,
        repository=repository,
        unit_of_work=unit_of_work,
        ports=ports,
        idempotency=idempotency,
    )
    validator = PydanticValidator(resource)

    def checked(name: str, handler: Callable[[Collaborators], Handler[Any, Any]]) -> Any:
        return compose((), Target(resource, name, lambda: validator), handler(collaborators))

    return UseCases(
        resource=resource,
        queries=QueryReader(resource, QueryLimits(), b"secret"),
        histories=HistoryRequests(resource, b"secret"),
        validator=lambda: validator,
        **{each.attribute: checked(each.operation, each.handler) for each in OPERATIONS.values()},
        actions={name: checked(name, PerformActionHandler) for name in resource.actions or {}},
    )


@asynccontextmanager
async def no_lifespan(app: FastAPI) -> AsyncIterator[None]:
    yield


def app_of(
    *resources: Resource[Any], options: HttpOptions = PLAIN, kernel: Kernel | None = None, **more: Any
) -> FastAPI:
    """An app with *resources*, in memory."""
    made = kernel or kernel_of(*resources)
    return build_app(made, options, lifespan=no_lifespan, health=HealthChecks(), **more)


@asynccontextmanager
async def client_of(app: Any, *, raising: bool = True) -> AsyncIterator[httpx2.AsyncClient]:
    """A client that calls *app* in this process."""
    transport = httpx2.ASGITransport(app, raise_app_exceptions=raising)
    async with httpx2.AsyncClient(transport=transport, base_url="http://test") as client:
        yield client


def headers_of(response: httpx2.Response) -> Mapping[str, str]:
    return dict(response.headers)


def parameters_of(document: dict[str, Any], path: str, method: str = "get") -> dict[str, dict[str, Any]]:
    """The parameters of an operation by name, those that are shared too, in their order."""
    shared = document["components"]["parameters"]
    listed = document["paths"][path][method]["parameters"]
    resolved = [shared[each["$ref"].rsplit("/", 1)[-1]] if "$ref" in each else each for each in listed]
    return {each["name"]: each for each in resolved}
