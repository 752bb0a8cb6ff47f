"""What an answer shows is found again, and what nobody holds is a mistake: on stores that check no types."""

import sqlite3
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx2
import pymongo
import pytest
from pydantic import BaseModel
from sqlmodel import Field as Column
from sqlmodel import SQLModel

from fastapi_easy.bootstrap import create_app
from fastapi_easy.container import Container, resource
from fastapi_easy.domain import Principal, Resource, Success, Tenant, UnexpectedValue, to_many
from fastapi_easy.domain.queries.specification import Operator, Specification, Where
from fastapi_easy.settings import DatabaseSettings, Settings
from tests.e2e.serving import client_of
from tests.policies import RowPolicy
from tests.services.wanted import empty_database


class Shelf(SQLModel, table=True):
    __tablename__ = "shown_shelf"
    id: int = Column(primary_key=True)
    owner: str


class Book(SQLModel, table=True):
    __tablename__ = "shown_book"
    id: int = Column(primary_key=True)
    shelf_id: int
    rating: int


class ShelfDocument(BaseModel):
    __collection__ = "shown_shelf"
    id: int
    owner: str


class BookDocument(BaseModel):
    __collection__ = "shown_book"
    id: int
    shelf_id: int
    rating: int


RELATIONS: Mapping[str, Any] = {"books": to_many("books", by="shelf_id")}
EVERYTHING = ["get", "list", "count", "export", "aggregate", "update", "delete", "bulk"]


class OnSqlite(Container):
    shelves = resource(Shelf, relations=RELATIONS)
    books = resource(Book, operations=EVERYTHING)


class OnMongo(Container):
    shelves = resource(ShelfDocument, relations=RELATIONS)
    books = resource(BookDocument, operations=EVERYTHING)


class OwnShelves(RowPolicy):
    """Everybody sees what is on the first shelf."""

    def visible(self, principal: Principal, tenant: Tenant | None, resource: Resource[Any]) -> Specification:
        return Where("shelf_id" if resource.name == "books" else "id", Operator.EQUALS, 1)


class Store:
    """A store that somebody else writes into.

    Args:
        container: What is served.

        url: Of the database.

        write: Writes the rating of a book, by its key, as somebody else.
    """

    def __init__(self, container: type[Any], url: str, write: Callable[[int, Any], None]) -> None:
        self.container = container
        self.url = url
        self.write = write

    @asynccontextmanager
    async def serving(self, **collaborators: Any) -> AsyncIterator[tuple[Any, httpx2.AsyncClient]]:
        database = DatabaseSettings(url=self.url, migrations="off")
        shop = self.container(settings=Settings(databases={"default": database}), **collaborators)
        async with client_of(create_app(shop)) as client:
            yield shop, client


BOOKS: Sequence[tuple[int, int, int]] = ((1, 1, 4), (2, 1, 5), (3, 2, 5), (4, 2, 3))
"""The key, the shelf and the rating."""


def _in_sqlite(folder: Path) -> Store:
    file = folder / "shown.db"

    def run(*statements: tuple[str, tuple[Any, ...]]) -> None:
        connection = sqlite3.connect(file)
        for sql, values in statements:
            _ = connection.execute(sql, values)
        connection.commit()
        connection.close()

    run(
        ("CREATE TABLE shown_shelf (id INTEGER PRIMARY KEY, owner TEXT NOT NULL)", ()),
        ("CREATE TABLE shown_book (id INTEGER PRIMARY KEY, shelf_id INTEGER NOT NULL, rating INTEGER)", ()),
        ("INSERT INTO shown_shelf VALUES (1, 'Ada'), (2, 'Bob')", ()),
        *(("INSERT INTO shown_book VALUES (?, ?, ?)", book) for book in BOOKS),
    )
    return Store(
        OnSqlite,
        f"sqlite:///{file}",
        lambda key, rating: run(("UPDATE shown_book SET rating = ? WHERE id = ?", (rating, key))),
    )


@pytest.fixture(params=["sqlite", "mongo"])
def store(request: pytest.FixtureRequest, tmp_path: Path):
    if request.param == "sqlite":
        yield _in_sqlite(tmp_path)
        return
    with empty_database("mongo") as url, pymongo.MongoClient[dict[str, Any]](url) as client:
        database = client.get_default_database()
        database.shown_shelf.insert_many([{"_id": 1, "owner": "Ada"}, {"_id": 2, "owner": "Bob"}])
        books = [{"_id": key, "shelf_id": shelf, "rating": rating} for key, shelf, rating in BOOKS]
        database.shown_book.insert_many(books)
        yield Store(
            OnMongo,
            url,
            lambda key, rating: database.shown_book.update_one({"_id": key}, {"$set": {"rating": rating}}),
        )


def ids(answer: httpx2.Response) -> list[int]:
    assert answer.status_code == 200, answer.text
    return [each["id"] for each in answer.json()["items"]]


