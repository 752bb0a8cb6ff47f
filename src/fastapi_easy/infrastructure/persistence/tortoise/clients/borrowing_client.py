"""Tortoise's database clients on connections of our pool, borrowed for each statement."""

import asyncio
import copy
import sqlite3
from collections.abc import Callable, Coroutine
from contextlib import AbstractAsyncContextManager
from types import TracebackType
from typing import Any, Self, TypeAlias, TypeVar

from sqlalchemy import Connection
from tortoise.exceptions import DBConnectionError, IntegrityError, OperationalError
from tortoise.log import db_client_logger

from fastapi_easy.infrastructure.relational.driver.driver_exceptions import to_sqlalchemy_error
from fastapi_easy.infrastructure.relational.driver.executor import Executor
from fastapi_easy.infrastructure.relational.errors import DATABASE_ERRORS

T = TypeVar("T")

ConnectionSource: TypeAlias = Callable[[bool], AbstractAsyncContextManager[Connection]]
"""Lends a connection for one statement; the argument tells whether that may write."""


class BorrowingClientMixin:
    """A mixin for one of Tortoise's clients, which keeps how that makes statements and reads results."""

    _executor: Executor
    _source: ConnectionSource
    _shared_lock: asyncio.Lock | None
    _reader: Self | None
    _writes: bool

    def use_connections_from(
        self, name: str, executor: Executor, lend: ConnectionSource, *, shared: bool
    ) -> None:
        """Become a client that takes its connections from *lend*.

        Args:
            name: Unlike that of any other client, since Tortoise remembers statements by it.

            executor: Of the database.

            lend: Where connections come from.

            shared: Whether it is always the same connection, so that tasks have to take turns.
        """
        self.connection_name = name
        self.log = db_client_logger
        self.fetch_inserted = True
        self._executor = executor
        self._source = lend
        self._shared_lock = asyncio.Lock() if shared else None
        self._reader = None
        self._writes = True

    async def create_connection(self, with_db: bool) -> None:
        """Do nothing: connections are opened by the pool."""

    async def close(self) -> None:
        """Do nothing: connections are closed by the pool."""

    def acquire_connection(self) -> Any:
        """Return a context manager for the driver's own connection, for one statement."""
        return _BorrowedConnection(self._source(self._writes), self._shared_lock)

    async def execute_insert(self, query: str, values: list[Any]) -> Any:
        """Execute an `INSERT` as Tortoise's client does, and return the key."""
        return await self._run(_tortoise_client(self).execute_insert(query, self._encode_values(values)))

    async def execute_many(self, query: str, values: list[list[Any]]) -> None:
        """Execute *query* for each of *values* as Tortoise's client does."""
        await self._run(
            _tortoise_client(self).execute_many(query, [self._encode_values(each) for each in values])
        )

    async def execute_query(self, query: str, values: list[Any] | None = None) -> Any:
        """Execute *query* as Tortoise's client does, and return the number of rows and the rows."""
        return await self._run(
            _tortoise_client(self._client_for(query)).execute_query(query, self._encode_values(values))
        )

    async def execute_query_dict(self, query: str, values: list[Any] | None = None) -> Any:
        """Execute *query* as Tortoise's client does, and return the rows as dictionaries."""
        return await self._run(
            _tortoise_client(self._client_for(query)).execute_query_dict(query, self._encode_values(values))
        )

    async def execute_script(self, query: str) -> None:
        """Execute several statements as Tortoise's client does."""
        await self._run(_tortoise_client(self).execute_script(query))

    def _encode_values(self, values: Any) -> Any:
        """Return *values* as the database needs them."""
        return values

    def _client_for(self, query: str) -> Self:
        """Return the client for *query*: for a `SELECT` one whose connections are not marked as writing."""
        if query.lstrip()[:6].upper() != "SELECT" or not self._writes:
            return self
        if self._reader is None:
            self._reader = copy.copy(self)
            self._reader._writes = False  # noqa: SLF001 - it is the same class
        return self._reader

    async def _run(self, work: Coroutine[object, object, T]) -> T:
        return await self._executor.with_timeout(self._translated(work))

    async def _translated(self, work: Coroutine[object, object, T]) -> T:
        driver: Any = self._executor.engine.dialect.loaded_dbapi
        try:
            return await work
        except driver.Error as error:
            task = asyncio.current_task()
            if task is not None and task.cancelling():
                # Drivers for MySQL turn a cancellation into an error of their own.
                raise asyncio.CancelledError from error
            # Tortoise itself translates the errors of one driver for each database only.
            kind = IntegrityError if isinstance(error, driver.IntegrityError) else OperationalError
            raise kind(error) from error


def _tortoise_client(borrowing: BorrowingClientMixin) -> Any:
    """Return Tortoise's own methods, which *borrowing* overrides."""
    return super(BorrowingClientMixin, borrowing)


class _BorrowedConnection:
    """The driver's own connection, for one statement."""

    __slots__ = ("_connection", "_context", "_driver", "_shared_lock")

    def __init__(self, lending: AbstractAsyncContextManager[Connection], turns: asyncio.Lock | None) -> None:
        self._context = lending
        self._shared_lock = turns
        self._connection: Connection
        self._driver: Any = None

    async def __aenter__(self) -> Any:
        if self._shared_lock is not None:
            _ = await self._shared_lock.acquire()
        try:
            self._connection = await self._context.__aenter__()
        except BaseException as error:
            self._unlock()
            if isinstance(error, DATABASE_ERRORS):
                raise DBConnectionError(str(error)) from error
            raise
        self._driver = self._connection.connection.driver_connection
        self._set_row_factory(sqlite3.Row)
        return self._driver

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._set_row_factory(None)
        try:
            refusal = None if error is None else to_sqlalchemy_error(self._connection, error)
            if refusal is None:
                _ = await self._context.__aexit__(None, None, None)
            else:
                _ = await self._context.__aexit__(type(refusal), refusal, refusal.__traceback__)
        finally:
            self._unlock()

    def _set_row_factory(self, rows: Any) -> None:
        # Tortoise wants rows with names, everybody else plain ones.
        if self._connection.dialect.name == "sqlite":
            self._driver.row_factory = rows

    def _unlock(self) -> None:
        if self._shared_lock is not None:
            self._shared_lock.release()
