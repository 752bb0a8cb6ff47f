"""Limits on waits that are many and mostly short: one timer for all of them."""

import asyncio
import time
from collections.abc import Callable
from typing import Final, Generic, TypeVar

W = TypeVar("W")

GRAIN: Final = 0.05
"""Seconds by which a timeout may be late. A timer for each wait would take longer than most of the waits."""

LOOK_INTERVAL: Final = 0.25


class WaitTimeouts(Generic[W]):
    """The limits of those who wait.

    Args:
        on_timeout: Called with a waiter whose time is over, and the seconds that it had.

        on_look: Called every `LOOK_INTERVAL` seconds while anybody waits.
    """

    __slots__ = ("_ends", "_loop", "_next_look", "_on_look", "_on_timeout", "_timer")

    def __init__(
        self, on_timeout: Callable[[W, float], None], on_look: Callable[[], None] = lambda: None
    ) -> None:
        self._on_timeout = on_timeout
        self._on_look = on_look
        self._next_look = 0.0
        self._ends: dict[W, tuple[float, float]] = {}
        self._timer: asyncio.TimerHandle | None = None
        self._loop: asyncio.AbstractEventLoop | None = None

    def begin(self, waiter: W, seconds: float) -> None:
        """Begin the wait of *waiter*, which ends after so many *seconds*, unless `end` is called before."""
        self._ends[waiter] = time.monotonic() + seconds, seconds
        loop = asyncio.get_running_loop()
        # The timer of a loop that has ended never comes.
        if self._timer is None or self._loop is not loop:
            self._loop = loop
            self._timer = loop.call_later(min(GRAIN, seconds), self._look)

    def end(self, waiter: W) -> None:
        """End the wait of *waiter*; nothing happens when its time was over."""
        _ = self._ends.pop(waiter, None)

    def _look(self) -> None:
        now = time.monotonic()
        over = [(waiter, seconds) for waiter, (end, seconds) in self._ends.items() if end <= now]
        for waiter, seconds in over:
            self.end(waiter)
            self._on_timeout(waiter, seconds)
        if self._ends and now >= self._next_look:
            self._next_look = now + LOOK_INTERVAL
            self._on_look()
        # Without any waiters the next one begins anew.
        self._timer = asyncio.get_running_loop().call_later(GRAIN, self._look) if self._ends else None
