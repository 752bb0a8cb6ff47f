"""A shop whose every change is heard of: by subscribers, and by a journal of two tables."""

import uuid
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Any

from pydantic import BaseModel
from pydantic import Field as PydanticField
from sqlmodel import Field as Column
from sqlmodel import SQLModel

from fastapi_easy.application import Context
from fastapi_easy.bootstrap import open_kernel
from fastapi_easy.container import Container, resource
from fastapi_easy.domain import (
    DomainEvent,
    Failure,
    Field,
    Fields,
    Key,
    Kind,
    Outcome,
    Patch,
    Principal,
    Resource,
)
from fastapi_easy.domain.changes.journal import JournalRow, SystemTable
from fastapi_easy.domain.ports import UnitOfWork
from fastapi_easy.settings import Settings
from tests.e2e.stores import empty_store
from tests.kept_rows import kept_rows

ADA = Context(principal=Principal(id="ada", tenant="acme"), tenant="acme", correlation_id="call-1")

STORES = ("memory", "sqlite", "postgres", "mariadb", "mongo")

OUTBOX = SystemTable(
    name="fe_test_outbox",
    fields=(
        Field(name="id", kind=Kind.UUID),
        Field(name="name", kind=Kind.TEXT, max_length=100),
        Field(name="happened_at", kind=Kind.DATETIME),
        Field(name="key", kind=Kind.JSON, nullable=True),
        Field(name="version", kind=Kind.TEXT, max_length=40, nullable=True),
        Field(name="entity", kind=Kind.JSON, nullable=True),
    ),
    key=("id",),
)
TRAIL = SystemTable(
    name="fe_test_trail",
    fields=(
        Field(name="id", kind=Kind.UUID),
        Field(name="actor", kind=Kind.TEXT, max_length=100),
        Field(name="tenant", kind=Kind.TEXT, max_length=100, nullable=True),
        Field(name="by_system", kind=Kind.BOOLEAN),
    ),
    key=("id",),
)


class TwoRows:
    """Implements `Journal`: a row in each of two tables for every event."""

    tables = (OUTBOX, TRAIL)

    def __init__(self, *, drafts: bool = True, before: bool = False) -> None:
        self.drafts = drafts
        self._before = before

    def wants_before(self, resource: Resource[Any]) -> bool:
        return self._before

    def rows(self, event: DomainEvent) -> Sequence[JournalRow]:
        told = {
            "id": event.id,
            "name": event.name,
            "happened_at": event.occurred_at,
            "key": event.key,
            "version": getattr(event, "version", None),
            "entity": getattr(event, "values", None),
        }
        who = {"id": event.id, "actor": event.actor, "tenant": event.tenant, "by_system": event.by_system}
        return (JournalRow(OUTBOX, told), JournalRow(TRAIL, who))


class SqlBook(SQLModel, table=True):
    __tablename__ = "recorded_book"
    id: int | None = Column(default=None, primary_key=True)
    isbn: str = Column(max_length=40, unique=True)
    title: str = Column(max_length=200)
    price: Decimal = Column(max_digits=10, decimal_places=2)
    note: str = Column(default="hidden", max_length=40)
    version: int = 1


class PlainBook(BaseModel):
    __unique__ = ("isbn",)
    id: int | None = None
    isbn: str
    title: str
    price: Annotated[Decimal, PydanticField(max_digits=10, decimal_places=2)]
    note: str = "hidden"
    version: int = 1


@dataclass(frozen=True)
class RelabelBook:
    """Give a book another title."""

    title: str

    async def perform(self, key: Key, work: UnitOfWork, context: Context, /) -> Outcome[Any]:
        books = work.repository("books")
        found = await books.read(key)
        if isinstance(found, Failure):
            return found
        return await books.update(key, Patch({"title": self.title}))


def shop_of(entity: type[Any]) -> type[Container]:
    class Recorded(Container):
        books = resource(
            entity,
            actions=[RelabelBook],
            upsert=("isbn",),
            version="version",
            fields=Fields(hidden=("note",)),
        )

    return Recorded


@asynccontextmanager
async def recorded(
    store: str, folder: Path, url: str | None = None, options: Any = MappingProxyType({}), **overriding: Any
) -> AsyncIterator[Any]:
    """The shop on *store*, started, with `kernel` beside its providers."""
    with empty_store(store, folder) as own:
        kind = shop_of(PlainBook if store in {"memory", "mongo"} else SqlBook)
        settings = Settings.model_validate({"databases": {"default": {"url": url or own, **options}}})
        make: Any = kind
        shop = make(settings=settings, **overriding)
        async with open_kernel(shop) as kernel:
            yield Shop(shop, kernel)


class Shop:
    """A started shop."""

    def __init__(self, container: Any, kernel: Any, name: str = "books") -> None:
        self.container = container
        self.books = kernel.use_cases(name)

    @property
    def database(self) -> Any:
        return self.container.databases.providers["default"]()

    async def kept(self, table: SystemTable) -> list[dict[str, Any]]:
        """The rows of a system table, as plainly as the store gives them."""
        return await kept_rows(self.database, table)


def book(**values: Any) -> dict[str, Any]:
    return {"isbn": uuid.uuid4().hex, "title": "Emma", "price": Decimal("9.50"), **values}
