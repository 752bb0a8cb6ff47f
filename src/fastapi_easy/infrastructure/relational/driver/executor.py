"""How statements reach the database.

Everything above hands over a statement with its values, and gets plain rows back. A way around SQLAlchemy's
execution, such as `direct_execution`, is another `Executor` and changes nothing else.
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
from fastapi_easy.domain.current_tenant import current_tenant
from fastapi_easy.domain.principal import Tenant
from fastapi_easy.infrastructure.relational.driver.driver_exceptions import to_sqlalchemy_error
from fastapi_easy.infrastructure.relational.driver.error_classification import is_stale_statement
from fastapi_easy.infrastructure.relational.driver.pool import ConnectionPool
from fastapi_easy.infrastructure.relational.driver.pooled_connection import PooledConnection
from fastapi_easy.infrastructure.relational.options import CLIENT_TIMEOUT_MARGIN
from fastapi_easy.infrastructure.relational.row_security.setting import set_tenant
from fastapi_easy.infrastructure.relational.sqlalchemy_internals import greenlet_spawn
from fastapi_easy.infrastructure.waiting.completion import run_to_completion

Parameters: TypeAlias = Mapping[str, object] | Sequence[Mapping[str, object]]
"""The values of a statement by parameter, or those of each row it is run for."""

Record: TypeAlias = Sequence[Any]
"""The values of one row, in the order of the statement's columns."""

T = TypeVar("T")


class ResultDecoder(Protocol):
    """Decodes the values of an answer."""

    @property
    def texts(self) -> Mapping[int, Callable[[str], Any]]:
        """What parses the values that the driver leaves as text, by their places in a row."""
        ...

    def rows(self, records: Sequence[Record], *, keeps_texts: bool = False) -> Sequence[Record]:
        """Decode *records* to values of the types that were declared.

        Args:
            records: As the driver gave them.

            keeps_texts: Whether values in `texts` stay text, for callers that pass most of them on.
        """
        ...


