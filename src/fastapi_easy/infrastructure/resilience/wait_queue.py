"""A queue that sheds load: waiters in the order they came, none of which waits for too long."""

import secrets
import time
from collections.abc import Callable, Collection, Hashable, Iterator
from typing import Final, Generic, Protocol, TypeVar

from fastapi_easy.domain.errors import UnavailableReason
from fastapi_easy.domain.ports.breaker import CallNotPermitted

W = TypeVar("W", bound=Hashable)

_SMOOTHING: Final = 0.1
"""The weight of the latest turn in the average, at most; earlier ones fade exponentially."""

_ROUNDS: Final = 10
"""Turns of every connection over which the average is taken at least: they may all end at the same moment."""


_OUTLIER: Final = 4
"""How many times longer than a whole round of turns one may have been to count in full."""

_BURST: Final = 0.1
"""Seconds that the process may need for the requests that came with the first of a queue."""


_TRUST: Final = 4
"""How many times longer than a new queue has stood a connection is believed to be held, as it was in an earlier one."""


_KNOWN: Final = 5
"""Turns after which it is known how fast a queue moves."""


class Supply(Protocol):
    """The connections that are waited for."""

    @property
    def connections(self) -> int:
        """How many there are."""
        ...

    @property
    def grace(self) -> float:
        """Seconds that the first may have to wait although nothing is wrong: none has been made yet."""
        ...

    def seconds_within(self, seconds: float) -> float:
        """Return the seconds for which connections can be lent within the next *seconds*, all of them together."""
        ...


class FixedSupply:
    """Implements `Supply` for connections that are all there, or soon will be.

    Args:
        connections: How many.
    """

    __slots__ = ("connections",)

    grace: Final = 0.0

    def __init__(self, connections: int = 1) -> None:
        self.connections = connections

    def seconds_within(self, seconds: float) -> float:
        """Return the seconds for which they can be lent within the next *seconds*."""
        return self.connections * seconds


class WaitQueue(Generic[W]):
    """A FIFO queue that rejects a waiter which would wait for too long.

    It may be long while it moves fast: a burst is absorbed, but in an overload late waiters are rejected at once, and
    those in the queue are served in time. The length alone would not tell one from the other (ADR 26).

    What is learnt is how long a connection is held for one turn. How many turns there will be in time follows from the
    connections that there are and will be, so that it is known also while some are still being made.

    Args:
        limit: Seconds that are too long.

        supply: The connections that are waited for.

        on_shed: Called for each waiter that is rejected. Must be quick and must not raise.

        now: Returns seconds since some fixed moment.

    Attributes:
        waiters: Those who wait, in their order: always the same object.

        shed: How many waiters were rejected.

        waited: How many have waited here, and do not any more.

        wait_seconds: How long they have waited, in all.
    """

    __slots__ = (
        "_held",
        "_last_served_at",
        "_limit",
        "_now",
        "_on_shed",
        "_since",
        "_supply",
        "_turns",
        "shed",
        "wait_seconds",
        "waited",
        "waiters",
    )

    def __init__(
        self,
        limit: float,
        supply: Supply | None = None,
        on_shed: Callable[[], None] = lambda: None,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._limit = limit
        self._supply = supply or FixedSupply()
        self._on_shed = on_shed
        self._now = now
        self._since: dict[W, float] = {}
        self.waiters: Collection[W] = self._since
        self._held = 0.0
        self._turns = 0
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
        now, since = self._now(), self._since
        if not since:
            self._last_served_at, self._turns = now, 0
        elif self._is_too_long(now):
            self._reject()
            raise CallNotPermitted(UnavailableReason.OVERLOAD, retry_after())
        since[waiter] = now

    def refuses(self) -> bool:
        """Return whether a waiter would be rejected at this moment, and count it as rejected if so.

        For those who can turn it away before anything is done for it. Quick while nobody waits.
        """
        if not self._since or not self._is_too_long(self._now()):
            return False
        self._reject()
        return True

    def _reject(self) -> None:
        self.shed += 1
        self._on_shed()

    def _is_too_long(self, now: float) -> bool:
        since, supply = self._since, self._supply
        held = self._held if self._turns else self._held_before_first_turn(now - self._last_served_at)
        if len(since) * held >= supply.seconds_within(self._limit):
            return True
        # A queue that does not move at all. That the first has waited for long is no sign of it: the process may not
        # have run, and then the queue moves again.
        unserved = now - max(self._last_served_at, next(iter(since.values())))
        return unserved >= self._limit + supply.grace

    def _held_before_first_turn(self, unserved: float) -> float:
        """Return what is known when nobody was served for the *unserved* seconds for which there has been a queue."""
        # Every connection has been held for so long, of which the process itself may have needed some. What an earlier
        # queue has taught counts as soon as this one has not moved for a while: it may be for quicker calls.
        return max(unserved - _BURST, min(self._held, unserved * _TRUST))

    def enqueue_first(self, waiter: W) -> None:
        """Put *waiter* before all others, and never reject it: for a health check, which asks rarely."""
        now, behind = self._now(), self._since
        if not behind:
            self._last_served_at, self._turns = now, 0
        others = tuple(behind.items())
        # The same mapping, which others look at.
        behind.clear()
        behind[waiter] = others[0][1] if others else now
        behind.update(others)

    def pop_hopeless(self, timeout: float) -> W | None:
        """Remove and return the last, counted as rejected, if it would wait for more than *timeout* seconds in all.

        Those who come before anybody was served are let in on trust. As soon as it is known how fast the queue moves,
        who would wait in vain is better told so.
        """
        work = len(self._since) * self._held
        # The usual case: all of them are served soon.
        if self._turns < _KNOWN or work < self._limit * self._supply.connections or len(self._since) <= 1:
            return None
        last = next(reversed(self._since))
        left = timeout - (self._now() - self._since[last])
        if work < self._supply.seconds_within(max(0.0, left)):
            return None
        self.cancel(last)
        self._reject()
        return last

    def cancel(self, waiter: W) -> None:
        """Remove *waiter*, which has given up; nothing happens when it does not wait."""
        since = self._since.pop(waiter, None)
        if since is not None:
            self.waited += 1
            self.wait_seconds += self._now() - since

    def dequeue(self, waiter: W) -> None:
        """Remove *waiter*, whose turn it is, and learn from it how fast the queue moves."""
        now = self._now()
        self.waited += 1
        self.wait_seconds += now - self._since.pop(waiter)
        self._turns += 1
        connections = self._supply.connections
        held = (now - self._last_served_at) * connections
        if self._turns > _KNOWN:
            # One turn in which the process did not run says nothing of the others.
            held = min(held, self._held * _OUTLIER * connections)
        weight = min(_SMOOTHING, 1 / (_ROUNDS * (connections or 1)))
        # The mean of the first turns, in which none counts for more than the others.
        self._held += (held - self._held) * max(weight, 1 / self._turns)
        self._last_served_at = now

    def pop(self) -> W:
        """Remove and return the first, whose turn it is.

        Raises:
            StopIteration: The queue is empty.
        """
        first = next(iter(self._since))
        self.dequeue(first)
        return first


def retry_after() -> float:
    """Return the seconds after which a rejected caller may ask again, with jitter: not all at the same moment."""
    return 1.0 + secrets.randbelow(2000) / 1000
