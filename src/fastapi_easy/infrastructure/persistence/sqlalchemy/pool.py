"""The connections of one database, handed on in the order in which they were asked for.

SQLAlchemy makes them, greets them and closes them; what is done here is done for every statement, and so without its
pool, whose hand-over costs more than a short statement does.
"""

import asyncio
import time
from collections import deque
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.util import greenlet_spawn

CLOSE_LIMIT: Final = 2.0
"""Seconds to wait for a polite goodbye before a connection is cut."""


@dataclass(slots=True, eq=False)
class Channel:
    """One connection.

    Attributes:
        connection: As SQLAlchemy knows it.

        driver: As the driver knows it.

        made: When it was made, on the clock of `time.monotonic`.
    """

    connection: Connection
    driver: Any
    made: float


class ConnectionPool:
    """Lends connections, to one borrower each.

    A connection that comes back goes to whoever has waited longest. New ones are made when nobody's is free, and to
    their end even when the one who asked gives up: when callers are less patient than the server takes to greet, none
    would ever stand otherwise.

    Args:
        engine: Makes connections, and keeps none.

        size: Connections at most.

        patience: Seconds to wait for one.

        connect_limit: Seconds in which a new one has to stand, greeting included.

        recycle: Seconds after which one is replaced.
    """

    def __init__(
        self, engine: Engine, *, size: int, patience: float, connect_limit: float, recycle: float
    ) -> None:
        self._engine = engine
        self._size = size
        self._patience = patience
        self._connect_limit = connect_limit
        self._recycle = recycle
        self._lost = _SIGNS.get(engine.dialect.driver, _no_sign)
        self._idle: deque[Channel] = deque()
        self._waiters: deque[asyncio.Future[Channel]] = deque()
        self._lent: set[Channel] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._making = 0
        self._closing = 0
        self._suspect_before = 0.0

    @property
    def size(self) -> int:
        """Connections at most."""
        return self._size

    @property
    def in_use(self) -> int:
        """Connections that somebody has."""
        return len(self._lent)

    @property
    def open(self) -> int:
        """Connections that stand."""
        return len(self._idle) + len(self._lent)

    @property
    def waiting(self) -> int:
        """Those who wait for one."""
        return len(self._waiters)

    @property
    def sees_loss(self) -> bool:
        """Whether a connection that the server has closed is never lent."""
        return self._lost is not _no_sign

    async def take(self) -> Channel:
        """A connection; to be given back, or thrown away, whatever happens.

        Raises:
            sqlalchemy.exc.TimeoutError: None became free in time.

            sqlalchemy.exc.DBAPIError, OSError: None could be made.
        """
        idle = self._idle
        while idle and not self._waiters:
            channel = idle.pop()
            if self._is_fit(channel):
                self._lent.add(channel)
                return channel
            self._retire(channel)
        return await self._wait()

    def give_back(self, channel: Channel) -> None:
        """Let somebody else have *channel*, which has nothing left to say."""
        self._lent.discard(channel)
        if self._waiters and self._is_fit(channel):
            self._hand_over(channel)
        elif self._waiters or channel.made <= self._suspect_before:
            self._retire(channel)
        else:
            # Looked at when it is lent again.
            self._idle.append(channel)

    def throw_away(self, channel: Channel) -> None:
        """Close *channel* for good: it cannot be trusted any more."""
        self._lent.discard(channel)
        throw_away(channel.connection)
        self._make_for_waiters()

    def suspect(self) -> None:
        """The server has gone, or is a new one: what was made until now is replaced before it is lent again."""
        self._suspect_before = time.monotonic()

    async def close(self) -> None:
        """Close every connection that nobody has; the others are closed when they come back."""
        self.suspect()
        while self._idle:
            self._retire(self._idle.pop())
        while self._tasks:
            _ = await asyncio.wait(self._tasks)

    def _hand_over(self, channel: Channel) -> None:
        waiters = self._waiters
        while waiters:
            waiter = waiters.popleft()
            if not waiter.done():
                self._lent.add(channel)
                waiter.set_result(channel)
                return
        self._idle.append(channel)

    def _is_fit(self, channel: Channel) -> bool:
        made = channel.made
        return (
            made > self._suspect_before
            and time.monotonic() - made < self._recycle
            and not self._lost(channel.driver)
        )

    async def _wait(self) -> Channel:
        loop = asyncio.get_running_loop()
        waiter: asyncio.Future[Channel] = loop.create_future()
        self._waiters.append(waiter)
        self._make_for_waiters()
        limit = loop.call_later(self._patience, self._give_up, waiter)
        try:
            return await waiter
        except asyncio.CancelledError:
            if waiter in self._waiters:
                self._waiters.remove(waiter)
            elif not waiter.cancelled() and waiter.exception() is None:
                # It was handed over in the same moment.
                self.give_back(waiter.result())
            raise
        finally:
            limit.cancel()

    def _give_up(self, waiter: asyncio.Future[Channel]) -> None:
        if waiter in self._waiters:
            self._waiters.remove(waiter)
        if not waiter.done():
            waiter.set_exception(PoolTimeout(f"no connection became free within {self._patience} seconds"))

    def _make_for_waiters(self) -> None:
        """Begin to make as many connections as are waited for, within the limit."""
        waiting = sum(not waiter.done() for waiter in self._waiters) if self._waiters else 0
        while self._making < waiting and self.open + self._making + self._closing < self._size:
            self._making += 1
            self._begin(self._make())

    async def _make(self) -> None:
        made: list[Channel] = []
        try:
            async with asyncio.timeout(self._connect_limit):
                await greenlet_spawn(lambda: made.append(_channel(self._engine)))
        except (SQLAlchemyError, OSError) as error:
            self._making -= 1
            self._refuse(error)
        except BaseException:
            self._making -= 1
            raise
        else:
            self._making -= 1
            self.give_back(made[0])

    def _refuse(self, error: Exception) -> None:
        """Tell whoever has waited longest of *error*; when all have given up, nobody needs to know."""
        while self._waiters:
            waiter = self._waiters.popleft()
            if not waiter.done():
                waiter.set_exception(error)
                break
        self._make_for_waiters()

    def _retire(self, channel: Channel) -> None:
        self._closing += 1
        self._begin(self._close(channel.connection))

    async def _close(self, connection: Connection) -> None:
        try:
            async with asyncio.timeout(CLOSE_LIMIT):
                await greenlet_spawn(connection.close)
        except (SQLAlchemyError, OSError):
            throw_away(connection)
        finally:
            self._closing -= 1
            self._make_for_waiters()

    def _begin(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def throw_away(connection: Connection) -> None:
    """Close *connection* for good, without a word to the server."""
    if not connection.closed:
        if not connection.invalidated:
            connection.invalidate()
        connection.close()


def _channel(engine: Engine) -> Channel:
    connection = engine.connect()
    return Channel(connection, connection.connection.driver_connection, time.monotonic())


def _no_sign(driver: Any) -> bool:
    return False


def _asyncpg_is_lost(driver: Any) -> bool:
    return bool(driver.is_closed())


def _asyncmy_is_lost(driver: Any) -> bool:
    transport = driver._transport  # noqa: SLF001 - it keeps what it knows to itself
    return transport is None or bool(transport.is_closing())


def _aiomysql_is_lost(driver: Any) -> bool:
    reader = driver._reader  # noqa: SLF001 - as its own pool does
    return reader is None or bool(reader.at_eof() or reader.exception() or reader.eof_received)


def _file_is_lost(driver: Any) -> bool:
    return False


_SIGNS: Final[dict[str, Callable[[Any], bool]]] = {
    "asyncpg": _asyncpg_is_lost,
    "asyncmy": _asyncmy_is_lost,
    "aiomysql": _aiomysql_is_lost,
    "aiosqlite": _file_is_lost,
}
"""How a driver tells, without a trip, that the server has closed a connection."""
