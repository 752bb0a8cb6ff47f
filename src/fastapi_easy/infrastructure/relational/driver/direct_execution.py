"""Statements handed to the driver itself, past SQLAlchemy's execution, which takes half the time of a short read."""

import asyncio
import sqlite3
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from sqlalchemy import Executable
from sqlalchemy.engine import Dialect
from sqlalchemy.exc import SQLAlchemyError, StatementError

from fastapi_easy.domain import deadline
from fastapi_easy.domain.current_tenant import current_tenant
from fastapi_easy.infrastructure.relational.driver.compiled import CompiledStatement, NotCompilable
from fastapi_easy.infrastructure.relational.driver.driver_exceptions import to_sqlalchemy_error
from fastapi_easy.infrastructure.relational.driver.executor import Executor, Parameters, StatementResult
from fastapi_easy.infrastructure.relational.driver.pooled_connection import PooledConnection
from fastapi_easy.infrastructure.relational.driver.unreadable import UnexpectedDecoder, decode_text
from fastapi_easy.infrastructure.relational.options import CLIENT_TIMEOUT_MARGIN


@dataclass(frozen=True, slots=True, kw_only=True)
class DirectExecutor(Executor):
    """Runs statements on the driver's own connections.

    Statements for many rows at once, and the few that `CompiledStatement` does not support, go through SQLAlchemy.
    """

    _calls: "_DriverCalls" = field(init=False)
    _is_unlimited: bool = field(init=False)

    def __post_init__(self) -> None:
        """Look up once what every statement would ask for."""
        object.__setattr__(self, "_calls", _DRIVER_CALLS[self.engine.dialect.driver])
        is_unlimited = self.client_timeout is None and not self.is_uninterruptible
        object.__setattr__(self, "_is_unlimited", is_unlimited)

    async def run(
        self, pooled: PooledConnection, statement: Executable, parameters: Parameters
    ) -> StatementResult:
        """Run *statement* on *pooled*."""
        compiled = self._compiled(statement, parameters) if isinstance(parameters, dict) else None
        if compiled is None or not isinstance(parameters, dict):
            return await Executor.run(self, pooled, statement, parameters)
        try:
            sql, arguments = compiled.bind(parameters)
        except (ValueError, ArithmeticError) as error:
            raise StatementError("a value cannot be sent to the database", None, None, error) from error
        left = deadline.remaining_seconds()
        has_short_deadline = left is not None and left < self.statement_timeout
        if has_short_deadline:
            if self._takes_limit_in_transaction(pooled):
                return await self._run_with_deadline(pooled, statement, parameters)
            # MariaDB takes a limit as a prefix of the statement; MySQL and SQLite have none: `with_timeout` gives up.
            if getattr(self.engine.dialect, "is_mariadb", False):
                sql = f"SET STATEMENT max_statement_time = {max(_MIN_TIMEOUT, self.time_left):.3f} FOR {sql}"
        sent = self._calls.send(pooled.driver, compiled, sql, arguments)
        try:
            # Without a limit of ours the call and the timer of `with_timeout` are saved.
            is_unlimited = self._is_unlimited and not has_short_deadline
            return await (sent if is_unlimited else self.with_timeout(sent))
        except BaseException as error:
            refusal = to_sqlalchemy_error(pooled.connection, error)
            if refusal is error:
                raise
            raise refusal from error

    @property
    def takes_scripts(self) -> bool:
        """Whether it is asyncpg: the others need an option of the connection for it, or have no use for it."""
        return self.engine.dialect.driver == "asyncpg"

    async def run_command(self, pooled: PooledConnection, sql: str) -> None:
        """Run *sql*, a command that is answered with nothing."""
        try:
            await self.with_timeout(self._calls.run_command(pooled.driver, sql))
        except BaseException as error:
            refusal = to_sqlalchemy_error(pooled.connection, error)
            if refusal is error:
                raise
            raise refusal from error

    def _takes_limit_in_transaction(self, pooled: PooledConnection) -> bool:
        is_in_transaction = self._calls.is_in_transaction
        return is_in_transaction is not None and not is_in_transaction(pooled.driver)

    async def _run_with_deadline(
        self, pooled: PooledConnection, statement: Executable, parameters: Parameters
    ) -> StatementResult:
        """Run *statement* in a transaction of its own, which is where PostgreSQL takes a limit for one statement."""
        async with asyncio.timeout(self.time_left + CLIENT_TIMEOUT_MARGIN):
            await self.run_command(pooled, self.begin_sql(current_tenant()))
            try:
                answer = await DirectExecutor.run(self, pooled, statement, parameters)
            except SQLAlchemyError:
                if not pooled.connection.invalidated:
                    await self.run_command(pooled, "ROLLBACK")
                raise
            await self.run_command(pooled, "COMMIT")
        return answer

    def _compiled(self, statement: Executable, parameters: Mapping[str, object]) -> CompiledStatement | None:
        # Cached on the statement, as SQLAlchemy does with its own findings, so that both are freed together.
        kept, dialect = vars(statement), self.engine.dialect
        found: list[tuple[Dialect, CompiledStatement | None]] | None = kept.get(_CACHE_ATTRIBUTE)
        if found is None:
            found = kept[_CACHE_ATTRIBUTE] = []
        for known, compiled in found:
            if known is dialect:
                return compiled
        try:
            made = CompiledStatement(statement, dialect, list(parameters))
        except NotCompilable:
            made = None
        # Statements about tables of the system's own are those of several databases.
        found.append((dialect, made))
        del found[:-_MAX_DIALECTS]
        return made


