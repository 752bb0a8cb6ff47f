"""The connections on which a schema is read and changed: one for each piece of work, closed at its end.

They are apart from those of repositories, since settings of a session stay with its connection: a pooled one would
carry them to whoever has it next.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any, Final, TypeVar, assert_never

from sqlalchemy import URL, Connection
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from fastapi_easy.infrastructure.migrations.relational.failures import StatementFailed
from fastapi_easy.infrastructure.relational.driver.sockets import enable_keepalive
from fastapi_easy.infrastructure.relational.engine import make_engine
from fastapi_easy.infrastructure.relational.errors import DATABASE_ERRORS
from fastapi_easy.infrastructure.relational.options import ConnectionOptions
from fastapi_easy.infrastructure.relational.server import ServerName, server_name_of
from fastapi_easy.infrastructure.relational.sessions.sessions import sessions_of

T = TypeVar("T")

LEDGER_LOCK_TIMEOUT: Final = 5.0
"""Seconds to wait for the row that fences off other sessions."""

_LIMITS: Final = ConnectionOptions(
    connect_timeout=10.0,
    statement_timeout=0.0,
    transaction_timeout=0.0,
    lock_timeout=LEDGER_LOCK_TIMEOUT,
    busy_timeout=LEDGER_LOCK_TIMEOUT,
)
"""Statements of a migration take as long as they take; each step says its own limits."""


_AS_WRITTEN: Final = {"no_parameters": True}
"""Percent signs and colons mean themselves."""


class MigrationConnections:
    """Opens the connections.

    Args:
        url: With its driver.

        scratch: The database is thrown away at the end.
    """

    def __init__(self, url: URL, *, scratch: bool = False) -> None:
        self.url = url
        self.server: ServerName = server_name_of(url.get_backend_name())
        self._scratch = scratch
        self._engine: AsyncEngine | None = None
        self._reader: AsyncEngine | None = None

    @property
    def file(self) -> Path:
        """The file of a SQLite database, which may be named by a URI."""
        return Path((self.url.database or "").partition("?")[0].removeprefix("file:"))

    @property
    def engine(self) -> AsyncEngine:
        """The engine of connections that write; made anew after `close`."""
        if self._engine is None:
            self._engine = make_engine(self.url, _LIMITS, scratch=self._scratch)
        return self._engine

    @contextlib.asynccontextmanager
    async def open(self) -> AsyncIterator[AsyncConnection]:
        """Yield a new connection, in autocommit; whatever is not committed at the end is rolled back."""
        async with _connected(self.engine) as connection:
            yield connection

    @contextlib.asynccontextmanager
    async def open_reader(self) -> AsyncIterator[AsyncConnection]:
        """Yield a new connection that leaves a file of SQLite as it is; one that does not exist is empty."""
        if self.server != "sqlite":
            async with self.open() as connection:
                yield connection
        elif await asyncio.to_thread(self.file.is_file):
            if self._reader is None:
                self._reader = make_engine(self.url, _LIMITS, only_reads=True)
            async with _connected(self._reader) as connection:
                yield connection
        else:
            # To open it would create it.
            nothing = make_engine(
                URL.create(self.url.drivername, database=":memory:"), _LIMITS, only_reads=True
            )
            async with _connected(nothing) as connection:
                yield connection

    async def read(self, work: Callable[[Connection], T], *, shows_tables: bool = False) -> T:
        """Return what *work* answers on a connection that cannot write.

        Args:
            work: What is asked.

            shows_tables: It creates temporary tables, which servers take for writing.
        """
        async with self.open_reader() as connection:
            if self.server == "sqlite":
                # Another process may migrate meanwhile: what was seen first has to fit what is seen then.
                async with snapshot(connection, self.server):
                    return await connection.run_sync(work)
            # In a session that others get as well, the setting would be theirs too.
            if not shows_tables and not sessions_of(self.engine.sync_engine).are_shared:
                _ = await run(connection, _READ_ONLY[self.server])
            return await connection.run_sync(work)

    async def close(self) -> None:
        """Forget the engines, which keep no connections."""
        engines = (self._engine, self._reader)
        self._engine = self._reader = None
        for each in engines:
            if each is not None:
                await each.dispose()


@contextlib.asynccontextmanager
async def _connected(engine: AsyncEngine) -> AsyncIterator[AsyncConnection]:
    async with engine.connect() as connection:
        raw = await connection.get_raw_connection()
        # A statement may take hours: whether the other host is there has to be asked meanwhile.
        enable_keepalive(engine.dialect.driver, raw.driver_connection)
        yield connection


_READ_ONLY: Final[dict[ServerName, str]] = {
    "postgresql": "SET default_transaction_read_only = on",
    "mysql": "SET SESSION TRANSACTION READ ONLY",
}


_SNAPSHOTS: Final[dict[ServerName, tuple[str, ...]]] = {
    "postgresql": ("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",),
    "mysql": (
        "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ",
        "START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY",
    ),
    "sqlite": ("BEGIN",),
}


@contextlib.asynccontextmanager
async def snapshot(connection: AsyncConnection, server: ServerName) -> AsyncIterator[None]:
    """Let all that the block reads be of one moment."""
    for statement in _SNAPSHOTS[server]:
        _ = await run(connection, statement)
    try:
        yield
    except asyncio.CancelledError:
        # As in `transaction`.
        raise
    except BaseException:
        await roll_back(connection)
        raise
    _ = await run(connection, "ROLLBACK")


@contextlib.asynccontextmanager
async def transaction(connection: AsyncConnection, server: ServerName) -> AsyncIterator[None]:
    """Commit the block at its end, or roll it back when it raises."""
    # SQLite's own kind would find out at its first write only that another writer is there, and not wait for it.
    _ = await run(connection, "BEGIN IMMEDIATE" if server == "sqlite" else "BEGIN")
    try:
        yield
    except asyncio.CancelledError:
        # The connection may be in the middle of an answer; it is closed by whoever has opened it.
        raise
    except BaseException:
        await roll_back(connection)
        raise
    _ = await run(connection, "COMMIT")


async def roll_back(connection: AsyncConnection) -> None:
    """Roll back, if there is a transaction and anybody to be told: the end of a connection does it as well."""
    if not connection.invalidated:
        with contextlib.suppress(*DATABASE_ERRORS):
            _ = await run(connection, "ROLLBACK")


async def run(connection: AsyncConnection, sql: str) -> int:
    """Execute *sql* as it is written, with its percent signs and colons; return the number of rows it changed."""
    result = await connection.exec_driver_sql(sql, None, _AS_WRITTEN)
    try:
        return 0 if result.returns_rows else max(0, result.rowcount)
    finally:
        result.close()


async def run_statement(connection: AsyncConnection, sql: str) -> int:
    """Execute *sql*, a statement of a step.

    Raises:
        StatementFailed: The database has refused it, or has not answered.
    """
    try:
        return await run(connection, sql)
    except DATABASE_ERRORS as error:
        raise StatementFailed(sql, error) from error


async def fetch_value(connection: AsyncConnection, sql: str) -> Any:
    """Return the first value of the first row of what *sql* asks; `None` without a row."""
    return (await connection.exec_driver_sql(sql, None, _AS_WRITTEN)).scalar()


def limits_of(
    server: ServerName, lock_timeout: float, statement_timeout: float, *, local: bool, is_mariadb: bool
) -> tuple[str, ...]:
    """Return the statements that limit those of a step.

    Args:
        server: The kind of server.

        lock_timeout: Seconds to wait for a lock.

        statement_timeout: Seconds that a statement may take; 0 for any number.

        local: Only for the transaction that has begun, where the server knows that.

        is_mariadb: Whether it is MariaDB; MySQL limits reads alone.
    """
    match server:
        case "postgresql":
            scope = "LOCAL" if local else "SESSION"
            return (
                f"SET {scope} lock_timeout = {_milliseconds(lock_timeout)}",
                f"SET {scope} statement_timeout = {round(statement_timeout * 1000)}",
            )
        case "mysql":
            seconds = max(1, round(lock_timeout))
            limits = [f"lock_wait_timeout = {seconds}", f"innodb_lock_wait_timeout = {seconds}"]
            if is_mariadb:
                limits.append(f"max_statement_time = {statement_timeout:.3f}")
            return (f"SET SESSION {', '.join(limits)}",)
        case "sqlite":
            return (f"PRAGMA busy_timeout = {_milliseconds(lock_timeout)}",)
        case _:
            assert_never(server)


def _milliseconds(seconds: float) -> int:
    # 0 would mean for ever, on PostgreSQL.
    return max(1, round(seconds * 1000))
