"""The acquisition of one name: first come, first served, with a timeout."""

import asyncio
import contextlib
import secrets
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from functools import partial
from typing import Final, Protocol, TypeVar

from returns.result import Failure

from fastapi_easy.application.locks.deadlock import find_cycle
from fastapi_easy.application.locks.wakeups import WaiterRegistry
from fastapi_easy.domain.errors import Outcome, Unavailable, UnavailableReason
from fastapi_easy.domain.locks.lease import Acquired, Busy, LockCapability
from fastapi_easy.domain.locks.lock_errors import (
    LockDeadlock,
    LockLimitReached,
    LockMisuse,
    LockTimeout,
    LockUnavailable,
)
from fastapi_easy.domain.locks.signal import Signal
from fastapi_easy.domain.open_transaction import has_open_transaction
from fastapi_easy.domain.ports.clock import Clock
from fastapi_easy.domain.ports.lease_store import LeaseStore

TICKET_TTL: Final = 5.0
"""Seconds without a refresh after which a waiter loses its place in the queue."""

_TICKET_REFRESH: Final = 1.5
"""Seconds between two refreshes of a place in the queue; several fit into `TICKET_TTL`."""

_FIRST_DEADLOCK_CHECK: Final = 0.25
_DEADLOCK_CHECK_INTERVAL: Final = 1.0
"""Seconds between two deadlock checks."""

_DEADLOCK_CONFIRM_DELAY: Final = 0.1
"""Seconds after which a deadlock must still be there: not every store shows all waits of one moment."""

_MIN_BACKOFF: Final = 0.005
_MIN_BACKOFF_WITH_WAKEUPS: Final = 0.1
_MAX_BACKOFF: Final = 0.5
"""Seconds between two attempts of the waiter who is next; longer where the store sends wakeups."""

_MIN_OUTAGE_BACKOFF: Final = 0.05
_MAX_OUTAGE_BACKOFF: Final = 1.0
"""Seconds between two calls of a store that does not answer, or does not let the call through."""

_RETRY_WINDOW: Final = 1.0
"""Seconds for which an open transaction waits for a store that does not answer: a broken connection is replaced, and
what the transaction has locked is not kept from others for as long as an outage."""

_BACKOFF_FACTOR: Final = 0.05
"""The delay in noticing a release, as a part of the time for which the lock was held."""

T = TypeVar("T")


class StoreCall(Protocol):
    """Calls the store with a timeout, after which it returns `Unavailable` while the call runs to its end."""

    async def __call__(
        self,
        call: Coroutine[object, object, Outcome[T]],
        *,
        limit: float = ...,
        owner: str = ...,
        bypass_breaker: bool = ...,
    ) -> Outcome[T]:
        """Return the answer to *call*, made for *owner*, if it comes within *limit* seconds.

        While the circuit breaker is open the call is not made, unless *bypass_breaker*, for those a lease depends on.
        """
        ...


