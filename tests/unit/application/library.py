"""Three resources that lead to one another: authors, their books, and what readers say about those."""

import datetime
from dataclasses import dataclass, field
from typing import Any

from fastapi_easy.application import NOBODY, CreateEntity, Kernel, ListEntities, UseCases
from fastapi_easy.container import Container, resource
from fastapi_easy.domain.changes.row import Row
from fastapi_easy.domain.ports.policy import Policy
from fastapi_easy.domain.resources.options import Version
from fastapi_easy.domain.resources.relation import to_many, to_one
from fastapi_easy.testing.clock import FrozenClock
from fastapi_easy.testing.kernel import in_memory
from fastapi_easy.testing.recorders import RecordingEventBus
from tests.unit.application.fakes import NOON


@dataclass(kw_only=True)
class Author:
    """Writes books."""

    id: int | None = None
    name: str
    country: str | None = None


@dataclass(kw_only=True)
class Book:
    """Is written by one author, or by nobody who is known."""

    id: int | None = None
    isbn: str = field(metadata={"unique": True})
    title: str
    author_id: int | None = None
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


class Library(Container):
    """All three in memory."""

    authors = resource(Author, relations={"books": to_many("books", by="author_id")})
    books = resource(
        Book,
        relations={"author": to_one(Author, by="author_id"), "reviews": to_many(Review, by="book_id")},
        version="version",
        soft_delete="deleted_at",
        upsert=("isbn",),
    )
    reviews = resource(Review, relations={"book": to_one(Book, by="book_id")}, version=Version(required=True))


class Shelf:
    """A library, and short ways to ask for things in it.

    Attributes:
        container: The library; every provider can be overridden.

        bus: What was published.
    """

    def __init__(self, policy: Policy | None = None) -> None:
        self.bus = RecordingEventBus()
        self.container: Any = in_memory(Library, clock=FrozenClock(NOON), event_bus=self.bus, policy=policy)
        self.kernel: Kernel = self.container.kernel()

    def __getattr__(self, name: str) -> UseCases:
        """The use cases of a resource."""
        return self.kernel.use_cases(name)

    async def put(self, resource: str, **values: Any) -> Row:
        """A new entity, made by its use case."""
        return (await self.kernel.use_cases(resource).create(CreateEntity(values), NOBODY)).unwrap()

    async def rows(self, resource: str, *pairs: tuple[str, str]) -> list[Row]:
        """The page that a query string asks for."""
        cases = self.kernel.use_cases(resource)
        query = cases.queries.from_parameters(pairs).unwrap()
        return list((await cases.list(ListEntities(query), NOBODY)).unwrap().items)

    def published(self) -> list[str]:
        """The names and keys of what was published, in order; forgotten once asked for."""
        events = [f"{event.name} {event.key}" for event in self.bus.events]
        self.bus.events.clear()
        return events
