"""Full text where it is declared: the same words on every store, found by an index that the schema has for them."""

import random
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx2
import pytest
from pydantic import BaseModel
from pymongo import AsyncMongoClient
from pymongo.asynchronous.database import AsyncDatabase
from sqlalchemy import Index
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from fastapi_easy.bootstrap import create_app
from fastapi_easy.container import Container, resource
from fastapi_easy.domain import DeclarationError, FullText, Grant, Principal, QueryRules, Resource, Tenant
from fastapi_easy.domain.migrations.policy import Approvals, MigrationPolicy
from fastapi_easy.domain.queries.words import HoldsWords, holds_words, words_of
from fastapi_easy.migrations import open_migrations
from fastapi_easy.settings import DatabaseSettings, Settings
from fastapi_easy.testing import in_memory
from tests.e2e.serving import client_of
from tests.e2e.stored_tables import with_driver
from tests.e2e.stores import EVERY_STORE, MONGO, SQL_STORES, empty_store
from tests.e2e.wiretap import overheard
from tests.services.wanted import empty_database


class Base(DeclarativeBase):
    """The class below."""


class Page(Base):
    """What is written."""

    __tablename__ = "pages"
    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    title: Mapped[str]
    body: Mapped[str | None]


class Note(BaseModel):
    """The same, as a document."""

    id: int
    title: str
    body: str | None = None


ROWS = (
    ("The Cat sat", "on a mat; snake_case here"),
    ("A dog", None),
    ("ÉTÉ à Zürich", "x@example.com 3.14 e-mail <b>bold</b>"),
    ("Concatenate", "don't stop the dogs"),
    ("ΣΊΣΥΦΟΣ", "漢字 big cats"),
)

FOUND = {
    "cat": [1],
    "CAT  mat": [1],
    "cat dog": [],
    "the": [1, 4],
    "a": [1, 2],
    "the dogs": [4],
    "été": [3],
    "ete": [],
    "zÜRICH": [3],
    "example": [3],
    "x@example.com": [3],
    "14": [3],
    "mail": [3],
    "bold": [3],
    "don't": [4],
    "t": [4],
    "snake_case": [1],
    "concat": [],
    "漢字": [5],
    "σίσυφοσ": [5],
    # Nothing in it is syntax: only words are looked for.
    "+cat -mat": [1],
    "cat*": [1],
    '"cat" (mat)': [1],
    '"cat sat"': [1],
    "cat OR dog": [],
    "title:cat": [],
    "NEAR(cat, 2)": [],
    "cat & !mat": [1],
    "' OR 1=1 --": [],
    "{$ne: 1}": [],
    "cat\\": [1],
    "'": [1, 2, 3, 4, 5],
    " ": [1, 2, 3, 4, 5],
}


def _container(
    store: str, search: Any, url: str, policy: MigrationPolicy = MigrationPolicy.AUTO
) -> Container:
    entity: type[Any] = Note if store == MONGO else Page
    kind: Any = type("Site", (Container,), {"pages": resource(entity, query=QueryRules(search=search))})
    database = DatabaseSettings.model_validate({"url": url, "migrations": policy})
    made: Container = kind(settings=Settings(databases={"default": database}))
    return made


@asynccontextmanager
async def serving(
    store: str, search: Any, url: str, policy: MigrationPolicy = MigrationPolicy.AUTO
) -> AsyncIterator[httpx2.AsyncClient]:
    """A client of the site."""
    async with client_of(create_app(_container(store, search, url, policy))) as client:
        yield client


async def _fill(client: httpx2.AsyncClient, rows: Sequence[tuple[str, str | None]] = ROWS) -> None:
    items = [
        {"create": {"id": key, "title": title, "body": body}}
        for key, (title, body) in enumerate(rows, start=1)
    ]
    answer = await client.post("/pages/bulk", json={"items": items})
    assert answer.status_code == 200, answer.text


async def _found(client: httpx2.AsyncClient, q: str, **others: Any) -> list[int]:
    answer = await client.get("/pages", params={"q": q, "sort": "id", **others})
    assert answer.status_code == 200, (q, answer.text)
    return [each["id"] for each in answer.json()["items"]]


