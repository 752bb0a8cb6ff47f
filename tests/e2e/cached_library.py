"""A library whose answers are kept, one whose answers are not, and what reads and changes both."""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from dependency_injector import providers
from pydantic import BaseModel
from sqlalchemy import Column as SqlColumn
from sqlalchemy import ForeignKey, Integer
from sqlmodel import Field as Column
from sqlmodel import SQLModel

from fastapi_easy.application import Context, Create, Delete, Update, UpdateWhere
from fastapi_easy.bootstrap import open_kernel
from fastapi_easy.container import Container, resource
from fastapi_easy.domain import (
    EVERY_OPERATION,
    Cache,
    Key,
    Operation,
    Operator,
    Outcome,
    Patch,
    Where,
    to_many,
    to_one,
)
from fastapi_easy.domain.ports import UnitOfWork
from fastapi_easy.infrastructure.caching.memory import MemoryResultCache
from fastapi_easy.infrastructure.clock import SystemClock
from fastapi_easy.settings import Settings
from tests.e2e.stores import empty_store

STORES = ("memory", "sqlite", "postgres", "mariadb", "mongo")


class SqlAuthor(SQLModel, table=True):
    __tablename__ = "cached_author"
    id: int | None = Column(default=None, primary_key=True)
    name: str = Column(max_length=100, unique=True)
    country: str = Column(max_length=2)


class SqlBook(SQLModel, table=True):
    __tablename__ = "cached_book"
    id: int | None = Column(default=None, primary_key=True)
    title: str = Column(max_length=200)
    price: Decimal = Column(max_digits=10, decimal_places=2)
    author_id: int | None = Column(
        sa_column=SqlColumn(Integer, ForeignKey("cached_author.id", ondelete="CASCADE"), nullable=True)
    )


class SqlNote(SQLModel, table=True):
    __tablename__ = "cached_note"
    id: int | None = Column(default=None, primary_key=True)
    text: str = Column(max_length=200)
    deleted_at: datetime | None = None


class AuthorDocument(BaseModel):
    __collection__ = "cached_author"
    __unique__ = ("name",)
    id: int | None = None
    name: str
    country: str


class BookDocument(BaseModel):
    __collection__ = "cached_book"
    id: int | None = None
    title: str
    price: Decimal
    author_id: int | None = None


class NoteDocument(BaseModel):
    __collection__ = "cached_note"
    id: int | None = None
    text: str
    deleted_at: datetime | None = None


@dataclass(frozen=True)
class RetitleBook:
    """Give a book another title."""

    title: str

    async def perform(self, key: Key, work: UnitOfWork, context: Context, /) -> Outcome[Any]:
        return await work.repository("books").update(key, Patch({"title": self.title}))


def library_of(store: str, cache: Cache | None, **options: Any) -> type[Container]:
    """The class of the container: books and notes with *cache*, and authors, to which books lead, without."""
    plain = store in {"memory", "mongo"}
    author: Any = AuthorDocument if plain else SqlAuthor
    book: Any = BookDocument if plain else SqlBook
    note: Any = NoteDocument if plain else SqlNote

    class Library(Container):
        authors = resource(author, upsert=("name",), relations={"books": to_many("books", by="author_id")})
        books = resource(
            book,
            cache=cache,
            actions=[RetitleBook],
            relations={"author": to_one("authors", by="author_id")},
            **options,
        )
        notes = resource(
            note, cache=cache, soft_delete="deleted_at", operations=[*EVERY_OPERATION, Operation.PURGE]
        )

    return Library


class CountingCache(MemoryResultCache):
    """Counts how many answers were found."""

    def __init__(self) -> None:
        super().__init__(SystemClock())
        self.hits = 0

    async def get(self, key: str) -> bytes | None:
        found = await super().get(key)
        self.hits += found is not None
        return found


@dataclass
class Process:
    """One of several programs over one database."""

    container: Any
    kernel: Any
    cache: CountingCache


@asynccontextmanager
async def started(
    store: str, url: str, *, cached: bool = True, database: Any = None, options: Any = None, **overriding: Any
) -> AsyncIterator[Process]:
    """A process on *url*; in memory on *database*, which another one has."""
    kind: Any = library_of(store, Cache(seconds=3600) if cached else None, **(options or {}))
    settings = Settings.model_validate({"databases": {"default": {"url": url}}})
    cache = CountingCache()
    container = kind(settings=settings, **{"result_cache": providers.Object(cache), **overriding})
    if database is not None:
        container.databases.default.override(providers.Object(database))
    async with open_kernel(container) as kernel:
        yield Process(container, kernel, cache)


