"""The connections of one database, handed on in the order in which they were asked for.

SQLAlchemy makes them, greets them and closes them; what is done here is done for every statement, and so without its
pool, whose hand-over costs more than a short statement does.
"""

import asyncio
import logging
import math
import time
from collections import deque
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.util import greenlet_spawn

from fastapi_easy.domain import deadline
from fastapi_easy.domain.ports.breaker import Breaker
from fastapi_easy.infrastructure.relational.driver.error_classification import is_silence
from fastapi_easy.infrastructure.relational.driver.leaks import abandoned, tell_of_long
from fastapi_easy.infrastructure.relational.driver.sockets import no_sign, sign_of_loss, watch_host
from fastapi_easy.infrastructure.resilience.wait_queue import WaitingLine

_logger: Final = logging.getLogger("fastapi_easy.connections")

CONNECTS: Final = 2
"""Connections that are made at the same time: after an outage every process makes all of its own anew."""

CLOSE_LIMIT: Final = 2.0
"""Seconds to wait for a polite goodbye before a connection is cut."""


@dataclass(slots=True, eq=False)
class Channel:
    """One connection.

    Attributes:
        connection: As SQLAlchemy knows it.

        driver: As the driver knows it.

        made: When it was made, on the clock of `time.monotonic`.

        lent: When it was lent last, on the same clock.

        told: The same, if it was told of then that this is long ago.

        breaker: Is told how it went with whoever has it; `None` when there is none.

        permit: Which the breaker gave for that.
    """

    connection: Connection
    driver: Any
    made: float
    lent: float = 0.0
    told: float = 0.0
    breaker: Breaker | None = None
    permit: int = 0


