"""Turns: one at a time, first come first served."""

import asyncio

from fastapi_easy.domain import deadline
from fastapi_easy.infrastructure.resilience.wait_queue import WaitQueue


class Turns:
    """Gives a turn to one caller at a time: to write to a file of SQLite, say, which has one writer (ADR 93).

    Args:
        wait: Seconds to wait for a turn. Who would have to wait longer is rejected at once.

    Attributes:
        is_taken: It is somebody's turn; whoever finds that it is nobody's may set it, and has taken one.

        waiters: Those who wait for their turn.
    """

    __slots__ = ("_wait", "is_taken", "waiters")

    def __init__(self, wait: float) -> None:
        self._wait = wait
        self.is_taken = False
        self.waiters = WaitQueue[asyncio.Future[None]](wait)

    async def take(self) -> None:
        """Wait for a turn, which the caller has to `give_back` whatever happens.

        Raises:
            CallNotPermitted: Too many wait already.

            TimeoutError: It took too long.
        """
        if not self.is_taken:
            self.is_taken = True
            return
        loop = asyncio.get_running_loop()
        waiter: asyncio.Future[None] = loop.create_future()
        self.waiters.enqueue(waiter)
        limit = loop.call_later(deadline.within(self._wait), self._time_out, waiter)
        try:
            await waiter
        except asyncio.CancelledError:
            if waiter in self.waiters:
                self.waiters.cancel(waiter)
            elif not waiter.cancelled() and waiter.exception() is None:
                # It was this caller's turn before the cancellation arrived.
                self.give_back()
            raise
        finally:
            limit.cancel()

    def give_back(self) -> None:
        """End the turn: the next one is that of the caller who has waited longest."""
        while self.waiters:
            waiter = self.waiters.pop()
            if not waiter.done():
                waiter.set_result(None)
                return
        self.is_taken = False

    def _time_out(self, waiter: asyncio.Future[None]) -> None:
        self.waiters.cancel(waiter)
        if not waiter.done():
            waiter.set_exception(TimeoutError())