SEARCH = FullText("title", "body")

PLANS = {
    "sqlite": "VIRTUAL TABLE INDEX",
    "postgres": "Bitmap Index Scan on fe_words_pages_title_body",
    "mariadb": "ix_fe_words_pages_title_body",
}
DRIVERS = {"sqlite": "aiosqlite", "postgresql": "asyncpg", "mysql": "asyncmy", "mariadb": "asyncmy"}


@pytest.mark.parametrize("store", [*EVERY_STORE, MONGO])
async def test_every_store_finds_the_same_words(store: str, tmp_path: Path) -> None:
    with empty_store(store, tmp_path) as url:
        async with serving(store, SEARCH, url) as client:
            await _fill(client)

            found = {q: await _found(client, q) for q in FOUND}

            assert found == FOUND
            # A second start finds nothing to complain of, and what was changed.
            _ = await client.patch("/pages/2", json={"body": "and a cat"})
            _ = await client.patch("/pages/1", json={"title": "The mouse"})
            assert (await client.delete("/pages/4")).status_code == 204
        async with serving(store, SEARCH, url, MigrationPolicy.CHECK) as client:
            if store == "memory":
                return
            assert (await client.get("/health/ready")).status_code == 200
            assert [await _found(client, q) for q in ("cat", "mouse", "dogs", "dog")] == [[2], [1], [], [2]]
            await _is_a_condition_like_others(client)


async def _is_a_condition_like_others(client: httpx2.AsyncClient) -> None:
    _ = [
        await client.post("/pages", json={"id": key, "title": "a fox", "body": f"{key}"})
        for key in range(10, 17)
    ]
    assert (await client.get("/pages/count", params={"q": "fox", "id__gt": 12})).json() == {"count": 4}
    where = '{"or": [{"id": 11}, {"title__contains": "mouse"}]}'
    assert await _found(client, "fox", where=where) == [11]
    seen: list[int] = []
    params: dict[str, Any] = {"q": "fox", "sort": "-id", "limit": 3}
    while True:
        page = (await client.get("/pages", params=params)).json()
        seen += [each["id"] for each in page["items"]]
        if page["next_cursor"] is None:
            break
        params["cursor"] = page["next_cursor"]
    assert seen == list(range(16, 9, -1))
    totals = await client.get("/pages/aggregate", params={"q": "fox", "total": "count,max:id"})
    assert totals.json()["items"][0]["totals"] == {"count": 7, "max:id": 16}


@pytest.mark.parametrize("store", [*SQL_STORES, MONGO])
async def test_words_are_the_same_in_whatever_texts(store: str, tmp_path: Path) -> None:
    draw = random.Random(7)  # noqa: S311 - texts, not secrets
    rows = [(_text(draw, 14), _text(draw, 9)) for _ in range(60)]
    questions = [draw.choice((_text(draw, 5), *draw.choice(rows))) for _ in range(30)]

    with empty_store(store, tmp_path) as url:
        async with serving(store, SEARCH, url) as client:
            await _fill(client, rows)

            found = {q: await _found(client, q, limit=100) for q in questions}

    assert found == {
        q: [
            key
            for key, (title, body) in enumerate(rows, start=1)
            if holds_words(HoldsWords(("title", "body"), words_of(q)), {"title": title, "body": body})
        ]
        for q in questions
    }


def _text(draw: random.Random, length: int) -> str:
    letters = "abAB09__--.@:/<>&+~#'\"\\,;()*%=|`$äÄßéÉσΣς\u0130\u212a漢“—" + " " * 10
    return "".join(draw.choices(letters, k=draw.randint(0, length)))


@pytest.mark.parametrize("store", [*SQL_STORES, MONGO])
async def test_without_its_index_the_same_is_found_row_by_row(store: str, tmp_path: Path) -> None:
    with empty_store(store, tmp_path) as url:
        async with serving(store, (), url) as client:
            await _fill(client)
        async with serving(store, SEARCH, url, MigrationPolicy.OFF) as client:
            assert {q: await _found(client, q) for q in FOUND} == FOUND


class Label(Base):
    """What has no number for a key."""

    __tablename__ = "labels"
    code: Mapped[str] = mapped_column(primary_key=True)
    text: Mapped[str]


