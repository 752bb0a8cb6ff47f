"""Database transactions: several statements that become durable together, or not at all."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Coroutine
from typing import Final

from sqlalchemy import Connection, Executable
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from fastapi_easy.domain.current_tenant import current_tenant
from fastapi_easy.infrastructure.relational.driver.error_classification import ends_transaction
from fastapi_easy.infrastructure.relational.driver.executor import (
    Closing,
    Executor,
    Parameters,
    StatementResult,
)
from fastapi_easy.infrastructure.relational.driver.pooled_connection import PooledConnection
from fastapi_easy.infrastructure.waiting.completion import run_to_completion
from fastapi_easy.infrastructure.waiting.exclusive_use import ExclusiveUse

ROLLBACK_LIMIT: Final = 2.0
"""Seconds to wait for a rollback before its connection is thrown away."""

_SAVEPOINT: Final = "fastapi_easy"


class TransactionLost(Exception):
    """The database has rolled back the transaction by itself."""


class CommitOutcomeUnknown(Exception):
    """The connection broke while the answer to `COMMIT` was awaited."""


class Transaction:
    """A transaction, which begins with its first statement, and anew after each commit.

    For one task at a time: of two calls at once the second one raises `UnitOfWorkMisuse`.

    On SQLite there is one at a time: others wait for its end, also when it has only read so far (`BEGIN IMMEDIATE`).
    Otherwise a transaction that has read and then writes would fail whenever another one was faster. Reads without a
    transaction do not wait.

    Args:
        executor: Runs its statements.

        may_autocommit: Whether the caller commits right after the last write, so that a last write which is also the
            first statement needs no `BEGIN` and no `COMMIT` around it.

    Attributes:
        use: Entered by each call, and by callers around several that belong together.
    """

    __slots__ = (
        "_closing",
        "_executor",
        "_has_written",
        "_in_atomic_block",
        "_is_lost",
        "_may_autocommit",
        "_pooled",
        "_tenant",
        "use",
    )

    def __init__(self, executor: Executor, *, may_autocommit: bool = False) -> None:
        self._executor = executor
        # A write on a stale connection has an unknown outcome. Where the driver does not tell that the server has
        # closed it, a `BEGIN` finds out first.
        self._may_autocommit = (
            may_autocommit and executor.pool.detects_disconnects and not executor.has_row_security
        )
        self._tenant = current_tenant() if executor.has_row_security else None
        self._pooled: PooledConnection | None = None
        self._closing: Closing | None = None
        self._has_written = False
        self._is_lost = False
        self._in_atomic_block = False
        self.use = ExclusiveUse()

    @property
    def has_begun(self) -> bool:
        """Whether a transaction is open."""
        return self._pooled is not None

    def execute(
        self,
        statement: Executable,
        parameters: Parameters,
        *,
        writes: bool = False,
        last: bool = False,
    ) -> Coroutine[object, object, StatementResult]:
        """Run *statement* after everything that came before. One that fails changes nothing.

        Args:
            statement: What to run.

            parameters: Its values; several mappings run it for each.

            writes: Whether it changes something.

            last: Whether nothing follows it, if it succeeds and changes a row.

        Raises:
            TransactionLost: The transaction has ended; nothing of it is left.

            CommitOutcomeUnknown: The connection broke before the answer of this statement, the only one.
        """
        if last and self._may_autocommit and self._pooled is None and not self._is_lost:
            return self._execute_in_autocommit(statement, parameters)
        return self._execute(statement, parameters, writes=writes)

    async def _execute(
        self, statement: Executable, parameters: Parameters, *, writes: bool
    ) -> StatementResult:
        with self.use:
            pooled, has_savepoint = await self._before_statement(writes=writes)
            try:
                answer = await self._executor.run(pooled, statement, parameters)
            except SQLAlchemyError as error:
                await self._recover(pooled, error, has_savepoint=has_savepoint)
                raise
            except (OSError, asyncio.CancelledError) as error:
                self._abandon_connection(error)
                raise
            await self._after_statement(pooled, writes=writes, has_savepoint=has_savepoint)
            return answer

    @contextlib.asynccontextmanager
    async def lend_connection(self, *, writes: bool) -> AsyncIterator[Connection]:
        """Lend the connection for one statement that the caller runs on it.

        As in `execute`, one that fails changes nothing, provided that it fails with an exception of SQLAlchemy's.

        Args:
            writes: Whether the statement may change something.

        Raises:
            TransactionLost: The transaction has ended; nothing of it is left.
        """
        with self.use:
            pooled, has_savepoint = await self._before_statement(writes=writes)
            try:
                yield pooled.connection
            except SQLAlchemyError as error:
                await self._recover(pooled, error, has_savepoint=has_savepoint)
                raise
            except BaseException as error:
                self._abandon_connection(error)
                raise
            await self._after_statement(pooled, writes=writes, has_savepoint=has_savepoint)

    async def run_savepoint_command(self, sql: str) -> None:
        """Run *sql*, which sets, releases or rolls back to a savepoint of the caller's.

        Raises:
            TransactionLost: The transaction has ended; nothing of it is left.
        """
        with self.use:
            await self._run_command(await self._ensure_begun(), sql)
            # After a failure the transaction must not be restarted: the savepoint would be gone.
            self._has_written = True

    @contextlib.asynccontextmanager
    async def atomic(self) -> AsyncIterator[None]:
        """Undo what is done inside of the block when an exception leaves it; one in another is a part of that one."""
        with self.use:
            if self._in_atomic_block:
                yield
                return
            keeps = self._has_written
            pooled = await self._ensure_begun()
            if keeps:
                await self._run_command(pooled, f"SAVEPOINT {_SAVEPOINT}")
            self._in_atomic_block = True
            try:
                yield
            except Exception:
                if self._pooled is not None and not keeps and not self._executor.is_in_transaction(pooled):
                    # Ended by the database's own code; nothing is lost but what this block has done.
                    self._is_lost = False
                if self._pooled is not None and not self._is_lost:
                    if keeps:
                        await self._run_command(pooled, f"ROLLBACK TO SAVEPOINT {_SAVEPOINT}")
                    else:
                        await self._restart(pooled)
                raise
            finally:
                self._in_atomic_block = False
            if keeps and self._pooled is not None:
                await self._run_command(pooled, f"RELEASE SAVEPOINT {_SAVEPOINT}")

    def close_with(self, closing: Closing) -> bool:
        """Send *closing* together with the next `COMMIT`, or before the next statement; return whether that can be."""
        if self._pooled is None or self._closing is not None or not self._executor.takes_scripts:
            return False
        self._closing = closing
        return True

    async def commit(self) -> None:
        """Make everything durable; the next statement begins a new transaction.

        Raises:
            TransactionLost: Nothing is left to be made durable.

            CommitOutcomeUnknown: The connection broke before the answer.
        """
        with self.use:
            await self._commit()

    async def rollback(self) -> None:
        """Discard what was not committed and give the connection back; the next statement begins a new transaction."""
        with self.use:
            await self._discard()

    async def close(self) -> None:
        """Roll back what was not committed and give the connection back, also when the task is cancelled.

        Waits for a call of another task; every further one raises `UnitOfWorkMisuse`.
        """
        # Its statement is on the connection, which is in no state to be given back before that has ended.
        await self.use.end_with(self._discard)

    async def _commit(self) -> None:
        if self._is_lost:
            raise TransactionLost
        pooled = self._pooled
        if pooled is None:
            return
        closing, self._closing = self._closing, None
        try:
            if closing is None or not await closing.commit(self._executor, pooled):
                await self._executor.run_command(pooled, "COMMIT")
        except DBAPIError as error:
            if self._pooled is None:
                # The connection is given up already.
                raise
            if error.connection_invalidated:
                self._abandon_connection(error)
                raise CommitOutcomeUnknown from error
            # A commit that is refused, by a deferred constraint say, is a rollback.
            await self._restart(pooled)
            self._has_written = False
            raise
        except OSError as error:
            self._abandon_connection(error)
            raise CommitOutcomeUnknown from error
        except asyncio.CancelledError:
            self._abandon_connection()
            raise
        self._pooled = None
        self._has_written = False
        self._executor.pool.check_in(pooled)

    async def _discard(self) -> None:
        pooled, self._pooled = self._pooled, None
        self._closing = None
        self._has_written = self._is_lost = False
        if pooled is not None:
            # An open transaction in the pool would hold its locks and leak into the next borrower's work.
            await run_to_completion(self._roll_back(pooled))

    async def _execute_in_autocommit(self, statement: Executable, parameters: Parameters) -> StatementResult:
        executor = self._executor
        pool = executor.pool
        pooled = pool.check_out_to_write_now() or await pool.check_out_to_write()
        if executor.sessions.are_shared:
            # Its limits travel with a transaction.
            pool.check_in(pooled)
            return await self._execute(statement, parameters, writes=True)
        try:
            answer = await executor.run(pooled, statement, parameters)
        except BaseException as error:
            executor.release_after(pooled, error)
            if isinstance(error, OSError) or (isinstance(error, DBAPIError) and error.connection_invalidated):
                raise CommitOutcomeUnknown from error
            raise
        executor.pool.check_in(pooled, single=True)
        return answer

    async def _before_statement(self, *, writes: bool) -> tuple[PooledConnection, bool]:
        """Begin if necessary; return the connection, and whether a savepoint guards what came before."""
        has_savepoint = (
            writes and self._executor.aborts_on_error and self._has_written and not self._in_atomic_block
        )
        pooled = await self._ensure_begun()
        if has_savepoint:
            await self._run_command(pooled, f"SAVEPOINT {_SAVEPOINT}")
        return pooled, has_savepoint

    async def _after_statement(self, pooled: PooledConnection, *, writes: bool, has_savepoint: bool) -> None:
        if has_savepoint:
            await self._run_command(pooled, f"RELEASE SAVEPOINT {_SAVEPOINT}")
        self._has_written = self._has_written or writes

    async def _ensure_begun(self) -> PooledConnection:
        if self._is_lost:
            raise TransactionLost
        if self._closing is not None:
            closing, self._closing = self._closing, None
            await closing.run()
        if self._pooled is None:
            try:
                return await self._begin()
            except DBAPIError as error:
                if not error.connection_invalidated:
                    raise
            # The connection was stale: the server had closed it, or was restarted. Nothing is lost by a second try.
            return await self._begin()
        return self._pooled

    async def _begin(self) -> PooledConnection:
        pooled = await self._executor.pool.check_out_to_write()
        try:
            await self._executor.run_command(pooled, self._executor.begin_sql(self._tenant))
        except asyncio.CancelledError:
            # The thread of SQLite goes on: the transaction has begun all the same.
            self._pooled = pooled
            self._abandon_connection()
            raise
        except BaseException as error:
            self._executor.release_after(pooled, error)
            raise
        self._pooled = pooled
        return pooled

    async def _recover(
        self, pooled: PooledConnection, error: SQLAlchemyError, *, has_savepoint: bool
    ) -> None:
        """Return to the state before the statement that failed, or mark the transaction as lost."""
        if self._pooled is None:
            return
        classified = self._executor.note_failure(error)
        if pooled.connection.invalidated:
            self._abandon_connection(error)
        elif (
            classified is not None and ends_transaction(classified)
        ) or not self._executor.is_in_transaction(pooled):
            self._is_lost = True
        elif self._executor.aborts_on_error and not self._in_atomic_block:
            if has_savepoint:
                await self._run_command(pooled, f"ROLLBACK TO SAVEPOINT {_SAVEPOINT}")
            elif self._has_written:
                self._is_lost = True
            else:
                await self._restart(pooled)

    async def _restart(self, pooled: PooledConnection) -> None:
        # Nothing was written yet: a new transaction, which the next statement begins, is as good as this one.
        self._pooled = None
        if not self._executor.is_in_transaction(pooled):
            self._executor.pool.check_in(pooled)
            return
        try:
            await self._executor.run_command(pooled, "ROLLBACK")
        except BaseException as error:
            self._executor.pool.discard(pooled, error)
            if not isinstance(error, SQLAlchemyError | OSError):
                raise
        else:
            self._executor.pool.check_in(pooled)

    async def _run_command(self, pooled: PooledConnection, sql: str) -> None:
        try:
            await self._executor.run_command(pooled, sql)
        except (SQLAlchemyError, OSError, asyncio.CancelledError) as error:
            self._abandon_connection(error)
            raise

    async def _roll_back(self, pooled: PooledConnection) -> None:
        pool = self._executor.pool
        if pooled.connection.invalidated:
            pool.discard(pooled)
            return
        if not self._executor.is_in_transaction(pooled):
            pool.check_in(pooled)
            return
        try:
            async with asyncio.timeout(ROLLBACK_LIMIT):
                await self._executor.run_command(pooled, "ROLLBACK")
        except (SQLAlchemyError, OSError) as error:
            # No answer, or a server that knows no transaction here: the state of the connection is unknown.
            pool.discard(pooled, error)
        else:
            pool.check_in(pooled)

    def _abandon_connection(self, error: BaseException | None = None) -> None:
        """Give up the connection, whose state is unknown: an answer that nobody waits for may still come."""
        self._is_lost = True
        if isinstance(error, DBAPIError) and error.connection_invalidated:
            self._executor.pool.expire_connections()
        elif self._executor.is_uninterruptible:
            return
        pooled, self._pooled = self._pooled, None
        if pooled is not None:
            self._executor.pool.discard(pooled, error)
