"""What the connections of a pool will give to those who wait for one, also while they are still being made."""

import math
import time
from collections.abc import Callable
from typing import Final

_LATEST: Final = 0.5
"""The weight of the latest connection in the time that one takes to be made."""


class ConnectionSupply:
    """Implements `Supply` for a pool that opens its connections when they are needed.

    How long it takes to open one is learnt from every attempt, and of one that is under way it is known that it takes
    at least so long. So a pool that is cold, or whose server is slow to answer, is judged from the first call.

    Args:
        size: Connections at most.

        concurrent: Connections that are opened at the same time at most.

        timeout: Seconds that callers wait for a connection at most.

        opened: Returns how many are open at this moment.

        now: Returns seconds since some fixed moment.
    """

    __slots__ = ("_begun", "_concurrent", "_connect_seconds", "_now", "_opened", "_size", "_timeout")

    def __init__(
        self,
        size: int,
        concurrent: int,
        timeout: float,
        opened: Callable[[], int],
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._size = size
        self._concurrent = concurrent
        self._timeout = timeout
        self._opened = opened
        self._now = now
        self._connect_seconds = 0.0
        self._begun: list[float] = []

    @property
    def connections(self) -> int:
        """How many are open."""
        return self._opened()

    @property
    def grace(self) -> float:
        """Seconds until the first connection can be there; 0 when there is one, or nobody knows."""
        return 0.0 if self._opened() else self._connect_seconds

    @property
    def connecting(self) -> int:
        """How many are being opened."""
        return len(self._begun)

    def begin(self) -> float:
        """Note that one is being opened, and return when that began."""
        begun = self._now()
        self._begun.append(begun)
        return begun

    def end(self, begun: float, *, answered: bool) -> None:
        """Note that opening the one that *begun* then has ended.

        Args:
            begun: What `begin` returned.

            answered: It is open, or it took all the time that it may take; a refusal says nothing of how long it takes.
        """
        self._begun.remove(begun)
        if answered:
            took = self._now() - begun
            known = self._connect_seconds
            self._connect_seconds = took if known == 0 else known + (took - known) * _LATEST

    def seconds_within(self, seconds: float) -> float:
        """Return the seconds for which connections can be lent within the next *seconds*, all of them together."""
        if math.isinf(seconds):
            # For those who may wait as long as they like.
            return math.inf
        opened = self._opened()
        missing = self._size - opened
        if missing <= 0:
            return opened * seconds
        first, each = self._until_next()
        if not opened:
            if first >= self._timeout:
                return 0.0
            # To wait for the first connection is not to wait behind others.
            seconds += first
        usable = seconds - first
        if usable <= 0:
            return opened * seconds
        together = min(self._concurrent, missing)
        rounds = -(-missing // together)
        if each > 0:
            rounds = min(rounds, int(usable / each) + 1)
        coming = together * (rounds * usable - each * rounds * (rounds - 1) / 2)
        return opened * seconds + min(coming, missing * usable)

    def _until_next(self) -> tuple[float, float]:
        """Return the seconds until the next connection is there, and those that each one takes."""
        each = self._connect_seconds
        if not self._begun:
            return each, each
        elapsed = self._now() - self._begun[0]
        if elapsed < each:
            return each - elapsed, each
        # It takes longer than it usually does: about as long again, for all that is known.
        return elapsed, max(each, 2 * elapsed)
