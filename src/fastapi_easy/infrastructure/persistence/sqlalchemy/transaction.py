"""Several statements that become durable together, or not at all."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Final

from sqlalchemy import Connection, Engine, Executable
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.util import greenlet_spawn

from fastapi_easy.infrastructure.persistence.sqlalchemy.complaints import complaint_of, undoes_all
from fastapi_easy.infrastructure.persistence.sqlalchemy.executor import (
    Answer,
    Executor,
    Parameters,
    throw_away,
)
from fastapi_easy.infrastructure.waiting import to_the_end

ROLLBACK_LIMIT: Final = 2.0
"""Seconds to wait for a rollback before its connection is thrown away."""

_SAVEPOINT: Final = "fastapi_easy"


class TransactionLost(Exception):
    """The database has ended the transaction by itself, with everything that was written in it."""


class CommitLost(Exception):
    """The connection broke while the answer to `COMMIT` was awaited."""


class Transaction:
    """One transaction after the other, on one connection at a time. Belongs to one task."""

    __slots__ = ("_connection", "_executor", "_grouped", "_lost", "_wrote")

    def __init__(self, executor: Executor) -> None:
        self._executor = executor
        self._connection: Connection | None = None
        self._wrote = False
        self._lost = False
        self._grouped = False

    async def execute(
        self, statement: Executable, parameters: Parameters, *, writes: bool = False, locks: bool = False
    ) -> Answer:
        """Run *statement* after everything that came before. One that fails leaves no trace.

        Args:
            statement: What to run.

            parameters: Its values; several mappings run it for each.

            writes: It changes something.

            locks: It is the first half of a change.

        Raises:
            TransactionLost: The transaction has ended; nothing of it is left.
        """
        connection, guarded = await self._enter(writes=writes, locks=locks)
        try:
            answer = await self._executor.run(connection, statement, parameters)
        except SQLAlchemyError as error:
            await self._recover(connection, error, guarded=guarded)
            raise
        except (OSError, asyncio.CancelledError):
            self._give_up()
            raise
        await self._leave(connection, writes=writes, guarded=guarded)
        return answer

    @contextlib.asynccontextmanager
    async def lent(self, *, writes: bool) -> AsyncIterator[Connection]:
        """The connection, for one statement that somebody else runs on it.

        As in `execute`, one that fails leaves no trace, provided that it fails with what SQLAlchemy raises.

        Args:
            writes: The statement may change something.

        Raises:
            TransactionLost: The transaction has ended; nothing of it is left.
        """
        connection, guarded = await self._enter(writes=writes, locks=False)
        try:
            yield connection
        except SQLAlchemyError as error:
            await self._recover(connection, error, guarded=guarded)
            raise
        except BaseException:
            self._give_up()
            raise
        await self._leave(connection, writes=writes, guarded=guarded)

    async def tell(self, words: str) -> None:
        """Say *words*, which are about a savepoint of somebody else's.

        Raises:
            TransactionLost: The transaction has ended; nothing of it is left.
        """
        await self._say(await self._begun(eager=True), words)
        # What follows is not to begin anew after a failure: the savepoint would be gone.
        self._wrote = True

    @contextlib.asynccontextmanager
    async def atomic(self) -> AsyncIterator[None]:
        """What is done inside leaves no trace when it is left by an exception."""
        keeps = self._wrote
        connection = await self._begun(eager=True)
        if keeps:
            await self._say(connection, f"SAVEPOINT {_SAVEPOINT}")
        self._grouped = True
        try:
            yield
        except Exception:
            if self._connection is not None and not self._lost:
                if keeps:
                    await self._say(connection, f"ROLLBACK TO SAVEPOINT {_SAVEPOINT}")
                else:
                    await self._start_over(connection)
            raise
        finally:
            self._grouped = False
        if keeps and self._connection is not None:
            await self._say(connection, f"RELEASE SAVEPOINT {_SAVEPOINT}")

    async def commit(self) -> None:
        """Make everything durable; what follows begins anew.

        Raises:
            TransactionLost: Nothing is left to be made durable.

            CommitLost: Nobody knows.
        """
        if self._lost:
            raise TransactionLost
        connection = self._connection
        if connection is None:
            return
        try:
            await self._executor.spawn(_commit, connection)
        except DBAPIError as error:
            if error.connection_invalidated:
                self._give_up()
                raise CommitLost from error
            # Refused, and thereby undone.
            await self._start_over(connection)
            self._wrote = False
            raise
        except OSError as error:
            self._give_up()
            raise CommitLost from error
        except asyncio.CancelledError:
            self._give_up()
            raise
        self._connection = None
        self._wrote = False

    async def close(self) -> None:
        """Discard what was not committed and give the connection back, also when the task is cancelled."""
        connection, self._connection = self._connection, None
        self._wrote = self._lost = False
        if connection is None:
            return
        # Leaving an open transaction in the pool is the one thing worse than waiting while cancelled.
        await to_the_end(_discard(connection))

    async def _enter(self, *, writes: bool, locks: bool) -> tuple[Connection, bool]:
        """The connection for one statement, and whether a savepoint guards what came before."""
        guarded = writes and self._executor.aborts and self._wrote and not self._grouped
        connection = await self._begun(eager=writes or locks)
        if guarded:
            await self._say(connection, f"SAVEPOINT {_SAVEPOINT}")
        return connection, guarded

    async def _leave(self, connection: Connection, *, writes: bool, guarded: bool) -> None:
        if guarded:
            await self._say(connection, f"RELEASE SAVEPOINT {_SAVEPOINT}")
        self._wrote = self._wrote or writes

    async def _begun(self, *, eager: bool) -> Connection:
        if self._lost:
            raise TransactionLost
        if self._connection is None:
            try:
                return await self._begin(eager=eager)
            except DBAPIError as error:
                if not error.connection_invalidated:
                    raise
            # It was stale: the server had closed it, or is a new one by now.
            return await self._begin(eager=eager)
        return self._connection

    async def _begin(self, *, eager: bool) -> Connection:
        def begin() -> Connection:
            # Kept before anybody can be cancelled, so that `close` finds it in any case.
            self._connection = _begin(self._executor.engine, eager=eager)
            return self._connection

        return await self._executor.connected(begin)

    async def _recover(self, connection: Connection, error: SQLAlchemyError, *, guarded: bool) -> None:
        """Put the transaction back to where it was before the statement that failed, or call it lost."""
        if self._connection is None:
            return
        complaint = complaint_of(error)
        if connection.invalidated or (complaint is not None and undoes_all(complaint)):
            self._lost = True
        elif self._executor.aborts and not self._grouped:
            if guarded:
                await self._say(connection, f"ROLLBACK TO SAVEPOINT {_SAVEPOINT}")
            elif self._wrote:
                self._lost = True
            else:
                await self._start_over(connection)

    async def _start_over(self, connection: Connection) -> None:
        # Nothing was written yet, so that a new transaction is as good as the old one.
        self._connection = None
        try:
            await self._executor.spawn(_rollback, connection)
        except (SQLAlchemyError, OSError):
            throw_away(connection)

    async def _say(self, connection: Connection, words: str) -> None:
        try:
            _ = await self._executor.spawn(connection.exec_driver_sql, words)
        except (SQLAlchemyError, OSError, asyncio.CancelledError):
            self._give_up()
            raise

    def _give_up(self) -> None:
        """The connection cannot be trusted any more: the answer that nobody waits for may still come."""
        self._lost = True
        if self._executor.finishes:
            return
        connection, self._connection = self._connection, None
        if connection is not None:
            throw_away(connection)


def _begin(engine: Engine, *, eager: bool) -> Connection:
    connection = engine.connect()
    try:
        # A writer says so at once on SQLite: a reader that turns into one is refused when another came before.
        words = "BEGIN IMMEDIATE" if eager and engine.dialect.name == "sqlite" else "BEGIN"
        _ = connection.exec_driver_sql(words)
    except BaseException:
        connection.close()
        raise
    return connection


def _commit(connection: Connection) -> None:
    _ = connection.exec_driver_sql("COMMIT")
    connection.close()


def _rollback(connection: Connection) -> None:
    _ = connection.exec_driver_sql("ROLLBACK")
    connection.close()


async def _discard(connection: Connection) -> None:
    try:
        if not connection.invalidated and not connection.closed:
            async with asyncio.timeout(ROLLBACK_LIMIT):
                await greenlet_spawn(_rollback, connection)
            return
    except (SQLAlchemyError, OSError):
        # Silence, or a server that has forgotten the transaction: the connection is of no more use.
        pass
    await greenlet_spawn(throw_away, connection)