async def test_on_sqlite_a_key_that_is_no_number_is_searched_row_by_row(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'labels.sqlite3'}"
    kind: Any = type(
        "Labels", (Container,), {"labels": resource(Label, query=QueryRules(search=FullText("text")))}
    )
    settings = Settings(databases={"default": DatabaseSettings(url=url)})
    async with client_of(create_app(kind(settings=settings))) as client:
        _ = await client.post("/labels", json={"code": "a", "text": "Mind the gap"})
        found = await client.get("/labels", params={"q": "GAP mind"})
        document = (await client.get("/openapi.json")).text

    assert [each["code"] for each in found.json()["items"]] == ["a"]
    assert "Every word occurs in text, whatever the case." in document


@pytest.mark.parametrize("store", SQL_STORES)
async def test_an_index_is_made_of_what_is_stored_used_and_dropped_again(store: str, tmp_path: Path) -> None:
    with empty_store(store, tmp_path) as own:
        async with serving(store, ("title", "body"), own) as client:
            await _fill(client)
            assert await _found(client, "cat") == [1, 4, 5]
        await _migrate(store, SEARCH, own)
        async with overheard(own) as (url, said), serving(store, SEARCH, url) as client:
            assert await _found(client, "cat sat") == [1]
            statement = next(each for each in reversed(said) if "FROM pages" in each)
        assert PLANS[store] in await _plan(own, statement)
        await _migrate(store, FullText("title"), own)
        async with serving(store, FullText("title"), own) as client:
            assert (
                await client.post("/pages", json={"id": 9, "title": "x", "body": "cat"})
            ).status_code == 201
            assert await _found(client, "cat") == [1]
        # Nothing is left of it, and no trigger that would fail.
        await _migrate(store, ("title",), own)
        async with serving(store, ("title",), own) as client:
            assert await _found(client, "cat") == [1, 4]
            assert (await client.post("/pages", json={"id": 10, "title": "x"})).status_code == 201
        assert "fe_words" not in await _everything(own)


async def _migrate(store: str, search: Any, url: str) -> None:
    """Do what a start leaves to people: drop indexes, and build them beside those who write."""
    async with open_migrations(_container(store, search, url)) as migrations:
        _ = (await migrations.apply(approvals=Approvals.read(["destructive", "dangerous"]))).unwrap()


async def _plan(url: str, statement: str) -> str:
    """How the server would carry out *statement*, for whatever values."""
    if url.startswith("postgresql"):
        number = statement.count("$")
        given = ", ".join(["'cat'"] * (number - 1) + ["10"])
        return await _ask(
            url,
            # Of five rows it would read them all.
            "SET enable_seqscan = off",
            "SET enable_indexscan = off",
            "SET plan_cache_mode = force_generic_plan",
            f"PREPARE asked AS {statement}",
            f"EXPLAIN EXECUTE asked ({given})",
        )
    return await _ask(url, ("EXPLAIN QUERY PLAN " if url.startswith("sqlite") else "EXPLAIN ") + statement)


async def _everything(url: str) -> str:
    if url.startswith("sqlite"):
        return await _ask(url, "SELECT sql FROM sqlite_master")
    if url.startswith("postgresql"):
        return await _ask(url, "SELECT indexdef FROM pg_indexes WHERE tablename = 'pages'")
    return await _ask(url, "SHOW CREATE TABLE pages")


async def _ask(url: str, *statements: str) -> str:
    engine = create_async_engine(with_driver(url, DRIVERS[url.partition(":")[0]]))
    told = ""
    async with engine.connect() as connection:
        for each in statements:
            answer = await connection.exec_driver_sql(each)
            told = "\n".join(" ".join(map(str, row)) for row in answer) if answer.returns_rows else ""
        await connection.commit()
    await engine.dispose()
    return told


