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

from fastapi_easy.domain import deadline
from fastapi_easy.domain.ports.breaker import Breaker
from fastapi_easy.infrastructure.relational.driver.error_classification import is_unreachable
from fastapi_easy.infrastructure.relational.driver.leaks import find_abandoned, log_long_checkouts
from fastapi_easy.infrastructure.relational.driver.sockets import (
    disconnect_check,
    enable_keepalive,
    no_disconnect_check,
)
from fastapi_easy.infrastructure.relational.sqlalchemy_internals import greenlet_spawn
from fastapi_easy.infrastructure.resilience.wait_queue import WaitQueue

_logger: Final = logging.getLogger("fastapi_easy.connections")

MAX_CONCURRENT_CONNECTS: Final = 2
"""Connections that are made at the same time: after an outage every process makes all of its own anew."""

CLOSE_TIMEOUT: Final = 2.0
"""Seconds to wait for a polite goodbye before a connection is cut."""


@dataclass(slots=True, eq=False)
class PooledConnection:
    """One connection.

    Attributes:
        connection: As SQLAlchemy knows it.

        driver: As the driver knows it.

        made: When it was made, on the clock of `time.monotonic`.

        lent: When it was lent last, on the same clock.

        reported_at: The same, if it was told of then that this is long ago.

        breaker: Is told how it went with whoever has it; `None` when there is none.

        permit: Which the breaker gave for that.
    """

    connection: Connection
    driver: Any
    made: float
    lent: float = 0.0
    reported_at: float = 0.0
    breaker: Breaker | None = None
    permit: int = 0


