"""A connection pool: lends the connections of one database, first come first served.

SQLAlchemy opens, sets up and closes the connections. Its own pool is not used: a checkout happens for every
statement, and there it costs more than a short statement does.
"""

import asyncio
import logging
import math
import time
from collections import deque
from collections.abc import Callable
from typing import Final

from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from fastapi_easy.domain import deadline
from fastapi_easy.domain.errors import UnavailableReason
from fastapi_easy.domain.ports.breaker import Breaker, CallNotPermitted
from fastapi_easy.infrastructure.relational.driver.error_classification import (
    as_connect_failure,
    is_unreachable,
)
from fastapi_easy.infrastructure.relational.driver.leaks import find_abandoned, log_long_checkouts
from fastapi_easy.infrastructure.relational.driver.pooled_connection import PooledConnection, open_connection
from fastapi_easy.infrastructure.relational.driver.sockets import disconnect_check, no_disconnect_check
from fastapi_easy.infrastructure.relational.sqlalchemy_internals import greenlet_spawn
from fastapi_easy.infrastructure.resilience.connection_supply import ConnectionSupply
from fastapi_easy.infrastructure.resilience.shed_log import ShedLog
from fastapi_easy.infrastructure.resilience.wait_queue import WaitQueue, retry_after
from fastapi_easy.infrastructure.resilience.wait_timeouts import WaitTimeouts
from fastapi_easy.infrastructure.waiting.task_set import TaskSet

_logger: Final = logging.getLogger("fastapi_easy.connections")

MAX_CONCURRENT_CONNECTS: Final = 2
"""Connections opened at the same time, so that processes do not flood a server that comes back after an outage."""

CLOSE_TIMEOUT: Final = 2.0
"""Seconds to wait for an orderly close before the connection is aborted."""


