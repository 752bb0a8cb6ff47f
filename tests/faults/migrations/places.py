"""Places to migrate on each relational server, and a second connection to each."""

import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine
from sqlalchemy.pool import NullPool

from fastapi_easy.domain.migrations.plan import MigrationPlan
from fastapi_easy.domain.migrations.step import Step
from tests.conformance.relational_schemas import empty, store_at, tables_at, through

DRIVERS = {
    "asyncpg": "postgres_url",
    "psycopg": "postgres_url",
    "aiomysql": "mariadb_url",
    "asyncmy": "mariadb_url",
    "aiosqlite": "",
}
POSTGRES = ("asyncpg", "psycopg")
MARIADB = ("aiomysql", "asyncmy")
SQLITE = ("aiosqlite",)


@dataclass(frozen=True)
class Place:
    """An empty database."""

    url: str
    driver: str

    def store(self, **options: Any) -> Any:
        """Return a store there."""
        return store_at(self.url, **options)

    @contextlib.asynccontextmanager
    async def beside(self, *, committing: bool = True) -> AsyncIterator[AsyncConnection]:
        """Yield a connection of somebody else's."""
        engine = create_async_engine(
            self.url, poolclass=NullPool, isolation_level="AUTOCOMMIT" if committing else None
        )
        async with engine.connect() as connection:
            yield connection
        await engine.dispose()

    async def ask(self, sql: str) -> Any:
        """Return the rows of what *sql* asks."""
        async with self.beside() as connection:
            found = await connection.execute(text(sql))
            return [tuple(row) for row in found] if found.returns_rows else []

    async def tables(self) -> frozenset[str]:
        """Return the names of the tables but for those of the ledger."""
        return await tables_at(self.url)

    def plan(self, *steps: Step, parent: str = "") -> MigrationPlan:
        """Return a plan of *steps*."""
        dialect = {**dict.fromkeys(POSTGRES, "postgresql"), **dict.fromkeys(MARIADB, "mysql")}
        return MigrationPlan(
            database="shop", dialect=dialect.get(self.driver, "sqlite"), parent=parent, steps=steps
        )


async def place_of(driver: str, request: pytest.FixtureRequest, folder: Any) -> Place:
    """Return an empty database to speak to through *driver*."""
    if not DRIVERS[driver]:
        return Place(f"sqlite+aiosqlite:///{folder / 'shop.db'}", driver)
    url = through(request.getfixturevalue(DRIVERS[driver]), driver)
    await empty(url)
    return Place(url, driver)