_MAX_DIALECTS: Final = 8
"""Databases that a statement stays compiled for; the oldest is dropped."""

_MIN_TIMEOUT: Final = 0.001
"""Seconds; MariaDB takes 0 for no limit."""

_NOT_UTF8: Final = "Could not decode to UTF-8"
"""What sqlite3 says of a text that others have stored in another encoding."""

_CACHE_ATTRIBUTE: Final = "_fastapi_easy_compiled"


async def _send_asyncpg(
    driver: Any, compiled: CompiledStatement, sql: str, arguments: tuple[object, ...]
) -> StatementResult:
    if compiled.returns_rows:
        records = await driver.fetch(sql, *arguments)
        return StatementResult(records, len(records), None, compiled)
    # Like "UPDATE 3", or "INSERT 0 3".
    status = await driver.execute(sql, *arguments)
    return StatementResult((), int(status.rpartition(" ")[2]) if status[-1:].isdigit() else -1)


async def _send_aiosqlite(
    driver: Any, compiled: CompiledStatement, sql: str, arguments: tuple[object, ...]
) -> StatementResult:
    if compiled.returns_rows:
        if compiled.updates:
            # It cannot be run again, as below.
            return await _read_undecodable(driver, compiled, sql, arguments)
        try:
            records = await driver.execute_fetchall(sql, arguments)
        except sqlite3.OperationalError as error:
            if not (compiled.only_reads and _NOT_UTF8 in str(error)):
                raise
            return await _read_undecodable(driver, compiled, sql, arguments)
        return StatementResult(records, len(records), None, compiled)
    cursor = await driver.execute(sql, arguments)
    answer = StatementResult((), cursor.rowcount, compiled.key(cursor.lastrowid))
    await cursor.close()
    return answer


async def _read_undecodable(
    driver: Any, compiled: CompiledStatement, sql: str, arguments: tuple[object, ...]
) -> StatementResult:
    """Execute with place holders for texts that are no UTF-8: to look at each text is slow, and rarely needed."""
    usual, driver.text_factory = driver.text_factory, decode_text
    try:
        records = await driver.execute_fetchall(sql, arguments)
    finally:
        driver.text_factory = usual
    return StatementResult(records, len(records), None, UnexpectedDecoder(compiled))


async def _send_mysql(
    driver: Any, compiled: CompiledStatement, sql: str, arguments: tuple[object, ...]
) -> StatementResult:
    async with driver.cursor() as cursor:
        _ = await cursor.execute(sql, arguments)
        if compiled.returns_rows:
            records = await cursor.fetchall()
            return StatementResult(records, len(records), None, compiled)
        return StatementResult((), cursor.rowcount, compiled.key(cursor.lastrowid))


async def _run_on_asyncpg(driver: Any, sql: str) -> None:
    _ = await driver.execute(sql)


def _asyncpg_is_in_transaction(driver: Any) -> bool:
    return bool(driver.is_in_transaction())


async def _run_on_aiosqlite(driver: Any, sql: str) -> None:
    # This one call executes, fetches and closes; a cursor would cost two more trips to aiosqlite's thread.
    _ = await driver.execute_fetchall(sql)


async def _run_on_mysql(driver: Any, sql: str) -> None:
    async with driver.cursor() as cursor:
        _ = await cursor.execute(sql)


@dataclass(frozen=True, slots=True)
class _DriverCalls:
    """The calls of one driver.

    Attributes:
        send: Executes a statement with its arguments.

        run_command: Executes a command that is answered with nothing.

        is_in_transaction: Returns whether a connection is in a transaction, whose `begin_sql` limits its statements;
            `None` for drivers of servers without such a limit.
    """

    send: Callable[
        [Any, CompiledStatement, str, tuple[object, ...]], Coroutine[object, object, StatementResult]
    ]
    run_command: Callable[[Any, str], Coroutine[object, object, None]]
    is_in_transaction: Callable[[Any], bool] | None = None


_DRIVER_CALLS: Final[Mapping[str, _DriverCalls]] = {
    "asyncpg": _DriverCalls(_send_asyncpg, _run_on_asyncpg, _asyncpg_is_in_transaction),
    "aiosqlite": _DriverCalls(_send_aiosqlite, _run_on_aiosqlite),
    "asyncmy": _DriverCalls(_send_mysql, _run_on_mysql),
    "aiomysql": _DriverCalls(_send_mysql, _run_on_mysql),
}

DIRECT_DRIVERS: Final = frozenset(_DRIVER_CALLS)
"""The drivers with calls here; psycopg goes through SQLAlchemy."""
