"""A queue that sheds load: waiters in the order they came, none of which waits for too long."""

import secrets
import time
from collections.abc import Callable, Hashable, Iterator
from typing import Final, Generic, TypeVar

from fastapi_easy.domain.errors import UnavailableReason
from fastapi_easy.domain.ports.breaker import CallNotPermitted

W = TypeVar("W", bound=Hashable)

_SMOOTHING: Final = 0.1
"""The weight of the latest turn in the average time per turn; earlier ones fade exponentially."""


class WaitQueue(Generic[W]):
    """A FIFO queue that rejects a waiter which would wait for too long.

    It may be long while it moves fast: a burst is absorbed, but in an overload late waiters are rejected at once, and
    those in the queue are served in time. The length alone would not tell one from the other (ADR 26).

    Args:
        limit: Seconds that are too long.

        is_warmed_up: Returns whether everything exists that is waited for. While connections are still being made, the
            pace of the queue says nothing: it is not learnt, and no waiter is rejected.

    Attributes:
        shed: How many waiters were rejected.

        waited: How many have waited here, and do not any more.

        wait_seconds: How long they have waited, in all.
    """

    __slots__ = (
        "_is_warmed_up",
        "_last_served_at",
        "_limit",
        "_seconds_per_turn",
        "_since",
        "shed",
        "wait_seconds",
        "waited",
    )

    def __init__(self, limit: float, is_warmed_up: Callable[[], bool] = lambda: True) -> None:
        self._limit = limit
        self._is_warmed_up = is_warmed_up
        self._since: dict[W, float] = {}
        self._seconds_per_turn = 0.0
        self._last_served_at = 0.0
        self.shed = 0
        self.waited = 0
        self.wait_seconds = 0.0

    def __len__(self) -> int:
        return len(self._since)

    def __iter__(self) -> Iterator[W]:
        return iter(self._since)

    def __contains__(self, waiter: object) -> bool:
        return waiter in self._since

    def enqueue(self, waiter: W) -> None:
        """Put *waiter* behind the last.

        Raises:
            CallNotPermitted: It would wait for too long, or the first has waited for too long already.
        """
        now, since = time.monotonic(), self._since
        if not since:
            # The pace of an earlier queue says nothing about this one, which may be for quicker calls.
            self._last_served_at, self._seconds_per_turn = now, 0.0
        elif self._is_overloaded(now) and self._is_warmed_up():
            self.shed += 1
            # Jitter, so that rejected callers do not all come back at the same moment.
            raise CallNotPermitted(UnavailableReason.OVERLOAD, 1.0 + secrets.randbelow(2000) / 1000)
        since[waiter] = now

    def _is_overloaded(self, now: float) -> bool:
        since = self._since
        # The expected wait at the present pace; and the age of the first, for a queue that does not move at all.
        return (
            len(since) * self._seconds_per_turn >= self._limit
            or now - next(iter(since.values())) >= self._limit
        )

    def enqueue_first(self, waiter: W) -> None:
        """Put *waiter* before all others, and never reject it: for a health check, which asks rarely."""
        now, behind = time.monotonic(), self._since
        if not behind:
            self._last_served_at = now
        self._since = {waiter: next(iter(behind.values()), now), **behind}

    def cancel(self, waiter: W) -> None:
        """Remove *waiter*, which has given up; nothing happens when it does not wait."""
        since = self._since.pop(waiter, None)
        if since is not None:
            self.waited += 1
            self.wait_seconds += time.monotonic() - since

    def dequeue(self, waiter: W) -> None:
        """Remove *waiter*, whose turn it is, and learn from it how fast the queue moves."""
        now = time.monotonic()
        self.waited += 1
        self.wait_seconds += now - self._since.pop(waiter)
        if self._is_warmed_up():
            self._seconds_per_turn += ((now - self._last_served_at) - self._seconds_per_turn) * _SMOOTHING
        self._last_served_at = now

    def pop(self) -> W:
        """Remove and return the first, whose turn it is.

        Raises:
            StopIteration: The queue is empty.
        """
        first = next(iter(self._since))
        self.dequeue(first)
        return first