class StatementResult(NamedTuple):
    """The answer to a statement.

    Attributes:
        records: Rows as the driver gave them, in the order of the statement's columns.

        affected: The number of rows that a write has changed; -1 where the driver does not say.

        key: The key that the database has generated, for an insert that cannot return rows.

        decoder: Decodes *records*; `None` when their values are decoded already.
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
        """What parses the values that `undecoded_rows` leaves as text, by their places in a row."""
        return _NO_TEXTS if self.decoder is None else self.decoder.texts

    @property
    def undecoded_rows(self) -> Sequence[Record]:
        """As `rows`, but with values in `texts` left as text."""
        return self.records if self.decoder is None else self.decoder.rows(self.records, keeps_texts=True)


class Closing(Protocol):
    """The last statement of a transaction, which travels together with its `COMMIT`."""

    async def commit(self, executor: "Executor", pooled: PooledConnection, /) -> bool:
        """Run the statement and commit in one round trip; return whether the transaction is committed.

        If it is not, the statement was made otherwise, and `COMMIT` is still to be sent.
        """
        ...

    async def run(self) -> None:
        """Run the statement alone: something else follows it after all."""
        ...


_NO_TEXTS: Final[Mapping[int, Callable[[str], Any]]] = MappingProxyType({})


@dataclass(frozen=True, slots=True, kw_only=True)
class Executor:
    """Runs statements through SQLAlchemy Core.

    Attributes:
        engine: In autocommit.

        pool: Lends connections of *engine*.

        client_timeout: Seconds after which the client gives up on a statement; `None` where the driver does so.

        aborts_on_error: Whether a statement that fails makes the rest of its transaction fail, as on PostgreSQL.

        is_uninterruptible: Whether a statement runs to its end once it has begun, as on SQLite, which works in a
            thread; a cancelled call waits for it.

        statement_timeout: The usual limit of a statement in seconds; a caller with less time left gets a limit of
            its own.

        has_row_security: Whether the server has to be told for which tenant a statement is.
    """

    engine: Engine
    pool: ConnectionPool
    client_timeout: float | None
    aborts_on_error: bool
    is_uninterruptible: bool
    statement_timeout: float = -math.inf
    has_row_security: bool = False

    def begin_sql(self, tenant: Tenant | None) -> str:
        """Return the command that begins a transaction for *tenant*, in one round trip."""
        match self.engine.dialect.name:
            case "sqlite":
                # Takes the lock of the writer now: a transaction that has read and then writes could be refused.
                return "BEGIN IMMEDIATE"
            case "postgresql" if self.engine.dialect.driver == "asyncpg" and self.has_short_deadline:
                # A limit of the server's leaves the connection usable, which one of the client's does not.
                command = f"BEGIN; SET LOCAL statement_timeout = {max(1, round(self.time_left * 1000))}"
            case _:
                command = "BEGIN"
        return f"{command}; {set_tenant(tenant)}" if self.has_row_security else command

    @property
    def time_left(self) -> float:
        """Seconds that a statement may take: the usual limit, or what is left until the caller's deadline."""
        return deadline.within(self.statement_timeout)

    @property
    def has_short_deadline(self) -> bool:
        """Whether less time is left until the caller's deadline than the usual limit of a statement."""
        time_left = deadline.remaining_seconds()
        return time_left is not None and time_left < self.statement_timeout

    @property
    def takes_scripts(self) -> bool:
        """Whether `run_command` may be given several commands at once, separated by semicolons."""
        return False

    def is_in_transaction(self, pooled: PooledConnection) -> bool:
        """Return whether a transaction begun on *pooled* is still open: on SQLite, `RAISE(ROLLBACK)` ends it."""
        return not self.is_uninterruptible or bool(pooled.driver.in_transaction)

    async def read(self, statement: Executable, parameters: Parameters) -> StatementResult:
        """Run *statement*, which only reads, on a connection of its own; tried again once if that was stale."""
        is_stale = False
        while True:
            pooled = self.pool.check_out_now() or await self.pool.check_out()
            try:
                if self.has_row_security:
                    answer = await self.run_alone(pooled, statement, parameters)
                else:
                    answer = await self.run(pooled, statement, parameters)
            except BaseException as error:
                self.release_after(pooled, error)
                # A read can be repeated: the server may have closed the connection since its last use, or a prepared
                # statement may be older than the table.
                if is_stale or not (isinstance(error, DBAPIError) and _may_be_stale(error)):
                    raise
                is_stale = True
            else:
                self.pool.check_in(pooled, single=True)
                return answer

    async def ping(self, question: str) -> object:
        """Return what the database answers to *question*, ahead of all who wait and past the circuit breaker."""
        pooled = await self.pool.check_out_first()
        try:
            answer = await self.run_in_greenlet(
                lambda: pooled.connection.exec_driver_sql(question).scalar_one()
            )
        except BaseException as error:
            self.release_after(pooled, error)
            raise
        self.pool.check_in(pooled)
        return answer

    async def run(
        self, pooled: PooledConnection, statement: Executable, parameters: Parameters
    ) -> StatementResult:
        """Run *statement* on *pooled*."""
        try:
            return await self.run_in_greenlet(_run, pooled.connection, statement, parameters)
        except OverflowError as error:
            # What sqlite3 raises for an integer of more than 64 bits; SQLAlchemy lets it through unwrapped.
            raise to_sqlalchemy_error(pooled.connection, error) from error

    async def run_alone(
        self, pooled: PooledConnection, statement: Executable, parameters: Parameters
    ) -> StatementResult:
        """Run *statement* on *pooled*, which is in no transaction, for the current tenant."""
        # What a transaction is told ends with it, so that a connection in the pool belongs to no tenant.
        await self.run_command(pooled, self.begin_sql(current_tenant()))
        try:
            answer = await self.run(pooled, statement, parameters)
        except SQLAlchemyError:
            if not pooled.connection.invalidated:
                await self.run_command(pooled, "ROLLBACK")
            raise
        await self.run_command(pooled, "COMMIT")
        return answer

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
            # Cancelled, or timed out: the next borrower would read the answer that is still to come.
            self.pool.discard(pooled, error)

    async def run_in_greenlet(self, function: Callable[..., T], /, *arguments: object) -> T:
        """Call *function*, which talks to the database, within the time a statement may take."""
        return await self.with_timeout(greenlet_spawn(function, *arguments))

    async def with_timeout(self, work: Coroutine[object, object, T]) -> T:
        """Wait for *work*, which talks to the database, within the time a statement may take."""
        if self.is_uninterruptible:
            # A cursor that is left half-read keeps the lock on the file, even when its connection is closed.
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