@asynccontextmanager
async def processes(
    store: str, folder: Path, number: int = 1, **options: Any
) -> AsyncIterator[tuple[list[Process], Process]]:
    """So many processes that keep answers, and one that keeps none, all on one database."""
    async with AsyncExitStack() as stack:
        url = stack.enter_context(empty_store(store, folder))
        database: Any = None
        keeping = []
        for _ in range(number):
            each = await stack.enter_async_context(started(store, url, database=database, **options))
            database = each.container.databases.default() if store == "memory" else None
            keeping.append(each)
        plain = await stack.enter_async_context(
            started(store, url, cached=False, database=database, **options)
        )
        yield keeping, plain


READS: Mapping[str, Callable[[Any], Awaitable[Outcome[Any]]]] = {
    "a book": lambda kernel: kernel.books.get(1),
    "a book that may come": lambda kernel: kernel.books.get(9),
    "a book with its author": lambda kernel: kernel.books.get(1, include="author"),
    "all books": lambda kernel: kernel.books.list(),
    "a page of books": lambda kernel: kernel.books.list(limit=2, sort="-price", count="exact"),
    "books with authors": lambda kernel: kernel.books.list(include="author", sort="id"),
    "books from France": lambda kernel: kernel.books.list(author__country="FR", sort="id"),
    "books by author": lambda kernel: kernel.books.list(sort="author.name,id"),
    "how many are dear": lambda kernel: kernel.books.count(price__gt=Decimal(8)),
    "how many are French": lambda kernel: kernel.books.count(author__country="FR"),
    "what all cost": lambda kernel: kernel.books.aggregate(
        total=["sum:price", "count"], group_by="author_id"
    ),
    "all notes": lambda kernel: kernel.notes.list(),
    "a note": lambda kernel: kernel.notes.get(1),
}


async def _in_a_unit_of_work(kernel: Any) -> Any:
    async with kernel.unit_of_work() as work:
        _ = (await work.repository("books").update(1, Patch({"title": "From a script"}))).unwrap()
        return await work.commit()


async def _as_the_system(kernel: Any) -> Any:
    async with kernel.unit_of_work() as work:
        books = work.as_system().repository("books")
        _ = (await books.add({"title": "The system's", "price": Decimal(1), "author_id": 2})).unwrap()
        return await work.commit()


WRITES: Mapping[str, Callable[[Any], Awaitable[Outcome[Any]]]] = {
    "create": lambda kernel: kernel.books.create({"title": "Emma", "price": Decimal("9.50"), "author_id": 1}),
    "update": lambda kernel: kernel.books.update(1, {"price": Decimal("7.25")}),
    "replace": lambda kernel: kernel.books.replace(
        1, {"title": "Replaced", "price": Decimal("3.00"), "author_id": 2}
    ),
    "bulk": lambda kernel: kernel.books.bulk(
        [
            Create({"title": "Of many", "price": Decimal(4), "author_id": 2}),
            Update(1, Patch({"title": "Also of many"})),
            UpdateWhere(Where("author_id", Operator.EQUALS, 2), Patch({"price": Decimal(5)}), 10),
            Delete(2),
        ]
    ),
    "import": lambda kernel: kernel.books.import_([{"title": "Imported", "price": "2.00", "author_id": 1}]),
    "restoring import": lambda kernel: kernel.books.import_(
        [{"id": 9, "title": "Restored", "price": "2.00"}]
    ),
    "action": lambda kernel: kernel.books.perform(1, RetitleBook("Acted upon")),
    "a unit of work": _in_a_unit_of_work,
    "the system": _as_the_system,
    "a related entity": lambda kernel: kernel.authors.update(1, {"country": "FR", "name": "Aaron"}),
    "an upsert of a related entity": lambda kernel: kernel.authors.upsert({"name": "Ada", "country": "FR"}),
    "delete": lambda kernel: kernel.books.delete(1),
    "what a deletion takes along": lambda kernel: kernel.authors.delete(2),
    "another note": lambda kernel: kernel.notes.create({"text": "later"}),
    "a soft deletion": lambda kernel: kernel.notes.delete(1),
    "a restored note": lambda kernel: kernel.notes.restore(1),
    "another soft deletion": lambda kernel: kernel.notes.delete(1),
    "a purge": lambda kernel: kernel.notes.purge(1),
}


async def fill(kernel: Any) -> None:
    """Store two authors, three books and a note."""
    for name, country in (("Jane", "GB"), ("Jules", "FR")):
        _ = (await kernel.authors.create({"name": name, "country": country})).unwrap()
    for number in range(3):
        values = {"title": f"Book {number}", "price": Decimal(6 + number), "author_id": 1 + number % 2}
        _ = (await kernel.books.create(values)).unwrap()
    _ = (await kernel.notes.create({"text": f"a note of {datetime(2026, 1, 1, tzinfo=UTC):%Y}"})).unwrap()
