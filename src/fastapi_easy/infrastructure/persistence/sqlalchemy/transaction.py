"""How statements reach the database: one alone, or several in a transaction.

The seam: what is above hands over a statement and its values and gets plain rows back. A way around
SQLAlchemy's execution needs another `Executor` and nothing else.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple, TypeAlias, TypeVar

from sqlalchemy import Connection, Engine, Executable
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.util import greenlet_spawn

from fastapi_easy.infrastructure.persistence.sqlalchemy.complaints import (
    complaint_of,
    is_outdated,
    undoes_all,
)

Parameters: TypeAlias = Mapping[str, Any] | Sequence[Mapping[str, Any]]

ROLLBACK_LIMIT: Final = 2.0
"""Seconds to wait for a rollback before its connection is thrown away."""

T = TypeVar("T")

_SAVEPOINT: Final = "fastapi_easy"


class Answer(NamedTuple):
    """What a statement gave back.

    Attributes:
        rows: Plain rows, in the order of the statement's columns.

        affected: How many rows it reached, for a write.

        key: The key the database made, for an insert that cannot return rows.
    """

    rows: Sequence[Sequence[Any]]
    affected: int = -1
    key: tuple[Any, ...] | None = None


class TransactionLost(Exception):
    """The database has ended the transaction by itself, with everything that was written in it."""


class CommitLost(Exception):
    """The connection broke while the answer to `COMMIT` was awaited."""


@dataclass(frozen=True, slots=True)
class Executor:
    """Runs statements through SQLAlchemy Core.

    Attributes:
        engine: In autocommit.

        patience: Seconds after which the client gives up on a statement; `None` where the driver sees to it.

        aborts: A statement that fails makes the rest of its transaction fail.

        finishes: A statement cannot be given up once it has begun, as on SQLite, whose work is done in a thread
            here; a cancelled call waits for its end.
    """

    engine: Engine
    patience: float | None
    aborts: bool
    finishes: bool

    async def read(self, statement: Executable, parameters: Parameters) -> Sequence[Sequence[Any]]:
        """The rows of *statement*, on a connection of its own, which may turn out stale once."""
        try:
            return await self.spawn(_read, self.engine, statement, parameters)
        except DBAPIError as error:
            if not error.connection_invalidated and not is_outdated(error):
                raise
        return await self.spawn(_read, self.engine, statement, parameters)

    def begin(self) -> "Transaction":
        """A transaction; the database hears of it with its first statement."""
        return Transaction(self)

    async def spawn(self, function: Callable[..., T], /, *arguments: Any) -> T:
        """*function*, which talks to the database, within the time a statement may take."""
        if self.finishes:
            # A half-read cursor would keep the lock on the file, even though its connection was closed.
            return await to_the_end(greenlet_spawn(function, *arguments))
        if self.patience is None:
            return await greenlet_spawn(function, *arguments)
        async with asyncio.timeout(self.patience):
            return await greenlet_spawn(function, *arguments)


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
        guarded = writes and self._executor.aborts and self._wrote and not self._grouped
        connection = await self._begun(eager=writes or locks)
        if guarded:
            await self._say(connection, f"SAVEPOINT {_SAVEPOINT}")
        try:
            answer: Answer = await self._executor.spawn(_run, connection, statement, parameters)
        except SQLAlchemyError as error:
            await self._recover(connection, error, guarded=guarded)
            raise
        except (OSError, asyncio.CancelledError):
            self._give_up()
            raise
        if guarded:
            await self._say(connection, f"RELEASE SAVEPOINT {_SAVEPOINT}")
        self._wrote = self._wrote or writes
        return answer

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

        connection: Connection = await self._executor.spawn(begin)
        return connection

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
            _throw_away(connection)

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
            _throw_away(connection)


def _read(engine: Engine, statement: Executable, parameters: Any) -> Sequence[Sequence[Any]]:
    with engine.connect() as connection:
        return connection.execute(statement, parameters).all()


async def to_the_end(work: Coroutine[Any, Any, T]) -> T:
    """What *work* answers. A task that is cancelled meanwhile is cancelled after its end."""
    task = asyncio.ensure_future(work)
    cancelled = False
    while not task.done():
        try:
            _ = await asyncio.wait([task])
        except asyncio.CancelledError:
            cancelled = True
    if cancelled:
        # Looked at, so that nobody is told it went unseen.
        _ = task.cancelled() or task.exception()
        raise asyncio.CancelledError
    return task.result()


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


def _run(connection: Connection, statement: Executable, parameters: Any) -> Answer:
    result = connection.execute(statement, parameters)
    if result.returns_rows:
        rows = result.all()
        return Answer(rows, len(rows))
    affected = result.rowcount
    if result.context.isinsert and not result.context.executemany:
        made = result.inserted_primary_key
        return Answer((), affected, None if made is None else tuple(made))
    return Answer((), affected)


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
    await greenlet_spawn(_throw_away, connection)


def _throw_away(connection: Connection) -> None:
    if not connection.closed:
        if not connection.invalidated:
            connection.invalidate()
        connection.close()