class ConnectionPool:
    """Lends connections, to one borrower each.

    A connection that comes back goes to whoever has waited longest. New ones are made when nobody's is free, and to
    their end even when the one who asked gives up: when callers are less patient than the server takes to greet, none
    would ever stand otherwise. No more than `CONNECTS` are made at a time.

    Args:
        engine: Makes connections, and keeps none.

        size: Connections at most.

        patience: Seconds to wait for one.

        connect_limit: Seconds in which a new one has to stand, greeting included.

        recycle: Seconds after which one is replaced.

        queue_time: Who would have to wait for more seconds is sent away at once.

        breaker: Gives the one that is asked before a connection is lent, and told what became of it; asked for anew
            each time.

    Attributes:
        watched: The name of the database, when `look_after` is to look: what a lock needs one for is long by design.
    """

    def __init__(
        self,
        engine: Engine,
        *,
        size: int,
        patience: float,
        connect_limit: float,
        recycle: float,
        queue_time: float = math.inf,
        breaker: Callable[[], Breaker | None] = lambda: None,
    ) -> None:
        self._engine = engine
        self.watched: str | None = None
        self._size = size
        self._patience = patience
        self._connect_limit = connect_limit
        self._recycle = recycle
        self._breaker = breaker
        self._lost = sign_of_loss(engine.dialect.driver)
        self._idle: deque[Channel] = deque()
        self._waiters = WaitingLine[asyncio.Future[Channel]](queue_time, lambda: not self._making)
        self._lent: set[Channel] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._making = 0
        self._closing = 0
        self._suspect_before = 0.0
        self._leaked = 0

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
    def shed(self) -> int:
        """Those who were sent away because they would have waited for too long."""
        return self._waiters.shed

    @property
    def waits(self) -> tuple[int, float]:
        """How many have waited for one, also in vain, and how many seconds together."""
        return self._waiters.stood, self._waiters.seconds

    @property
    def leaked(self) -> int:
        """Those that were taken and can never be given back, as far as somebody has looked."""
        return self._leaked

    @property
    def sees_loss(self) -> bool:
        """Whether a connection that the server has closed is never lent."""
        return self._lost is not no_sign

    async def take(self) -> Channel:
        """A connection; to be given back, or thrown away, whatever happens.

        Raises:
            NotAdmitted: The database has been silent, or too many wait already.

            sqlalchemy.exc.TimeoutError: None became free in time.

            sqlalchemy.exc.DBAPIError, OSError: None could be made.
        """
        breaker = self._breaker()
        permit = 0 if breaker is None else breaker.enter()
        channel = self._fit_one()
        if channel is None:
            channel = await (
                self._wait(self._waiters.join) if breaker is None else self._wait_with(breaker, permit)
            )
        channel.breaker, channel.permit = breaker, permit
        return channel

    async def take_first(self) -> Channel:
        """As `take`, before everybody who waits, and whatever the breaker says, which hears nothing of it.

        For somebody who wants to know how the database is, and not often.

        Raises:
            sqlalchemy.exc.TimeoutError: None became free in time.

            sqlalchemy.exc.DBAPIError, OSError: None could be made.
        """
        return self._fit_one() or await self._wait(self._waiters.join_first)

    def give_back(self, channel: Channel, *, single: bool = False) -> None:
        """Let somebody else have *channel*, which has nothing left to say.

        Args:
            channel: Which was taken.

            single: It has answered one statement: when that took long, it is the database that is slow.
        """
        breaker = channel.breaker
        if breaker is not None:
            if single and breaker.slow_after is not None:
                breaker.leave(channel.permit, answered=True, slow=_is_slow(channel, breaker.slow_after))
            else:
                breaker.leave(channel.permit, answered=True)
            channel.breaker = None
        self._put_back(channel)

    def throw_away(self, channel: Channel, error: BaseException | None = None) -> None:
        """Close *channel* for good: it cannot be trusted any more after *error*, a cancellation unless said."""
        if channel.breaker is not None:
            channel.breaker.leave(channel.permit, answered=_is_answer(error))
            channel.breaker = None
        self._lent.discard(channel)
        throw_away(channel.connection)
        self._make_for_waiters()

    def suspect(self) -> None:
        """The server has gone, or is a new one: what was made until now is replaced before it is lent again."""
        self._suspect_before = time.monotonic()

    def look_after(self) -> None:
        """Tell of what was lent for long, and close what nobody can give back any more."""
        if self.watched is None:
            return
        tell_of_long(self._lent, self.watched, time.monotonic())
        for channel in abandoned(self._lent):
            self._leaked += 1
            _logger.error("a connection of %s was taken and never given back; it is closed", self.watched)
            self.throw_away(channel)

    async def close(self) -> None:
        """Close every connection: politely where nobody has it, else at once; who has it will not get far."""
        self.suspect()
        # One that is being made may still join the idle ones, when nobody waits for it any more.
        while self._idle or self._tasks:
            while self._idle:
                self._retire(self._idle.pop())
            _ = await asyncio.wait(self._tasks)
        for channel in self._lent:
            throw_away(channel.connection)

    def _fit_one(self) -> Channel | None:
        """One that nobody has, unless others wait already."""
        idle = self._idle
        while idle and not self._waiters:
            channel = idle.pop()
            if self._is_fit(channel):
                self._lent.add(channel)
                return channel
            self._retire(channel)
        return None

    def _put_back(self, channel: Channel) -> None:
        self._lent.discard(channel)
        if self._waiters and self._is_fit(channel):
            self._hand_over(channel)
        elif self._waiters or channel.made <= self._suspect_before:
            self._retire(channel)
        else:
            # Looked at when it is lent again.
            self._idle.append(channel)

    def _hand_over(self, channel: Channel) -> None:
        waiter = self._next_waiter()
        if waiter is None:
            self._idle.append(channel)
        else:
            self._lent.add(channel)
            waiter.set_result(channel)

    def _next_waiter(self) -> asyncio.Future[Channel] | None:
        """Whoever has waited longest, and does not any more."""
        waiters = self._waiters
        while waiters:
            waiter = waiters.pop()
            if not waiter.done():
                return waiter
        return None

    def _is_fit(self, channel: Channel) -> bool:
        """Whether *channel* can be lent, as it is now to be."""
        made, now = channel.made, time.monotonic()
        channel.lent = now
        return made > self._suspect_before and now - made < self._recycle and not self._lost(channel.driver)

    async def _wait_with(self, breaker: Breaker, permit: int) -> Channel:
        try:
            return await self._wait(self._waiters.join)
        except BaseException as error:
            breaker.leave(permit, answered=_is_answer(error))
            raise

    async def _wait(self, join: Callable[[asyncio.Future[Channel]], None]) -> Channel:
        loop = asyncio.get_running_loop()
        waiter: asyncio.Future[Channel] = loop.create_future()
        join(waiter)
        self.look_after()
        self._make_for_waiters()
        patience = deadline.within(self._patience)
        limit = loop.call_later(patience, self._give_up, waiter, patience)
        try:
            return await waiter
        except asyncio.CancelledError:
            if waiter in self._waiters:
                self._waiters.leave(waiter)
            elif not waiter.cancelled() and waiter.exception() is None:
                # It was handed over in the same moment.
                self._put_back(waiter.result())
            raise
        finally:
            limit.cancel()

    def _give_up(self, waiter: asyncio.Future[Channel], patience: float) -> None:
        self._waiters.leave(waiter)
        if not waiter.done():
            # Where nobody has one, it was not others who were waited for.
            lacking = (
                f"no connection {'became free' if self._lent else 'stood'} within {patience:.3g} seconds"
            )
            waiter.set_exception(PoolTimeout(lacking) if self._lent else TimeoutError(lacking))

    def _make_for_waiters(self) -> None:
        """Begin to make as many connections as are waited for, within the limit."""
        waiting = sum(not waiter.done() for waiter in self._waiters) if self._waiters else 0
        while self._making < min(waiting, CONNECTS) and self.open + self._making + self._closing < self._size:
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
            self._put_back(made[0])
            self._making -= 1
            self._make_for_waiters()

    def _refuse(self, error: Exception) -> None:
        """Tell whoever has waited longest of *error*; when all have given up, nobody needs to know."""
        waiter = self._next_waiter()
        if waiter is not None:
            waiter.set_exception(error)
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


def _is_slow(channel: Channel, limit: float) -> bool:
    """Whether *channel* was lent for longer than *limit*, for a call with an end: others are long by design."""
    return time.monotonic() - channel.lent > limit and deadline.seconds_left() is not None


def _is_answer(error: BaseException | None) -> bool | None:
    """What *error*, with which somebody ended, says about whether the database answers."""
    return False if error is not None and is_silence(error) else None


def throw_away(connection: Connection) -> None:
    """Close *connection* for good, without a word to the server."""
    if not connection.closed:
        if not connection.invalidated:
            connection.invalidate()
        connection.close()


def _channel(engine: Engine) -> Channel:
    connection = engine.connect()
    driver = connection.connection.driver_connection
    watch_host(engine.dialect.driver, driver)
    return Channel(connection, driver, time.monotonic())
