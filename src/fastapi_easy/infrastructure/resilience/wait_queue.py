"""Those who wait for the same thing, in the order they came."""

import secrets
import time
from collections.abc import Callable, Hashable, Iterator
from typing import Final, Generic, TypeVar

from fastapi_easy.domain.errors import UnavailableReason
from fastapi_easy.domain.ports.breaker import CallNotPermitted

W = TypeVar("W", bound=Hashable)

_SMOOTHING: Final = 0.1
"""How much the latest turn counts in the pace; the earlier ones fade."""


class WaitQueue(Generic[W]):
    """A line that nobody joins who would have to stand in it for too long.

    So it may grow as long as it moves: a burst is waited out, and in an overload those who come last are sent away at
    once, while those who stand in it are served in time.

    Args:
        limit: Seconds that are too long.

        is_warmed_up: Says whether everything is there that is waited for. While some of it is still being made, how
            fast the line moves says nothing: nothing is learnt from it, and nobody is sent away.

    Attributes:
        shed: How many were sent away.

        waited: How many have stood here, and do not any more.

        wait_seconds: How long, together.
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
            CallNotPermitted: It would take too long, or somebody has stood here for too long already.
        """
        now, since = time.monotonic(), self._since
        if not since:
            # The pace of an earlier line says nothing about this one, which may be for something quicker.
            self._last_served_at, self._seconds_per_turn = now, 0.0
        elif self._is_overloaded(now) and self._is_warmed_up():
            self.shed += 1
            # By chance, so that they do not come back at once together.
            raise CallNotPermitted(UnavailableReason.OVERLOAD, 1.0 + secrets.randbelow(2000) / 1000)
        since[waiter] = now

    def _is_overloaded(self, now: float) -> bool:
        since = self._since
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
            StopIteration: Nobody is here.
        """
        first = next(iter(self._since))
        self.dequeue(first)
        return first