class ConnectionPool:
    """Lends connections, each to one borrower at a time.

    A connection that is given back goes to the caller who has waited longest. When none is free, new ones are opened,
    at most `MAX_CONCURRENT_CONNECTS` at a time. Opening one goes on when its caller gives up: otherwise a server that
    answers more slowly than callers wait would never get a connection.

    Args:
        engine: Opens connections, and pools none.

        size: Connections at most.

        checkout_timeout: Seconds to wait for a free connection.

        connect_timeout: Seconds in which a new connection has to be open and set up.

        recycle: Age in seconds at which a connection is replaced.

        queue_time: Seconds; a caller who would have to wait longer is rejected at once.

        breaker: Returns the circuit breaker to ask before each checkout, and to tell the result; called for each
            checkout, so that an override of it is followed.

    Attributes:
        leak_check_name: The name of the database in the log of `check_for_leaks`; `None` turns the check off, as for
            the connections of locks, which are held for long by design.

        queue: Those who wait for a connection.
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
        self._supply = ConnectionSupply(size, MAX_CONCURRENT_CONNECTS, checkout_timeout, lambda: self.open)
        self.queue = WaitQueue[asyncio.Future[PooledConnection]](queue_time, self._supply, self._log_shed)
        # Leaks are looked for while anybody waits, and not by each who does: it is a look at all that is lent.
        self._timeouts = WaitTimeouts(self._time_out, self.check_for_leaks)
        self._shed_log = ShedLog()
        self._lent: set[PooledConnection] = set()
        self._tasks = TaskSet()
        self._closing = 0
        self._expired_before = 0.0
        self._leaked = 0

    @property
    def size(self) -> int:
        """Connections at most."""
        return self._size

    @property
    def in_use(self) -> int:
        """Connections that are lent."""
        return len(self._lent)

    @property
    def open(self) -> int:
        """Open connections, idle or lent."""
        return len(self._idle) + len(self._lent)

    @property
    def waiting(self) -> int:
        """Callers who wait for a connection."""
        return len(self.queue)

    @property
    def shed(self) -> int:
        """Callers rejected so far because they would have waited for too long."""
        return self.queue.shed

    @property
    def waits(self) -> tuple[int, float]:
        """The number of waits so far, with or without success, and their sum in seconds."""
        return self.queue.waited, self.queue.wait_seconds

    @property
    def leaked(self) -> int:
        """Connections that `check_for_leaks` has found to be lost by their borrowers."""
        return self._leaked

    @property
    def detects_disconnects(self) -> bool:
        """Whether connections that the server has closed are recognized before they are lent."""
        return self._is_disconnected is not no_disconnect_check

    async def check_out(self) -> PooledConnection:
        """Take a connection, which the caller has to `check_in` or `discard` whatever happens.

        Raises:
            CallNotPermitted: The circuit breaker is open, or too many wait already.

            sqlalchemy.exc.TimeoutError: None became free in time.

            sqlalchemy.exc.DBAPIError, OSError: None could be opened.
        """
        breaker = self._breaker()
        permit = 0 if breaker is None else breaker.enter()
        pooled = self._check_out_idle()
        if pooled is None:
            pooled = await (
                self._wait(self.queue.enqueue) if breaker is None else self._wait_with(breaker, permit)
            )
        pooled.breaker, pooled.permit = breaker, permit
        return pooled

    def check_out_now(self) -> PooledConnection | None:
        """Take a connection as `check_out` does, without a wait; `None` when none is idle, or others wait already.

        Raises:
            CallNotPermitted: The circuit breaker is open.
        """
        if not self._idle or self.queue.waiters:
            return None
        breaker = self._breaker()
        permit = 0 if breaker is None else breaker.enter()
        pooled = self._check_out_idle()
        if pooled is not None:
            pooled.breaker, pooled.permit = breaker, permit
        elif breaker is not None:
            # All of them were outdated, and the call begins anew with `check_out`.
            breaker.leave(permit, answered=None)
        return pooled

    check_out_to_write = check_out
    """As `check_out`, for a write or a transaction: on SQLite writers take turns."""

    check_out_to_write_now = check_out_now
    """As `check_out_now`, for a write that stands alone."""

    async def check_out_first(self) -> PooledConnection:
        """Take a connection ahead of all who wait, past the circuit breaker, which is told nothing.

        For health checks: they are rare, and ask for the state that the breaker only remembers.

        Raises:
            sqlalchemy.exc.TimeoutError: None became free in time.

            sqlalchemy.exc.DBAPIError, OSError: None could be opened.
        """
        return self._check_out_idle() or await self._wait(self.queue.enqueue_first)

    def check_in(self, pooled: PooledConnection, *, single: bool = False) -> None:
        """Give *pooled* back, with no answer outstanding and outside of any transaction.

        Args:
            pooled: A connection from `check_out`.

            single: It was taken for one statement: when that took long, the database is slow. A transaction may be
                slow because of what its caller does in between.
        """
        breaker = pooled.breaker
        if breaker is not None:
            if single and breaker.slow_after is not None:
                breaker.leave(pooled.permit, answered=True, slow=pooled.was_slow(breaker.slow_after))
            else:
                breaker.leave(pooled.permit, answered=True)
            pooled.breaker = None
        self._put_back(pooled)

    def discard(self, pooled: PooledConnection, error: BaseException | None = None) -> None:
        """Drop *pooled*, whose state is unknown after *error*; `None` stands for a cancellation."""
        if pooled.breaker is not None:
            pooled.breaker.leave(pooled.permit, answered=_is_answer(error))
            pooled.breaker = None
        self._lent.discard(pooled)
        pooled.abort()
        self._connect_for_waiters()

    def expire_connections(self) -> None:
        """Replace every connection opened so far before it is lent again: the server has gone, or is another one."""
        self._expired_before = time.monotonic()

    def check_for_leaks(self) -> None:
        """Log connections that are lent for long, and close those that no borrower can give back any more."""
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
        """Close every connection: idle ones in order, lent ones at once, which fails their borrowers."""
        self.expire_connections()
        # A connection that is being opened may still become idle, when nobody waits for it any more.
        while self._idle or self._tasks:
            while self._idle:
                self._retire(self._idle.pop())
            await self._tasks.wait()
        for pooled in self._lent:
            pooled.abort()

    def _check_out_idle(self) -> PooledConnection | None:
        """Take an idle connection, unless others wait already: nobody overtakes them."""
        idle = self._idle
        while idle and not self.queue.waiters:
            pooled = idle.pop()
            if self._is_usable(pooled):
                self._lent.add(pooled)
                return pooled
            self._retire(pooled)
        return None

    def _put_back(self, pooled: PooledConnection) -> None:
        self._lent.discard(pooled)
        if not self.queue.waiters and pooled.connected_at > self._expired_before:
            # Its age and whether the server has closed it are checked when it is lent again.
            self._idle.append(pooled)
        elif self.queue and self._is_usable(pooled):
            self._hand_over(pooled)
        else:
            self._retire(pooled)

    def _hand_over(self, pooled: PooledConnection) -> None:
        # First, since the queue learns from how many connections there are.
        self._lent.add(pooled)
        waiter = self._next_waiter()
        if waiter is None:
            self._lent.discard(pooled)
            self._idle.append(pooled)
        else:
            waiter.set_result(pooled)
            while (hopeless := self.queue.pop_hopeless(self._checkout_timeout)) is not None:
                if not hopeless.done():
                    hopeless.set_exception(CallNotPermitted(UnavailableReason.OVERLOAD, retry_after()))

    def _log_shed(self) -> None:
        if self.leak_check_name is not None:
            self._shed_log.note(self.leak_check_name)

    def _next_waiter(self) -> asyncio.Future[PooledConnection] | None:
        """Remove the waiter who has waited longest from the queue, skipping those who have given up."""
        waiters = self.queue
        while waiters:
            waiter = waiters.pop()
            if not waiter.done():
                return waiter
        return None

    def _is_usable(self, pooled: PooledConnection) -> bool:
        """Return whether *pooled* can be lent, and note the time for the case that it is."""
        connected_at, now = pooled.connected_at, time.monotonic()
        pooled.lent_at = now
        return (
            connected_at > self._expired_before
            and now - connected_at < self._recycle
            and not self._is_disconnected(pooled.driver)
        )

    async def _wait_with(self, breaker: Breaker, permit: int) -> PooledConnection:
        try:
            return await self._wait(self.queue.enqueue)
        except BaseException as error:
            breaker.leave(permit, answered=_is_answer(error))
            raise

    async def _wait(self, join: Callable[[asyncio.Future[PooledConnection]], None]) -> PooledConnection:
        loop = asyncio.get_running_loop()
        waiter: asyncio.Future[PooledConnection] = loop.create_future()
        join(waiter)
        self._connect_for_waiters()
        self._timeouts.begin(waiter, deadline.within(self._checkout_timeout))
        try:
            return await waiter
        except asyncio.CancelledError:
            if waiter in self.queue:
                self.queue.cancel(waiter)
            elif not waiter.cancelled() and waiter.exception() is None:
                # The connection was handed over before the cancellation arrived: it must not be lost.
                self._put_back(waiter.result())
            raise
        finally:
            self._timeouts.end(waiter)

    def _time_out(self, waiter: asyncio.Future[PooledConnection], checkout_timeout: float) -> None:
        self.queue.cancel(waiter)
        if not waiter.done():
            # Overload when others hold connections; an unreachable server when none could be opened at all.
            what = "became free" if self._lent else "was established"
            message = f"no connection {what} within {checkout_timeout:.3g} seconds"
            waiter.set_exception(PoolTimeout(message) if self._lent else TimeoutError(message))

    def _connect_for_waiters(self) -> None:
        """Start opening as many connections as callers wait for, within the limits."""
        connecting = self._supply.connecting
        left = min(MAX_CONCURRENT_CONNECTS - connecting, self._size - self.open - connecting - self._closing)
        if left <= 0 or not self.queue:
            # The usual case in an overload, in which a look at each of those who wait would cost the most.
            return
        waiting = sum(not waiter.done() for waiter in self.queue)
        for _ in range(min(left, waiting - connecting)):
            self._tasks.start(self._connect(self._supply.begin()))

    async def _connect(self, begun: float) -> None:
        try:
            async with asyncio.timeout(self._connect_timeout):
                pooled = await greenlet_spawn(open_connection, self._engine)
        except (SQLAlchemyError, OSError, TypeError, ValueError) as error:
            # The last two are of an option that the driver does not take.
            self._supply.end(begun, answered=isinstance(error, TimeoutError))
            self._fail_next_waiter(as_connect_failure(error))
        except BaseException:
            self._supply.end(begun, answered=False)
            raise
        else:
            self._supply.end(begun, answered=True)
            self._put_back(pooled)
            self._connect_for_waiters()

    def _fail_next_waiter(self, error: Exception) -> None:
        """Raise *error* at the caller who has waited longest; with no caller left it is dropped."""
        waiter = self._next_waiter()
        if waiter is not None:
            waiter.set_exception(error)
        self._connect_for_waiters()

    def _retire(self, pooled: PooledConnection) -> None:
        self._closing += 1
        self._tasks.start(self._close(pooled))

    async def _close(self, pooled: PooledConnection) -> None:
        try:
            async with asyncio.timeout(CLOSE_TIMEOUT):
                await greenlet_spawn(pooled.connection.close)
        except (SQLAlchemyError, OSError):
            pooled.abort()
        finally:
            self._closing -= 1
            self._connect_for_waiters()


def _is_answer(error: BaseException | None) -> bool | None:
    """Return `False` if *error* means that the database does not answer, and `None` if it says nothing about it."""
    return False if error is not None and is_unreachable(error) else None
