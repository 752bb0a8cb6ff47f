"""Types that only servers know: what others stored is shown, found and walked along, and written as it is shown."""

import logging
from pathlib import Path
from typing import Any

import httpx2
import pytest
import sqlalchemy as sa
from sqlalchemy.dialects import mysql, postgresql
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from fastapi_easy.bootstrap import create_app
from fastapi_easy.container import Container, resource
from fastapi_easy.domain import DeclarationError, Fields, QueryRules
from fastapi_easy.domain.migrations.policy import MigrationPolicy
from fastapi_easy.settings import DatabaseSettings, Settings
from tests.e2e.server_columns import MARIADB, OPTIONAL, POSTGRES, POSTGRES_SETUP, ServerColumn
from tests.e2e.serving import client_of
from tests.e2e.stored_tables import page, run_sql, serving, spelt, walk, with_driver
from tests.e2e.stores import empty_store

DRIVERS = ("asyncpg", "psycopg", "asyncmy", "aiomysql")


@pytest.fixture(params=DRIVERS)
def database(request: pytest.FixtureRequest) -> tuple[str, tuple[ServerColumn, ...]]:
    """A database, with a driver, and its columns."""
    is_postgres = request.param in {"asyncpg", "psycopg"}
    url = with_driver(
        request.getfixturevalue("postgres_url" if is_postgres else "mariadb_url"), request.param
    )
    return url, POSTGRES if is_postgres else MARIADB


async def test_what_others_stored_is_shown_found_walked_along_and_written(
    database: tuple[str, tuple[ServerColumn, ...]],
) -> None:
    url, columns = database
    if columns is POSTGRES:
        await run_sql(url, *POSTGRES_SETUP)
        for probe, setup, column in OPTIONAL:
            if await _is_there(url, probe):
                await run_sql(url, *setup)
                columns = (*columns, column)
    rows = max(len(each.written) for each in columns) + 1

    async with serving(url, columns) as client:
        items = await page(client, sort="id", limit=100)
        for number, column in enumerate(columns):
            name = f"c{number}"
            nulls = [None] * (rows - len(column.shown))
            assert [each[name] for each in items] == [*column.shown, *nulls], column.stored
            for key, shown in enumerate(column.shown, start=1):
                await _is_found(client, name, key, column)
                await _is_written_as_it_is_shown(client, name, shown, rows)
            for value in column.refused:
                answer = await client.post("/stored", json={"id": 99, name: value})
                assert answer.status_code == 422, (column.stored, value, answer.text)
            await _is_sorted(client, name, column, rows)


async def _is_there(url: str, probe: str) -> bool:
    engine = create_async_engine(url)
    async with engine.begin() as connection:
        found = (await connection.exec_driver_sql(probe)).first() is not None
    await engine.dispose()
    return found


async def _is_found(client: httpx2.AsyncClient, name: str, key: int, column: ServerColumn) -> None:
    shown = column.shown[key - 1]
    answer = await client.get("/stored", params={name: spelt(shown), "fields": "id"})
    assert answer.status_code == (200 if column.finds else 400), (column.stored, answer.text)
    if column.finds:
        assert [each["id"] for each in answer.json()["items"]] == [key], (column.stored, shown)
    if column.finds and "," not in spelt(shown):
        others = await page(client, fields="id", **{f"{name}__not_in": spelt(shown)})
        assert key not in {each["id"] for each in others}
    if isinstance(shown, list) and shown:
        assert [each["id"] for each in await page(client, **{f"{name}__has": shown[0]})] == [key]


async def _is_written_as_it_is_shown(client: httpx2.AsyncClient, name: str, shown: Any, rows: int) -> None:
    written = await client.post("/stored", json={"id": 100, name: shown})
    assert (written.status_code, written.json().get(name)) == (201, shown), written.text
    for value in (shown, None):
        assert (await client.patch(f"/stored/{rows}", json={name: value})).json()[name] == value
    many = [{"create": {"id": key, name: shown}} for key in (101, 102)]
    bulk = await client.post("/stored/bulk", json={"items": many})
    assert bulk.status_code == 200, (name, bulk.text)
    for key in (100, 101, 102):
        assert (await client.get(f"/stored/{key}")).json()[name] == shown
        assert (await client.delete(f"/stored/{key}")).status_code == 204


async def _is_sorted(client: httpx2.AsyncClient, name: str, column: ServerColumn, rows: int) -> None:
    if column.sorts is None:
        assert (await client.get("/stored", params={"sort": name})).status_code == 400, column.stored
        return
    ordered = [place + 1 for place in column.sorts]
    nulls = list(range(len(ordered) + 1, rows + 1))
    assert await walk(client, name, rows) == [*ordered, *nulls], column.stored
    assert await walk(client, f"-{name}", rows) == [*reversed(ordered), *nulls], column.stored
    extremes = (await client.get("/stored/aggregate", params={"total": f"min:{name},max:{name}"})).json()
    assert extremes["items"][0]["totals"] == {
        f"min:{name}": column.shown[column.sorts[0]],
        f"max:{name}": column.shown[column.sorts[-1]],
    }, column.stored