@dataclass(slots=True, kw_only=True)
class LockRequest:
    """One owner's request for one name.

    Attributes:
        store: The store that is asked for it.

        waiters: The waiters of this process, woken when it releases the name.

        is_isolated: Whether an operator lets nobody call the store, which no waiting ends.

        until: When to give up, on the clock of `Clock.monotonic`.

        is_known: The store may know the request: it is queued there, or may have been acquired.
    """

    store: LeaseStore
    clock: Clock
    call_store: StoreCall
    waiters: WaiterRegistry
    is_isolated: Callable[[], bool]
    name: str
    owner: str
    ttl: float
    wait: float
    fair: bool
    until: float
    is_known: bool = False

    async def acquire(self) -> tuple[int, float]:
        """Wait until the name is held; return its fencing token and the time of the request that acquired it.

        Raises:
            LockTimeout, LockDeadlock, LockUnavailable, LockMisuse: as `LockProvider.hold`.
        """
        begun = self.clock.monotonic()
        answer, requested_at = await self._try_acquire(None if self.fair else 0)
        if isinstance(answer, Acquired):
            return answer.token, requested_at
        if self.wait <= 0:
            self.is_known = False
            raise _timeout(self.name, answer, 0.0)
        if has_open_transaction():
            self.is_known = False
            raise LockMisuse(
                f"lock {self.name!r} is held by another owner, and this task has an open transaction: hold the "
                "lock first and "
                "begin the unit of work inside, or ask with wait=0"
            )
        async with (
            self.store.wakeups(self.name, self.owner) as event,
            self.waiters.register(self.name, event),
        ):
            return await self._queue(begun, event)

    async def _queue(self, begun: float, event: Signal) -> tuple[int, float]:
        clock, can = self.clock, self.store.capabilities
        next_refresh, next_check = 0.0, _FIRST_DEADLOCK_CHECK
        ticket: int | None = None
        backoff = _Backoff(self.store)
        while True:
            waited = clock.monotonic() - begun
            if LockCapability.FIFO in can and waited >= next_refresh:
                next_refresh = waited + _TICKET_REFRESH
                ticket = await self._call_store(
                    partial(self.store.enqueue, self.name, self.owner, TICKET_TTL)
                )
            event.clear()
            answer, requested_at = await self._try_acquire(ticket if self.fair else 0)
            if isinstance(answer, Acquired):
                return answer.token, requested_at
            waited = clock.monotonic() - begun
            left = self.until - clock.monotonic()
            if left <= 0:
                raise _timeout(self.name, answer, waited)
            if LockCapability.DEADLOCK in can and waited >= next_check:
                next_check = waited + _DEADLOCK_CHECK_INTERVAL
                await self._detect_deadlock()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(min(left, backoff.delay(answer, waited))):
                    _ = await event.wait()

    async def _try_acquire(self, ticket: int | None) -> tuple[Acquired | Busy, float]:
        requested_at = self.clock.monotonic()

        async def try_acquire() -> Outcome[Acquired | Busy]:
            # A lease begins with its request, not with the wait for a turn to make it.
            nonlocal requested_at
            requested_at = self.clock.monotonic()
            return await self.store.try_acquire(self.name, self.owner, self.ttl, ticket)

        answer = await self._call_store(try_acquire)
        return answer, requested_at

    async def _call_store(self, call: Callable[[], Coroutine[object, object, Outcome[T]]]) -> T:
        # A call whose answer was lost is repeated: calls are idempotent for the same owner. An outage that is
        # shorter than the wait is part of the wait.
        requested_at, pause = self.clock.monotonic(), _MIN_OUTAGE_BACKOFF
        while True:
            was_known, self.is_known = self.is_known, True
            outcome = await self.call_store(call(), owner=self.owner)
            if not isinstance(outcome, Failure):
                return outcome.unwrap()
            error = outcome.failure()
            if not isinstance(error, Unavailable):
                raise LockUnavailable(self.name, Unavailable(self.store.name))
            if error.reason is UnavailableReason.CIRCUIT_OPEN:
                self.is_known = was_known
            left = self._waits_until(error.reason, requested_at) - self.clock.monotonic()
            if left <= 0:
                raise LockUnavailable(self.name, error)
            if error.reason is UnavailableReason.OVERLOAD:
                # Too many concurrent calls on this side: the store is up.
                await asyncio.sleep(_MIN_BACKOFF)
                continue
            await asyncio.sleep(min(left, _jittered(pause)))
            pause = min(2 * pause, _MAX_OUTAGE_BACKOFF)

    def _waits_until(self, reason: UnavailableReason, requested_at: float) -> float:
        """Return until when a call that was first made at *requested_at* is repeated after *reason*."""
        if reason is UnavailableReason.OVERLOAD:
            return self.until
        if reason is UnavailableReason.CIRCUIT_OPEN and self.is_isolated():
            return requested_at
        return min(self.until, requested_at + _RETRY_WINDOW) if has_open_transaction() else self.until

    async def _detect_deadlock(self) -> None:
        """Raise `LockDeadlock` when this request closes a cycle of owners who wait for one another.

        The cycle is read twice: edges that a store reports at slightly different moments can look like one.
        """
        first = find_cycle(self.owner, await self._call_store(self.store.edges))
        if not first:
            return
        await asyncio.sleep(_DEADLOCK_CONFIRM_DELAY)
        again = find_cycle(self.owner, await self._call_store(self.store.edges))
        if again == first:
            raise LockDeadlock(self.name, tuple(edge.name for edge in first))


class _Backoff:
    """The backoff, with jitter, between two attempts."""

    __slots__ = ("_changed_at", "_seen", "_store")

    def __init__(self, store: LeaseStore) -> None:
        self._store = store
        self._seen = Busy()
        self._changed_at = 0.0

    def delay(self, answer: Busy, now: float) -> float:
        """Return the seconds until the next attempt after *answer*, with jitter.

        It grows with the number of waiters ahead, and with the time since the queue last moved.
        """
        if answer != self._seen:
            self._seen, self._changed_at = answer, now
        shortest = _MIN_BACKOFF_WITH_WAKEUPS if self._store.sends_wakeups else _MIN_BACKOFF
        mean = max(shortest * (1 + answer.ahead), (now - self._changed_at) * _BACKOFF_FACTOR)
        limit = _MAX_BACKOFF * 2 if answer.ahead else _MAX_BACKOFF
        return _jittered(min(mean, limit))


def _jittered(seconds: float) -> float:
    """Return *seconds*, or half of them more or less, so that waiters do not ask in step."""
    return seconds * (50 + secrets.randbelow(100)) / 100


def _timeout(name: str, answer: Busy, waited: float) -> LockTimeout:
    """Return the error about a wait of *waited* seconds that ended with *answer*."""
    if answer.limit is not None:
        return LockLimitReached(name, answer.limit, waited)
    return LockTimeout(name, answer.holder, waited)
