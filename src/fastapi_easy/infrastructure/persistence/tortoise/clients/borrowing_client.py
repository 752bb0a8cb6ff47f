"""Tortoise's clients on connections that are lent to them, statement by statement."""

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

from fastapi_easy.infrastructure.relational.driver.driver_exceptions import refusal_of
from fastapi_easy.infrastructure.relational.driver.executor import Executor
from fastapi_easy.infrastructure.relational.errors import REFUSALS

T = TypeVar("T")

Lender: TypeAlias = Callable[[bool], AbstractAsyncContextManager[Connection]]
"""Gives a connection for one statement; is told whether that may write."""


class Borrowing:
    """Stands before one of Tortoise's clients, whose way of making statements and reading results it keeps."""

    _executor: Executor
    _lend: Lender
    _turns: asyncio.Lock | None
    _reader: Self | None
    _writes: bool

    def borrow(self, name: str, executor: Executor, lend: Lender, *, shared: bool) -> None:
        """Become a client that takes its connections from *lend*.

        Args:
            name: Unlike that of any other client, since Tortoise remembers statements by it.

            executor: Of the database.

            lend: Where connections come from.

            shared: It is always the same connection, so that tasks take turns.
        """
        self.connection_name = name
        self.log = db_client_logger
        self.fetch_inserted = True
        self._executor = executor
        self._lend = lend
        self._turns = asyncio.Lock() if shared else None
        self._reader = None
        self._writes = True

    async def create_connection(self, with_db: bool) -> None:
        """Nothing: connections are made by whoever lends them."""

    async def close(self) -> None:
        """Nothing: connections are closed by whoever lends them."""

    def acquire_connection(self) -> Any:
        """The driver's own connection, for one statement."""
        return _Loan(self._lend(self._writes), self._turns)

    async def execute_insert(self, query: str, values: list[Any]) -> Any:
        """As the client does."""
        return await self._run(_client(self).execute_insert(query, self._sent(values)))

    async def execute_many(self, query: str, values: list[list[Any]]) -> None:
        """As the client does."""
        await self._run(_client(self).execute_many(query, [self._sent(each) for each in values]))

    async def execute_query(self, query: str, values: list[Any] | None = None) -> Any:
        """As the client does."""
        return await self._run(_client(self._for(query)).execute_query(query, self._sent(values)))

    async def execute_query_dict(self, query: str, values: list[Any] | None = None) -> Any:
        """As the client does."""
        return await self._run(_client(self._for(query)).execute_query_dict(query, self._sent(values)))

    async def execute_script(self, query: str) -> None:
        """As the client does."""
        await self._run(_client(self).execute_script(query))

    def _sent(self, values: Any) -> Any:
        """*values* as the database has to get them."""
        return values

    def _for(self, query: str) -> Self:
        """The client for *query*: one that says so where nothing is written."""
        if query.lstrip()[:6].upper() != "SELECT" or not self._writes:
            return self
        if self._reader is None:
            self._reader = copy.copy(self)
            self._reader._writes = False  # noqa: SLF001 - it is the same class
        return self._reader

    async def _run(self, work: Coroutine[Any, Any, T]) -> T:
        return await self._executor.bounded(self._translated(work))

    async def _translated(self, work: Coroutine[Any, Any, T]) -> T:
        driver: Any = self._executor.engine.dialect.loaded_dbapi
        try:
            return await work
        except driver.Error as error:
            task = asyncio.current_task()
            if task is not None and task.cancelling():
                # What drivers for MySQL make of a cancellation.
                raise asyncio.CancelledError from error
            # Tortoise itself knows one driver for each database only.
            kind = IntegrityError if isinstance(error, driver.IntegrityError) else OperationalError
            raise kind(error) from error


def _client(borrowing: Borrowing) -> Any:
    """What stands behind *borrowing*: Tortoise's own methods."""
    return super(Borrowing, borrowing)


class _Loan:
    """The driver's own connection, for one statement."""

    __slots__ = ("_connection", "_driver", "_lending", "_turns")

    def __init__(self, lending: AbstractAsyncContextManager[Connection], turns: asyncio.Lock | None) -> None:
        self._lending = lending
        self._turns = turns
        self._connection: Connection
        self._driver: Any = None

    async def __aenter__(self) -> Any:
        if self._turns is not None:
            _ = await self._turns.acquire()
        try:
            self._connection = await self._lending.__aenter__()
        except BaseException as error:
            self._end_turn()
            if isinstance(error, REFUSALS):
                raise DBConnectionError(str(error)) from error
            raise
        self._driver = self._connection.connection.driver_connection
        self._read_as(sqlite3.Row)
        return self._driver

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._read_as(None)
        try:
            refusal = None if error is None else refusal_of(self._connection, error)
            if refusal is None:
                _ = await self._lending.__aexit__(None, None, None)
            else:
                _ = await self._lending.__aexit__(type(refusal), refusal, refusal.__traceback__)
        finally:
            self._end_turn()

    def _read_as(self, rows: Any) -> None:
        # Tortoise wants rows with names, everybody else plain ones.
        if self._connection.dialect.name == "sqlite":
            self._driver.row_factory = rows

    def _end_turn(self) -> None:
        if self._turns is not None:
            self._turns.release()