def _settings(url: str, policy: MigrationPolicy) -> Settings:
    return Settings(
        databases={"default": DatabaseSettings.model_validate({"url": url, "migrations": policy})}
    )


class Base(DeclarativeBase):
    """The classes below."""


class Host(Base):
    """A table of every kind of column, for every server."""

    __tablename__ = "server_hosts"
    id: Mapped[int] = mapped_column(primary_key=True)
    address: Mapped[str | None] = mapped_column(postgresql.INET)
    cost: Mapped[str | None] = mapped_column(postgresql.MONEY)
    built: Mapped[int | None] = mapped_column(mysql.YEAR)
    tags: Mapped[str | None] = mapped_column(mysql.SET("a", "b"))
    grid: Mapped[str | None] = mapped_column(postgresql.ARRAY(sa.Integer, dimensions=2))
    words: Mapped[str | None] = mapped_column(
        postgresql.TSVECTOR, sa.Computed("to_tsvector('english', tags)", persisted=True)
    )
    __table_args__ = (sa.Index("ix_words", "words", postgresql_using="gin"),)


class Hosts(Container):
    """A program with them."""

    hosts = resource(Host)


@pytest.mark.parametrize("store", ["sqlite", "postgres", "mariadb", "memory"])
async def test_tables_with_such_columns_are_created_and_found_as_declared_by_the_next_start(
    store: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    given = {
        "address": "10.0.0.1",
        "cost": "9.50",
        "built": 1999,
        "tags": "a",
        "grid": "{{1,2}}",
    }

    with empty_store(store, tmp_path) as url:
        for policy in (MigrationPolicy.AUTO, MigrationPolicy.AUTO, MigrationPolicy.CHECK):
            caplog.clear()
            with caplog.at_level(logging.WARNING):
                async with client_of(create_app(Hosts(settings=_settings(url, policy)))) as client:
                    if store == "memory" or (await client.get("/hosts/1")).status_code == 404:
                        created = await client.post("/hosts", json=given)
                        assert created.status_code == 201, created.text
                    assert (await client.get("/hosts/1")).json() == {"id": 1, **given}
            said = [each.getMessage() for each in caplog.records]
            told = [each.split(" has ")[0] for each in said if "Host." in each]
            assert told == ["hosts: Host.words"] * (store != "postgres")
            assert not [each for each in said if "stored schema differs" in each]


class Page(Base):
    """What is searched for its words, which a generated column holds."""

    __tablename__ = "searched_pages"
    id: Mapped[int] = mapped_column(primary_key=True)
    title: Mapped[str]
    words: Mapped[str] = mapped_column(
        postgresql.TSVECTOR, sa.Computed("to_tsvector('english', title)", persisted=True)
    )


async def test_q_asks_a_column_of_words(postgres_url: str) -> None:
    container: Any = type("Shop", (Container,), {"pages": resource(Page, query=QueryRules(search=["words"]))})
    settings = _settings(postgres_url, MigrationPolicy.AUTO)
    async with client_of(create_app(container(settings=settings))) as client:
        for title in ("The cats are sleeping", "A dog", "A cat and a dog"):
            assert (await client.post("/pages", json={"title": title})).json().keys() == {"id", "title"}

        found = {
            q: [each["id"] for each in (await client.get("/pages", params={"q": q})).json()["items"]]
            for q in ("the cat", "sleep cat", "dog -cat", '"cat and"', "bird", "' & (")
        }
        counted = await client.get("/pages/count", params={"q": "cat", "title__ne": "A dog"})

    assert found == {
        "the cat": [1, 3],
        "sleep cat": [1],
        "dog -cat": [2],
        '"cat and"': [1, 3],
        "bird": [],
        "' & (": [],
    }
    assert counted.json() == {"count": 2}


def test_columns_of_unknown_types_bar_no_class_and_those_named_by_mistake_are_told() -> None:
    hidden = resource(Page, fields=Fields(hidden=["words"]))
    searched = resource(Page, query=QueryRules(search=["words"]))
    container: Any = type("Shop", (Container,), {"pages": hidden, "others": searched})

    with pytest.raises(DeclarationError) as refusal:
        _ = create_app(container(settings=_settings("memory://", MigrationPolicy.AUTO)))

    assert refusal.value.mistakes == (
        "others: query.search names 'words', which is not a readable text field: remove it",
    )
