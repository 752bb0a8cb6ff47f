"""How statements reach the database.

The seam: what is above hands over a statement and its values and gets plain rows back. A way around
SQLAlchemy's execution needs another `Executor` and nothing else.
"""

import asyncio
import contextlib
import math
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final, NamedTuple, Protocol, TypeAlias, TypeVar

from sqlalchemy import Connection, Engine, Executable
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from fastapi_easy.domain import deadline
from fastapi_easy.infrastructure.relational.driver.driver_exceptions import to_sqlalchemy_error
from fastapi_easy.infrastructure.relational.driver.error_classification import is_stale_statement
from fastapi_easy.infrastructure.relational.driver.pool import ConnectionPool
from fastapi_easy.infrastructure.relational.driver.pooled_connection import PooledConnection
from fastapi_easy.infrastructure.relational.options import CLIENT_TIMEOUT_MARGIN
from fastapi_easy.infrastructure.relational.sqlalchemy_internals import greenlet_spawn
from fastapi_easy.infrastructure.waiting.completion import run_to_completion

Parameters: TypeAlias = Mapping[str, object] | Sequence[Mapping[str, object]]
"""The values of a statement by parameter, or those of each row it is run for."""

Record: TypeAlias = Sequence[Any]
"""The values of one row, in the order of the statement's columns."""

T = TypeVar("T")


class ResultDecoder(Protocol):
    """Knows what the values of an answer are to become."""

    @property
    def texts(self) -> Mapping[int, Callable[[str], Any]]:
        """The places of values that the driver gives as the server spells them, and what reads each."""
        ...

    def rows(self, records: Sequence[Record], *, keeps_texts: bool = False) -> Sequence[Record]:
        """Decode *records* to values of the types that were declared.

        Args:
            records: As the driver gave them.

            keeps_texts: What is in `texts` stays text.
        """
        ...


class StatementResult(NamedTuple):
    """What a statement gave back.

    Attributes:
        records: Plain rows, in the order of the statement's columns, as the driver gave them.

        affected: How many rows it reached, for a write.

        key: The key the database made, for an insert that cannot return rows.

        decoder: What the values are to become; `None` when that was seen to.
    """

    records: Sequence[Record]
    affected: int = -1
    key: tuple[Any, ...] | None = None
    decoder: ResultDecoder | None = None

    @property
    def rows(self) -> Sequence[Record]:
        """Decoded rows, in the order of the statement's columns.

        Each access decodes all of them anew: ask `records` whether there are any.
        """
        return self.records if self.decoder is None else self.decoder.rows(self.records)

    @property
    def texts(self) -> Mapping[int, Callable[[str], Any]]:
        """The places of the values that `undecoded_rows` leaves as texts, and what reads each."""
        return _NONE if self.decoder is None else self.decoder.texts

    @property
    def undecoded_rows(self) -> Sequence[Record]:
        """As `rows`, but without reading `texts`."""
        return self.records if self.decoder is None else self.decoder.rows(self.records, keeps_texts=True)


_NONE: Final[Mapping[int, Callable[[str], Any]]] = MappingProxyType({})


