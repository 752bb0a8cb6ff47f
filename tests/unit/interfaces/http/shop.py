"""Resources in memory that lead to one another, with versions, soft delete and upsert."""

import datetime
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx2
from fastapi import FastAPI
from pydantic import BaseModel, computed_field

from fastapi_easy.application import Context
from fastapi_easy.bootstrap import create_app
from fastapi_easy.container import Container, resource
from fastapi_easy.domain import Fields, Key, Outcome, Patch, Row, Schemas, to_many, to_one
from fastapi_easy.domain.ports import UnitOfWork
from fastapi_easy.domain.resources.options import EVERY_OPERATION, Operation, Version
from fastapi_easy.testing import FrozenClock, in_memory
from fastapi_easy.testing.recorders import RecordingEventBus
from tests.unit.interfaces.http.library import client_of


@dataclass(kw_only=True)
class Author:
    """Writes books, for money that is nobody's business."""

    id: int | None = None
    name: str
    country: str | None = None
    salary: int = 0


@dataclass(kw_only=True)
class Publisher:
    """Prints books."""

    id: int | None = None
    name: str
    town: str = ""


class PublisherRead(BaseModel):
    """A publisher as the shop wants it seen."""

    id: int
    name: str

    @computed_field  # type: ignore[prop-decorator]
    @property
    def shout(self) -> str:
        return self.name.upper()


@dataclass(kw_only=True)
class Book:
    """Is written by one author, or by nobody who is known."""

    id: int | None = None
    isbn: str = field(metadata={"unique": True})
    title: str
    author_id: int | None = None
    publisher_id: int | None = None
    copies: int = 0
    version: int = 1
    deleted_at: datetime.datetime | None = None


@dataclass(kw_only=True)
class Review:
    """What a reader says about a book."""

    id: int | None = None
    book_id: int
    stars: int
    text: str = ""


@dataclass(kw_only=True)
class Shelf:
    """Where books stand; known by room and number."""

    room: str = field(metadata={"key": True})
    number: int = field(metadata={"key": True})
    label: str | None = None


@dataclass(frozen=True)
class Sell:
    """Sell a copy."""

    async def perform(self, key: Key, work: UnitOfWork, context: Context, /) -> Outcome[Row]:
        """One copy less."""
        return await work.repository("books").update(key, Patch({"copies": 7}))


@dataclass(frozen=True)
class Praise:
    """Give all stars."""

    async def perform(self, key: Key, work: UnitOfWork, context: Context, /) -> Outcome[Row]:
        """Five of them."""
        return await work.repository("reviews").update(key, Patch({"stars": 5}))


class Shop(Container):
    """All of them."""

    authors = resource(
        Author, fields=Fields(hidden=["salary"]), relations={"books": to_many("books", by="author_id")}
    )
    publishers = resource(Publisher, schemas=Schemas(read=PublisherRead))
    books = resource(
        Book,
        operations=(*EVERY_OPERATION, Operation.PURGE),
        relations={
            "author": to_one(Author, by="author_id"),
            "publisher": to_one(Publisher, by="publisher_id"),
            "reviews": to_many(Review, by="book_id"),
        },
        version="version",
        soft_delete="deleted_at",
        upsert=("isbn",),
        actions=[Sell],
    )
    reviews = resource(Review, version=Version(required=True), actions=[Praise])
    shelves = resource(Shelf, operations=["list", "get", "create", "update", "bulk"])


class Bench:
    """The shop, and what comes out of it.

    Attributes:
        app: The shop.

        client: Calls it.

        bus: What was published.
    """

    def __init__(self, app: FastAPI, client: httpx2.AsyncClient, bus: RecordingEventBus) -> None:
        self.app = app
        self.client = client
        self.bus = bus

    async def put(self, resource_name: str, **values: Any) -> dict[str, Any]:
        """A new entity."""
        created = await self.client.post(f"/{resource_name}", json=values)
        assert created.status_code == 201, created.text
        answer: dict[str, Any] = created.json()
        return answer

    async def bulk(self, *items: Any, path: str = "/books/bulk", **more: Any) -> httpx2.Response:
        """The answer to a bulk of *items*."""
        headers = more.pop("headers", None)
        return await self.client.post(path, json={"items": list(items), **more}, headers=headers)

    async def isbns(self) -> list[str]:
        """The books that are there."""
        page = await self.client.get("/books?fields=isbn&sort=isbn&limit=100")
        return [each["isbn"] for each in page.json()["items"]]

    def published(self) -> list[str]:
        """The names of what was published, in order; forgotten once asked for."""
        names = [event.name for event in self.bus.events]
        self.bus.events.clear()
        return names


@asynccontextmanager
async def bench(**settings: Any) -> AsyncIterator[Bench]:
    """A shop that is open, with other *settings* of HTTP."""
    bus = RecordingEventBus()
    container: Any = in_memory(Shop, clock=FrozenClock(), event_bus=bus)
    given = container.settings()
    http = given.http.model_copy(update=settings)
    container.settings.override(given.model_copy(update={"http": http}))
    app = create_app(container)
    async with app.router.lifespan_context(app), client_of(app) as client:
        yield Bench(app, client, bus)
