"""How statements reach the database.

The seam: what is above hands over a statement and its values and gets plain rows back. A way around
SQLAlchemy's execution needs another `Executor` and nothing else.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeAlias, TypeVar

from sqlalchemy import Connection, Engine, Executable
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import QueuePool
from sqlalchemy.util import greenlet_spawn

from fastapi_easy.infrastructure.persistence.sqlalchemy.complaints import is_outdated
from fastapi_easy.infrastructure.waiting import to_the_end

Parameters: TypeAlias = Mapping[str, Any] | Sequence[Mapping[str, Any]]

T = TypeVar("T")


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Executor:
    """Runs statements through SQLAlchemy Core.

    Attributes:
        engine: In autocommit.

        connect_limit: Seconds in which a new connection has to stand, greeting included.

        patience: Seconds after which the client gives up on a statement; `None` where the driver sees to it.

        aborts: A statement that fails makes the rest of its transaction fail.

        finishes: A statement cannot be given up once it has begun, as on SQLite, whose work is done in a thread
            here; a cancelled call waits for its end.
    """

    engine: Engine
    connect_limit: float
    patience: float | None
    aborts: bool
    finishes: bool

    async def read(self, statement: Executable, parameters: Parameters) -> Sequence[Sequence[Any]]:
        """The rows of *statement*, on a connection of its own, which may turn out stale once."""
        try:
            return await self.connected(_read, self.engine, statement, parameters)
        except DBAPIError as error:
            if not error.connection_invalidated and not is_outdated(error):
                raise
        return await self.connected(_read, self.engine, statement, parameters)

    async def run(self, connection: Connection, statement: Executable, parameters: Parameters) -> Answer:
        """The answer to *statement* on *connection*."""
        return await self.spawn(_run, connection, statement, parameters)

    @contextlib.asynccontextmanager
    async def alone(self) -> AsyncIterator[Connection]:
        """A connection of its own, for one statement that somebody else runs on it.

        It goes back to the pool when that succeeds, or fails with what SQLAlchemy raises.
        """
        kept: list[Connection] = []
        try:
            # Kept before anybody can be cancelled.
            await self.connected(lambda: kept.append(self.engine.connect()))
            yield kept[0]
        except DBAPIError:
            raise
        except BaseException:
            for connection in kept:
                throw_away(connection)
            raise
        finally:
            for connection in kept:
                connection.close()

    async def connected(self, function: Callable[..., T], /, *arguments: Any) -> T:
        """*function*, which takes a connection from the pool itself."""
        pool = self.engine.pool
        if isinstance(pool, QueuePool) and not pool.checkedin() and pool.checkedout() < pool.size():
            # A caller who gives up must not take a half-made connection along: when callers are less patient
            # than the server takes to greet, none would ever stand. Made to its end, it serves the next one.
            await to_the_end(self._connect())
        return await self.spawn(function, *arguments)

    async def spawn(self, function: Callable[..., T], /, *arguments: Any) -> T:
        """*function*, which talks to the database, within the time a statement may take."""
        return await self.bounded(greenlet_spawn(function, *arguments))

    async def bounded(self, work: Coroutine[Any, Any, T]) -> T:
        """What *work* answers, which talks to the database, within the time a statement may take."""
        if self.finishes:
            # A half-read cursor would keep the lock on the file, even though its connection was closed.
            return await to_the_end(work)
        if self.patience is None:
            return await work
        async with asyncio.timeout(self.patience):
            return await work

    async def _connect(self) -> None:
        async with asyncio.timeout(self.connect_limit):
            await greenlet_spawn(_touch, self.engine)


def throw_away(connection: Connection) -> None:
    """Close *connection* for good: it cannot be trusted any more."""
    if not connection.closed:
        if not connection.invalidated:
            connection.invalidate()
        connection.close()


def _touch(engine: Engine) -> None:
    engine.connect().close()


def _read(engine: Engine, statement: Executable, parameters: Any) -> Sequence[Sequence[Any]]:
    with engine.connect() as connection:
        return connection.execute(statement, parameters).all()


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