@dataclass(frozen=True, slots=True, kw_only=True)
class Executor:
    """Runs statements through SQLAlchemy Core.

    Attributes:
        engine: In autocommit.

        pool: Its connections.

        client_timeout: Seconds after which the client gives up on a statement; `None` where the driver sees to it.

        aborts_on_error: A statement that fails makes the rest of its transaction fail.

        is_uninterruptible: A statement cannot be given up once it has begun, as on SQLite, whose work is done in a
            thread here; a cancelled call waits for its end.

        statement_timeout: When the caller has fewer seconds left than this, the usual limits of statements are too
            long.
    """

    engine: Engine
    pool: ConnectionPool
    client_timeout: float | None
    aborts_on_error: bool
    is_uninterruptible: bool
    statement_timeout: float = -math.inf

    @property
    def begin_sql(self) -> str:
        """The words that begin a transaction."""
        match self.engine.dialect.name:
            case "sqlite":
                return "BEGIN IMMEDIATE"
            case "postgresql" if self.engine.dialect.driver == "asyncpg" and self.has_short_deadline:
                # The server's own limit leaves the connection in one piece.
                return f"BEGIN; SET LOCAL statement_timeout = {max(1, round(self.time_left * 1000))}"
            case _:
                return "BEGIN"

    @property
    def time_left(self) -> float:
        """Seconds that a statement may take, of a caller who hurries."""
        return deadline.within(self.statement_timeout)

    @property
    def has_short_deadline(self) -> bool:
        """Whether the caller has less time left than statements usually have."""
        time_left = deadline.remaining_seconds()
        return time_left is not None and time_left < self.statement_timeout

    async def read(self, statement: Executable, parameters: Parameters) -> StatementResult:
        """Run *statement*, which only reads, on a connection of its own; tried again once if that was stale."""
        is_stale = False
        while True:
            pooled = await self.pool.check_out()
            try:
                answer = await self.run(pooled, statement, parameters)
            except BaseException as error:
                self.release_after(pooled, error)
                if is_stale or not (isinstance(error, DBAPIError) and _may_be_stale(error)):
                    raise
                is_stale = True
            else:
                self.pool.check_in(pooled, single=True)
                return answer

    async def ping(self) -> None:
        """Check that the database answers, ahead of all who wait and past the circuit breaker."""
        pooled = await self.pool.check_out_first()
        try:
            await self.run_command(pooled, "SELECT 1")
        except BaseException as error:
            self.release_after(pooled, error)
            raise
        self.pool.check_in(pooled)

    async def run(
        self, pooled: PooledConnection, statement: Executable, parameters: Parameters
    ) -> StatementResult:
        """Run *statement* on *pooled*."""
        try:
            return await self.run_in_greenlet(_run, pooled.connection, statement, parameters)
        except OverflowError as error:
            raise to_sqlalchemy_error(pooled.connection, error) from error

    async def run_command(self, pooled: PooledConnection, sql: str) -> None:
        """Run *sql*, a command that is answered with nothing."""
        _ = await self.run_in_greenlet(pooled.connection.exec_driver_sql, sql)

    @contextlib.asynccontextmanager
    async def lend_connection(self) -> AsyncIterator[Connection]:
        """Lend a connection for one statement that the caller runs on it."""
        pooled = await self.pool.check_out()
        try:
            yield pooled.connection
        except BaseException as error:
            self.release_after(pooled, error)
            raise
        self.pool.check_in(pooled)

    async def run_sync(self, function: Callable[[Connection], T]) -> T:
        """Call *function* with a connection of its own, through SQLAlchemy, and return its result."""
        async with self.lend_connection() as connection:
            return await self.run_in_greenlet(function, connection)

    def release_after(self, pooled: PooledConnection, error: BaseException) -> None:
        """Give *pooled* back if it can still be used after *error*."""
        if isinstance(error, DBAPIError) and error.connection_invalidated:
            self.pool.expire_connections()
            self.pool.discard(pooled, error)
        elif isinstance(error, SQLAlchemyError) or self.is_uninterruptible:
            self.pool.check_in(pooled)
        else:
            # The answer that nobody waits for may still come.
            self.pool.discard(pooled, error)

    async def run_in_greenlet(self, function: Callable[..., T], /, *arguments: object) -> T:
        """Call *function*, which talks to the database, within the time a statement may take."""
        return await self.with_timeout(greenlet_spawn(function, *arguments))

    async def with_timeout(self, work: Coroutine[object, object, T]) -> T:
        """Wait for *work*, which talks to the database, within the time a statement may take."""
        if self.is_uninterruptible:
            # A half-read cursor would keep the lock on the file, even though its connection was closed.
            return await run_to_completion(work)
        client_timeout = self.client_timeout
        if self.has_short_deadline:
            client_timeout = self.time_left + CLIENT_TIMEOUT_MARGIN
        if client_timeout is None:
            return await work
        async with asyncio.timeout(client_timeout):
            return await work


def _may_be_stale(error: DBAPIError) -> bool:
    return error.connection_invalidated or is_stale_statement(error)


def _run(connection: Connection, statement: Executable, parameters: Any) -> StatementResult:
    result = connection.execute(statement, parameters)
    if result.returns_rows:
        rows = result.all()
        return StatementResult(rows, len(rows))
    affected = result.rowcount
    if result.context.isinsert and not result.context.executemany:
        made = result.inserted_primary_key
        return StatementResult((), affected, None if made is None else tuple(made))
    return StatementResult((), affected)
