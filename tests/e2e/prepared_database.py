"""Databases with tables and whatever else a test puts there past the product, through each driver."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import make_url
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.orm import DeclarativeBase

from tests.e2e.stores import empty_store

DRIVERS = ("sqlite", "postgres+asyncpg", "postgres+psycopg", "mariadb+asyncmy", "mariadb+aiomysql")


@asynccontextmanager
async def database_with(
    store: str, folder: Path, base: type[DeclarativeBase], *statements: str
) -> AsyncIterator[str]:
    """Yield the URL of a database on *store* with the tables of *base*, where *statements* were executed."""
    name, _, driver = store.partition("+")
    with empty_store(name, folder) as url:
        dialect = {"postgres": "postgresql", "mariadb": "mysql"}.get(name, name)
        full = make_url(url).set(drivername=f"{dialect}+{driver or 'aiosqlite'}")
        await execute(full, base, statements)
        yield full.render_as_string(hide_password=False)


async def execute(url: Any, base: type[DeclarativeBase], statements: Sequence[str]) -> None:
    """Create the tables of *base* and execute *statements*, past the product."""
    engine = create_async_engine(url)
    async with engine.begin() as connection:
        await connection.run_sync(base.metadata.create_all)
        for each in statements:
            _ = await connection.exec_driver_sql(each)
    await engine.dispose()
