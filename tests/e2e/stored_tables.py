"""A table that others made and filled, and the program that serves it."""

import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from itertools import zip_longest
from typing import Any

import httpx2
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.orm import DeclarativeBase, mapped_column

from fastapi_easy.bootstrap import create_app
from fastapi_easy.container import Container, resource
from fastapi_easy.settings import DatabaseSettings, Settings
from tests.e2e.serving import client_of
from tests.e2e.stored_columns import StoredColumn


def with_driver(url: str, driver: str) -> str:
    """Return *url* with the name of a driver."""
    scheme, rest = url.split("://")
    return f"{scheme}+{driver}://{rest}"


def foreign_schema(url: str) -> Settings:
    """Settings of a program that leaves the tables to others."""
    return Settings(databases={"default": DatabaseSettings.model_validate({"url": url, "migrations": "off"})})


async def run_sql(url: str, *statements: str) -> None:
    """Run statements as somebody else, who is not strict."""
    engine = create_async_engine(url)
    async with engine.begin() as connection:
        if engine.dialect.name == "mysql":
            _ = await connection.exec_driver_sql("SET sql_mode = ''")
        for each in statements:
            _ = await connection.exec_driver_sql(each)
    await engine.dispose()


def table_sql(columns: Sequence[StoredColumn]) -> list[str]:
    """The statements that make a table of *columns*, whose nth row has the nth value of each, and a row of nulls."""
    names = [f"c{number}" for number in range(len(columns))]
    described = ", ".join(f"{name} {column.stored}" for name, column in zip(names, columns, strict=True))
    rows = [*zip_longest(*(column.written for column in columns), fillvalue="NULL"), ["NULL"] * len(columns)]
    return [
        "DROP TABLE IF EXISTS stored",
        f"CREATE TABLE stored (id int PRIMARY KEY, {described})",
        *(
            f"INSERT INTO stored VALUES ({number}, {', '.join(row)})"
            for number, row in enumerate(rows, start=1)
        ),
    ]


@asynccontextmanager
async def serving(url: str, columns: Sequence[StoredColumn]) -> AsyncIterator[httpx2.AsyncClient]:
    """Serve a table of *columns* that others have made and filled."""
    base: Any = type("Base", (DeclarativeBase,), {})
    declared = {
        f"c{number}": mapped_column(each.declared, nullable=True) for number, each in enumerate(columns)
    }
    key = mapped_column(sa.Integer, primary_key=True, autoincrement=False)
    stored = type("Stored", (base,), {"__tablename__": "stored", "id": key, **declared})
    container: Any = type("Shop", (Container,), {"stored": resource(stored)})
    await run_sql(url, *table_sql(columns))
    async with client_of(create_app(container(settings=foreign_schema(url)))) as client:
        yield client


async def page(client: httpx2.AsyncClient, **query: Any) -> list[dict[str, Any]]:
    """The entities that *query* means; any problem is a failure."""
    answer = await client.get("/stored", params=query)
    assert answer.status_code == 200, (query, answer.text)
    return list(answer.json()["items"])


async def walk(client: httpx2.AsyncClient, sort: str, rows: int) -> list[int]:
    """The keys along *sort*, four at a time."""
    found: list[int] = []
    query = {"sort": sort, "limit": "4", "fields": "id"}
    while len(found) <= rows:
        answer = await client.get("/stored", params=query)
        assert answer.status_code == 200, (query, answer.text)
        body = answer.json()
        found += [each["id"] for each in body["items"]]
        if body["next_cursor"] is None:
            break
        query["cursor"] = body["next_cursor"]
    return found


def spelt(value: Any) -> str:
    """What a query string says for *value* as an answer shows it."""
    return value if isinstance(value, str) else json.dumps(value)