class ConnectionPool:
    """Lends connections, to one borrower each.

    A connection that comes back goes to whoever has waited longest. New ones are made when nobody's is free, and to
    their end even when the one who asked gives up: when callers are less patient than the server takes to greet, none
    would ever stand otherwise. No more than `MAX_CONCURRENT_CONNECTS` are made at a time.

    Args:
        engine: Makes connections, and keeps none.

        size: Connections at most.

        checkout_timeout: Seconds to wait for one.

        connect_timeout: Seconds in which a new one has to stand, greeting included.

        recycle: Seconds after which one is replaced.

        queue_time: Who would have to wait for more seconds is sent away at once.

        breaker: Gives the one that is asked before a connection is lent, and told what became of it; asked for anew
            each time.

    Attributes:
        leak_check_name: The name of the database, when `check_for_leaks` is to look: what a lock needs one for is long
            by design.
    """

    def __init__(
        self,
        engine: Engine,
        *,
        size: int,
        checkout_timeout: float,
        connect_timeout: float,
        recycle: float,
        queue_time: float = math.inf,
        breaker: Callable[[], Breaker | None] = lambda: None,
    ) -> None:
        self._engine = engine
        self.leak_check_name: str | None = None
        self._size = size
        self._checkout_timeout = checkout_timeout
        self._connect_timeout = connect_timeout
        self._recycle = recycle
        self._breaker = breaker
        self._is_disconnected = disconnect_check(engine.dialect.driver)
        self._idle: deque[PooledConnection] = deque()
        self._waiters = WaitQueue[asyncio.Future[PooledConnection]](queue_time, lambda: not self._connecting)
        self._lent: set[PooledConnection] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._connecting = 0
        self._closing = 0
        self._expired_before = 0.0
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
        return self._waiters.waited, self._waiters.wait_seconds

    @property
    def leaked(self) -> int:
        """Those that were taken and can never be given back, as far as somebody has looked."""
        return self._leaked

    @property
    def detects_disconnects(self) -> bool:
        """Whether a connection that the server has closed is never lent."""
        return self._is_disconnected is not no_disconnect_check

    async def check_out(self) -> PooledConnection:
        """A connection; to be given back, or thrown away, whatever happens.

        Raises:
            CallNotPermitted: The database has been silent, or too many wait already.

            sqlalchemy.exc.TimeoutError: None became free in time.

            sqlalchemy.exc.DBAPIError, OSError: None could be made.
        """
        breaker = self._breaker()
        permit = 0 if breaker is None else breaker.enter()
        pooled = self._check_out_idle()
        if pooled is None:
            pooled = await (
                self._wait(self._waiters.enqueue) if breaker is None else self._wait_with(breaker, permit)
            )
        pooled.breaker, pooled.permit = breaker, permit
        return pooled

    async def check_out_first(self) -> PooledConnection:
        """As `check_out`, before everybody who waits, and whatever the breaker says, which hears nothing of it.

        For somebody who wants to know how the database is, and not often.

        Raises:
            sqlalchemy.exc.TimeoutError: None became free in time.

            sqlalchemy.exc.DBAPIError, OSError: None could be made.
        """
        return self._check_out_idle() or await self._wait(self._waiters.enqueue_first)

    def check_in(self, pooled: PooledConnection, *, single: bool = False) -> None:
        """Let somebody else have *pooled*, which has nothing left to say.

        Args:
            pooled: Which was taken.

            single: It has answered one statement: when that took long, it is the database that is slow.
        """
        breaker = pooled.breaker
        if breaker is not None:
            if single and breaker.slow_after is not None:
                breaker.leave(pooled.permit, answered=True, slow=_is_slow(pooled, breaker.slow_after))
            else:
                breaker.leave(pooled.permit, answered=True)
            pooled.breaker = None
        self._put_back(pooled)

    def discard(self, pooled: PooledConnection, error: BaseException | None = None) -> None:
        """Close *pooled* for good: it cannot be trusted any more after *error*, a cancellation unless said."""
        if pooled.breaker is not None:
            pooled.breaker.leave(pooled.permit, answered=_is_answer(error))
            pooled.breaker = None
        self._lent.discard(pooled)
        discard(pooled.connection)
        self._connect_for_waiters()

    def expire_connections(self) -> None:
        """The server has gone, or is a new one: what was made until now is replaced before it is lent again."""
        self._expired_before = time.monotonic()

    def check_for_leaks(self) -> None:
        """Tell of what was lent for long, and close what nobody can give back any more."""
        if self.leak_check_name is None:
            return
        log_long_checkouts(self._lent, self.leak_check_name, time.monotonic())
        for pooled in find_abandoned(self._lent):
            self._leaked += 1
            _logger.error(
                "a connection of %s was checked out and never returned; it is closed", self.leak_check_name
            )
            self.discard(pooled)

    async def close(self) -> None:
        """Close every connection: politely where nobody has it, else at once; who has it will not get far."""
        self.expire_connections()
        # One that is being made may still join the idle ones, when nobody waits for it any more.
        while self._idle or self._tasks:
            while self._idle:
                self._retire(self._idle.pop())
            _ = await asyncio.wait(self._tasks)
        for pooled in self._lent:
            discard(pooled.connection)

    def _check_out_idle(self) -> PooledConnection | None:
        """One that nobody has, unless others wait already."""
        idle = self._idle
        while idle and not self._waiters:
            pooled = idle.pop()
            if self._is_usable(pooled):
                self._lent.add(pooled)
                return pooled
            self._retire(pooled)
        return None

    def _put_back(self, pooled: PooledConnection) -> None:
        self._lent.discard(pooled)
        if self._waiters and self._is_usable(pooled):
            self._hand_over(pooled)
        elif self._waiters or pooled.made <= self._expired_before:
            self._retire(pooled)
        else:
            # Looked at when it is lent again.
            self._idle.append(pooled)

    def _hand_over(self, pooled: PooledConnection) -> None:
        waiter = self._next_waiter()
        if waiter is None:
            self._idle.append(pooled)
        else:
            self._lent.add(pooled)
            waiter.set_result(pooled)

    def _next_waiter(self) -> asyncio.Future[PooledConnection] | None:
        """Whoever has waited longest, and does not any more."""
        waiters = self._waiters
        while waiters:
            waiter = waiters.pop()
            if not waiter.done():
                return waiter
        return None

    def _is_usable(self, pooled: PooledConnection) -> bool:
        """Whether *pooled* can be lent, as it is now to be."""
        made, now = pooled.made, time.monotonic()
        pooled.lent = now
        return (
            made > self._expired_before
            and now - made < self._recycle
            and not self._is_disconnected(pooled.driver)
        )

    async def _wait_with(self, breaker: Breaker, permit: int) -> PooledConnection:
        try:
            return await self._wait(self._waiters.enqueue)
        except BaseException as error:
            breaker.leave(permit, answered=_is_answer(error))
            raise

    async def _wait(self, join: Callable[[asyncio.Future[PooledConnection]], None]) -> PooledConnection:
        loop = asyncio.get_running_loop()
        waiter: asyncio.Future[PooledConnection] = loop.create_future()
        join(waiter)
        self.check_for_leaks()
        self._connect_for_waiters()
        checkout_timeout = deadline.within(self._checkout_timeout)
        limit = loop.call_later(checkout_timeout, self._time_out, waiter, checkout_timeout)
        try:
            return await waiter
        except asyncio.CancelledError:
            if waiter in self._waiters:
                self._waiters.cancel(waiter)
            elif not waiter.cancelled() and waiter.exception() is None:
                # It was handed over in the same moment.
                self._put_back(waiter.result())
            raise
        finally:
            limit.cancel()

    def _time_out(self, waiter: asyncio.Future[PooledConnection], checkout_timeout: float) -> None:
        self._waiters.cancel(waiter)
        if not waiter.done():
            # Where nobody has one, it was not others who were waited for.
            what = "became free" if self._lent else "was established"
            lacking = f"no connection {what} within {checkout_timeout:.3g} seconds"
            waiter.set_exception(PoolTimeout(lacking) if self._lent else TimeoutError(lacking))

    def _connect_for_waiters(self) -> None:
        """Begin to make as many connections as are waited for, within the limit."""
        waiting = sum(not waiter.done() for waiter in self._waiters) if self._waiters else 0
        while (
            self._connecting < min(waiting, MAX_CONCURRENT_CONNECTS)
            and self.open + self._connecting + self._closing < self._size
        ):
            self._connecting += 1
            self._start_task(self._connect())

    async def _connect(self) -> None:
        made: list[PooledConnection] = []
        try:
            async with asyncio.timeout(self._connect_timeout):
                await greenlet_spawn(lambda: made.append(_open_connection(self._engine)))
        except (SQLAlchemyError, OSError) as error:
            self._connecting -= 1
            self._fail_next_waiter(error)
        except BaseException:
            self._connecting -= 1
            raise
        else:
            self._put_back(made[0])
            self._connecting -= 1
            self._connect_for_waiters()

    def _fail_next_waiter(self, error: Exception) -> None:
        """Tell whoever has waited longest of *error*; when all have given up, nobody needs to know."""
        waiter = self._next_waiter()
        if waiter is not None:
            waiter.set_exception(error)
        self._connect_for_waiters()

    def _retire(self, pooled: PooledConnection) -> None:
        self._closing += 1
        self._start_task(self._close(pooled.connection))

    async def _close(self, connection: Connection) -> None:
        try:
            async with asyncio.timeout(CLOSE_TIMEOUT):
                await greenlet_spawn(connection.close)
        except (SQLAlchemyError, OSError):
            discard(connection)
        finally:
            self._closing -= 1
            self._connect_for_waiters()

    def _start_task(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def _is_slow(pooled: PooledConnection, limit: float) -> bool:
    """Whether *pooled* was lent for longer than *limit*, for a call with an end: others are long by design."""
    return time.monotonic() - pooled.lent > limit and deadline.remaining_seconds() is not None


def _is_answer(error: BaseException | None) -> bool | None:
    """What *error*, with which somebody ended, says about whether the database answers."""
    return False if error is not None and is_unreachable(error) else None


def discard(connection: Connection) -> None:
    """Close *connection* for good, without a word to the server."""
    if not connection.closed:
        if not connection.invalidated:
            connection.invalidate()
        connection.close()


def _open_connection(engine: Engine) -> PooledConnection:
    connection = engine.connect()
    driver = connection.connection.driver_connection
    enable_keepalive(engine.dialect.driver, driver)
    return PooledConnection(connection, driver, time.monotonic())