def fault(answer: httpx2.Response) -> tuple[str, str, str]:
    assert answer.status_code == 422, answer.text
    (only,) = answer.json()["errors"]
    return only["in"], only["pointer"], only["code"]


@pytest.mark.parametrize("mistake", ["often", "5.0", "1e3", "4 ", "true", "[4]", '{"bytes": "?"}', ""])
async def test_what_nobody_holds_is_a_mistake(store: Store, mistake: str) -> None:
    where = {"or": [{"rating": mistake}, {"id": 1}]}

    async with store.serving() as (_, client):
        named = {"rating": mistake}
        listed = await client.get("/books", params=named)
        others = await client.get("/books", params={"rating__ne": mistake})
        among = await client.get("/books", params={"rating__in": ["4", mistake]})
        above = await client.get("/books", params={"rating__gt": mistake})
        counted = await client.get("/books/count", params=named)
        summed = await client.get("/books/aggregate", params=named)
        exported = await client.get("/books/export", params=named)
        searched = await client.post("/books/search", json={"where": where})

    assert [fault(each)[:2] for each in (listed, others, counted, summed, exported)] == [
        ("query", "/rating"),
        ("query", "/rating__ne"),
        *[("query", "/rating")] * 3,
    ]
    assert fault(among)[:2] == ("query", "/rating__in")
    assert fault(above)[:2] == ("query", "/rating__gt")
    assert fault(searched)[:2] == ("body", "/where/or/0/rating")


async def test_what_is_shown_is_found_at_once_and_by_everything_that_reads(store: Store) -> None:
    async with store.serving() as (shop, client):
        assert fault(await client.get("/books?rating=often")) == ("query", "/rating", "integer_parsing")
        # Another process may have shown it.
        store.write(2, "often")

        assert ids(await client.get("/books?rating=often")) == [2]
        assert ids(await client.get("/books?rating__ne=often")) == [1, 3, 4]
        assert ids(await client.get("/books?rating__in=often,4")) == [1, 2]
        assert ids(await client.get("/books?rating__not_in=often,4")) == [3, 4]
        assert ids(await client.get("/books?rating=often&id=1")) == []
        assert ids(await client.get('/books?where={"not":{"rating":"often"}}')) == [1, 3, 4]
        assert ids(await client.post("/books/search", json={"where": {"rating": "often"}})) == [2]
        assert ids(await client.get("/shelves?books.rating=often")) == [1]
        assert (await client.get("/books/count?rating=often")).json() == {"count": 1}
        assert len((await client.get("/books/export?rating=often")).text.splitlines()) == 1
        totals = (await client.get("/books/aggregate?rating__ne=often&total=sum:rating")).json()
        assert totals["items"][0]["totals"] == {"sum:rating": 12}
        books = shop.kernel().books
        assert await books.count({"rating": "often"}) == Success(1)
        assert await books.count({"rating": UnexpectedValue("often")}) == Success(1)
        # A program that names one makes no mistake.
        assert await books.count({"rating": UnexpectedValue("never")}) == Success(0)


async def test_a_mistake_is_one_whatever_others_may_see(store: Store) -> None:
    store.write(4, "often")

    async with store.serving(policy=OwnShelves()) as (_, client):
        assert fault(await client.get("/books?rating=often"))[1] == "/rating"
        assert fault(await client.get("/shelves?books.rating=often"))[1] == "/books.rating"
        store.write(1, "often")
        assert ids(await client.get("/books?rating=often")) == [1]
        assert ids(await client.get("/shelves?books.rating=often")) == [1]


async def test_a_walk_of_what_was_found_ends_as_any_other(store: Store) -> None:
    store.write(1, "often")
    store.write(2, "often")

    async with store.serving() as (_, client):
        first = await client.get("/books?rating=often&limit=1")
        store.write(1, 4)
        store.write(2, 4)
        second = await client.get(f"/books?rating=often&limit=1&cursor={first.json()['next_cursor']}")

    assert (ids(first), ids(second)) == ([1], [])


async def test_a_bulk_corrects_what_is_shown_and_nothing_else(store: Store) -> None:
    store.write(2, "often")

    async with store.serving() as (_, client):
        for wrong in ({"rating": "never"}, {"rating__ne": "never"}, {"not": {"rating": "never"}}):
            items = [{"delete": {"where": wrong, "max_affected": 10}}]
            refused = await client.post("/books/bulk", json={"items": items})
            assert refused.status_code == 422, refused.text
        items = [{"update": {"where": {"rating": "often"}, "set": {"rating": 5}, "max_affected": 10}}]
        corrected = await client.post("/books/bulk", json={"items": items})
        left = (await client.get("/books")).json()["items"]

    assert corrected.status_code == 200, corrected.text
    assert [each["rating"] for each in left] == [4, 5, 5, 3]