async def test_mongodb_finds_them_by_its_text_index() -> None:
    with empty_database(MONGO) as url:
        async with serving(MONGO, ("title",), url) as client:
            await _fill(client)
        asked: AsyncMongoClient[Any]
        async with AsyncMongoClient(url) as asked:
            database: AsyncDatabase[Any] = asked.get_default_database()
            async with serving(MONGO, SEARCH, url) as client:
                _ = await database.command("profile", 2)
                assert await _found(client, "cat") == [1]
                _ = await client.get("/pages/count", params={"q": "cat"})
                _ = await database.command("profile", 0)
            told = await database["system.profile"].find({"ns": {"$regex": "[.]note"}}).to_list(None)
    assert [each["planSummary"] for each in told] == ['IXSCAN { _fts: "text", _ftsx: 1 }'] * 2, told


class Name(Base):
    """What is found by a part of it."""

    __tablename__ = "names"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]
    __table_args__ = (
        Index("ix_parts", "name", postgresql_using="gin", postgresql_ops={"name": "gin_trgm_ops"}),
    )


async def test_an_index_of_trigrams_finds_parts_in_any_case(postgres_url: str) -> None:
    if "pg_trgm" not in await _ask(postgres_url, "SELECT name FROM pg_available_extensions"):
        pytest.skip("this PostgreSQL has no pg_trgm: install postgresql-contrib")
    _ = await _ask(postgres_url, "CREATE EXTENSION IF NOT EXISTS pg_trgm")
    kind: Any = type("Names", (Container,), {"names": resource(Name, query=QueryRules(search=["name"]))})
    parts = {
        "BOOK": [1, 2],
        "straß": [3],
        "100%_!": [4],
        "kelvin": [5],
        "İ": [6],
        "x": [],
    }
    async with overheard(postgres_url) as (url, said):
        settings = Settings(databases={"default": DatabaseSettings(url=url)})
        async with client_of(create_app(kind(settings=settings))) as client:
            for name in ("A Book", "bookshop", "STRAß e", "100%_!", "\u212aelvin", "aİb"):
                assert (await client.post("/names", json={"name": name})).status_code == 201
            for params in ({"q": "{}"}, {"name__icontains": "{}"}):
                found = {}
                for part in parts:
                    asked = {key: value.format(part) for key, value in params.items()}
                    answer = await client.get("/names", params={"sort": "id", **asked})
                    found[part] = [each["id"] for each in answer.json()["items"]]
                assert found == parts
        statement = next(each for each in reversed(said) if "FROM names" in each)

    assert "Bitmap Index Scan on ix_parts" in await _plan(postgres_url, statement)


def test_what_cannot_be_searched_so_is_refused() -> None:
    with pytest.raises(DeclarationError) as refused:
        _ = create_app(_container("sqlite", FullText("title", "id", language="english'"), "memory://"))
    with pytest.raises(DeclarationError) as empty:
        _ = create_app(_container("sqlite", FullText(), "memory://"))

    assert [*refused.value.mistakes, *empty.value.mistakes] == [
        "pages: query.search has the language \"english'\": name a text search configuration, such as 'english'",
        "pages: query.search names 'id', which is not a readable text field: remove it",
        "pages: query.search is a FullText without fields: name the text fields that it searches",
    ]


async def test_postgresql_compares_words_by_the_rules_of_a_language(postgres_url: str) -> None:
    async with serving("postgres", FullText("title", "body", language="english"), postgres_url) as client:
        await _fill(client)

        found = {q: await _found(client, q) for q in ("cats", "DOG", "the dogs", "bolding", "the")}

    assert found == {"cats": [1, 5], "DOG": [2, 4], "the dogs": [2, 4], "bolding": [3], "the": []}


class NoBodies:
    """Implements `Policy`: nobody reads the bodies of pages."""

    async def permissions(self, principal: Principal, tenant: Tenant | None, /) -> Any:
        return self

    def grant(self, resource: Resource[Any], action: str, /) -> Grant | None:
        return Grant(readable=frozenset({"id", "title"}))


async def test_who_may_not_read_a_field_cannot_search_it() -> None:
    kind: Any = type("Site", (Container,), {"pages": resource(Page, query=QueryRules(search=SEARCH))})
    async with client_of(create_app(in_memory(kind, policy=NoBodies()))) as client:
        await _fill(client)

        answer = await client.get("/pages", params={"q": "cat"})

    assert answer.status_code == 403
    assert answer.json()["errors"] == []
