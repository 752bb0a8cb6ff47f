"""A null in a column that the class says holds none: sorted last, walked past and compared, and a version as well."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx2
import pytest
from sqlalchemy import JSON, String
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from fastapi_easy.bootstrap import create_app
from fastapi_easy.container import Container, resource
from tests.e2e.serving import client_of
from tests.e2e.stored_tables import foreign_schema, page, run_sql, with_driver


class Base(DeclarativeBase):
    """Of the class below."""


class Stored(Base):
    """None of its columns is nullable, as far as it knows."""

    __tablename__ = "stored"

    id: Mapped[int] = mapped_column(primary_key=True)
    title: Mapped[str] = mapped_column(String(20))
    stars: Mapped[int]
    ok: Mapped[bool]
    tags: Mapped[list[str]] = mapped_column(JSON)
    version: Mapped[int]


class Shop(Container):
    stored = resource(Stored, version="version")


class Strict(Container):
    stored = resource(Stored, version="version", reading="strict")


SETUP = (
    "DROP TABLE IF EXISTS stored",
    "CREATE TABLE stored (id int PRIMARY KEY, title varchar(20), stars int, ok boolean, tags json, version int)",
    "INSERT INTO stored VALUES (1, 'b', 1, true, '[]', 1), (2, NULL, NULL, NULL, NULL, NULL)",
    """INSERT INTO stored VALUES (3, 'a', 2, false, '["x"]', 1), (4, NULL, 5, true, '{"a": 1}', 7)""",
)


@pytest.fixture(params=["aiosqlite", "asyncpg", "asyncmy"])
async def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A database in which somebody else has made the table."""
    match request.param:
        case "asyncpg":
            found = with_driver(request.getfixturevalue("postgres_url"), "asyncpg")
        case "asyncmy":
            found = with_driver(request.getfixturevalue("mariadb_url"), "asyncmy")
        case _:
            found = f"sqlite+aiosqlite:///{tmp_path / 'stored.sqlite3'}"
    await run_sql(found, *SETUP)
    return found


@pytest.fixture
async def client(url: str) -> AsyncIterator[httpx2.AsyncClient]:
    """Of the program that serves it."""
    async with client_of(create_app(Shop(settings=foreign_schema(url)))) as opened:
        yield opened


async def _keys(client: httpx2.AsyncClient, **query: Any) -> list[int]:
    return [each["id"] for each in await page(client, **query)]


async def test_they_come_last_and_a_walk_passes_them(client: httpx2.AsyncClient) -> None:
    for sort, wanted in {
        "title": [3, 1, 2, 4],
        "-title": [1, 3, 2, 4],
        "stars": [1, 3, 4, 2],
        "-stars": [4, 3, 1, 2],
        "version": [1, 3, 4, 2],
        "ok,title": [3, 1, 4, 2],
    }.items():
        for limit in (1, 3):
            walked, cursor = list[int](), dict[str, str]()
            while True:
                answer = await client.get("/stored", params={"sort": sort, "limit": limit, **cursor})
                assert answer.status_code == 200, (sort, answer.text)
                walked += [each["id"] for each in answer.json()["items"]]
                if answer.json()["next_cursor"] is None:
                    break
                cursor = {"cursor": answer.json()["next_cursor"]}
            assert walked == wanted, (sort, limit)


async def test_they_differ_from_every_value(client: httpx2.AsyncClient) -> None:
    assert await _keys(client, title__ne="a") == [1, 2, 4]
    assert await _keys(client, stars__not_in="1,2") == [2, 4]
    answer = await client.post("/stored/search", json={"where": {"not": {"title": "a"}}})
    assert [each["id"] for each in answer.json()["items"]] == [1, 2, 4]


async def test_a_version_that_is_null_counts_as_nought(client: httpx2.AsyncClient) -> None:
    read = await client.get("/stored/2")
    first = await client.patch("/stored/2", json={"stars": 3}, headers={"If-Match": read.headers["etag"]})
    stale = await client.patch("/stored/2", json={"stars": 4}, headers={"If-Match": read.headers["etag"]})

    assert [each.status_code for each in (read, first, stale)] == [200, 200, 412]
    assert first.json() == {**read.json(), "stars": 3, "version": 1}


async def test_strict_reading_names_them_and_documents_of_another_type(url: str) -> None:
    async with client_of(create_app(Strict(settings=foreign_schema(url)))) as client:
        read = (await client.get("/stored")).json()
        alone = await client.get("/stored/4")
        exported = await client.get("/stored/export")

    assert [each["id"] for each in read["items"]] == [1, 3]
    assert [(each["key"], [fault["pointer"] for fault in each["errors"]]) for each in read["problems"]] == [
        (2, ["/title", "/stars", "/ok", "/tags", "/version"]),
        (4, ["/title", "/tags"]),
    ]
    assert (alone.status_code, exported.status_code) == (409, 409)
