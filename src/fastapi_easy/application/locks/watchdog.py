"""The watchdog that renews the leases of a process while their holders work, and notices when one is lost."""

import asyncio
import math
from collections.abc import Callable, Coroutine, Sequence
from contextvars import Context
from typing import Final

from returns.result import Success

from fastapi_easy.application.locks.lease_state import LeaseState
from fastapi_easy.application.locks.lock_request import StoreCall
from fastapi_easy.application.locks.renewal import renew_leases, split_into_batches
from fastapi_easy.domain.locks.renewal import RenewalFigures
from fastapi_easy.domain.ports.clock import Clock

_STALL_THRESHOLD: Final = 0.2
"""Seconds past the expiry from which on a suspended process, and not a silent store, is named as the reason."""

_MAX_ADVANCE: Final = 0.5
"""Part of its period by which a renewal is made earlier at most: to join others, or because the last ones were late."""

_ANSWER_LIMIT: Final = 0.5
"""Part of the period after which a renewal without an answer is made again."""

_RETRY_DELAY: Final = 0.25
"""Part of the period after which a failed renewal is repeated: a lease survives an outage shorter than what is left."""

_LATENESS_DECAY: Final = 0.75
"""What is left of an earlier lateness with each batch that was less late."""

_MIN_SLEEP: Final = 0.001
"""Seconds: the timers of the event loop and the clock of leases may differ a little."""


class Watchdog:
    """Renews leases in batches: when one is due, those that are due soon are renewed in the same call of the store.

    A refused renewal is a loss. No answer is not: the store is asked again until the lease has expired on this side.
    The lateness of renewals, from the planned moment to the answer, moves the next ones forward.

    Args:
        clock: Measures time on this side.

        call_store: Calls the store with a timeout, and returns `Unavailable` when there is no answer in time.

        start_task: Starts a task that belongs to the caller.

        on_limit: Called with a lease that has reached `max_hold`, after it was marked as lost.
    """

    def __init__(
        self,
        clock: Clock,
        call_store: StoreCall,
        start_task: Callable[[Coroutine[object, object, None]], object],
        on_limit: Callable[[LeaseState], None],
    ) -> None:
        self._clock = clock
        self._call_store = call_store
        self._start_task = start_task
        self._on_limit = on_limit
        self._due: dict[LeaseState, float] = {}
        self._timer: asyncio.TimerHandle | None = None
        self._lateness = 0.0
        self._renewed = self._lost = 0
        self._late_seconds = 0.0

    def figures(self, held: int) -> RenewalFigures:
        """Return how renewals went so far, of a process that holds *held* leases."""
        return RenewalFigures(
            held=held,
            renewed=self._renewed,
            late_seconds=self._late_seconds,
            lateness=self._lateness,
            lost=self._lost,
        )

    def watch(self, lease: LeaseState) -> None:
        """Renew *lease* from now on, until it is lost or forgotten."""
        due = self._due[lease] = self._next_due(lease)
        self._wake_at(min(due, lease.until))

    def forget(self, lease: LeaseState) -> None:
        """Renew *lease* no longer."""
        if self._due.pop(lease, None) is None:
            return
        self._lost += lease.lost.is_set()
        if not self._due:
            self._stop_timer()

    def forget_all(self) -> None:
        """Renew nothing any longer."""
        self._due.clear()
        self._stop_timer()

    def _look(self) -> None:
        """Renew what is due, and end what has expired or reached its limit."""
        self._stop_timer()
        now = self._clock.monotonic()
        for lease in [each for each in self._due if each.lost.is_set() or each.until <= now]:
            del self._due[lease]
            self._end(lease, now)
        if any(due <= now for due in self._due.values()):
            ripe = [each for each, due in self._due.items() if due <= now + each.period * _MAX_ADVANCE]
            for batch in split_into_batches(ripe):
                earliest = min(self._due[each] for each in batch)
                self._due.update(dict.fromkeys(batch, math.inf))
                _ = self._start_task(self._renew(batch, earliest))
        if self._due:
            self._wake_at(min(min(due, each.until) for each, due in self._due.items()))

    async def _renew(self, batch: Sequence[LeaseState], due: float) -> None:
        """Renew *batch*, the first of which was *due* then, and plan its next renewal."""
        period = min(each.period for each in batch)
        is_answered = False
        try:
            renewed = await self._call_store(
                renew_leases(batch), limit=period * _ANSWER_LIMIT, bypass_breaker=True
            )
            is_answered = isinstance(renewed, Success)
        finally:
            now = self._clock.monotonic()
            late = max(0.0, now - due)
            self._lateness = max(late, self._lateness * _LATENESS_DECAY)
            for each in batch:
                if each not in self._due:
                    continue
                self._due[each] = self._next_due(each) if is_answered else now + each.period * _RETRY_DELAY
                if is_answered and not each.lost.is_set():
                    self._renewed += 1
                    self._late_seconds += late
            self._look()

    def _next_due(self, lease: LeaseState) -> float:
        period = lease.period
        return lease.renewed_at + period - min(self._lateness, period * _MAX_ADVANCE)

    def _end(self, lease: LeaseState, now: float) -> None:
        lease.mark_lost(_reason(lease))
        self._lost += 1
        if now >= lease.ends_at:
            self._on_limit(lease)

    def _wake_at(self, moment: float) -> None:
        """Look at the leases at *moment*, unless that is done before."""
        loop = asyncio.get_running_loop()
        when = loop.time() + max(moment - self._clock.monotonic(), _MIN_SLEEP)
        if self._timer is not None:
            if self._timer.when() <= when:
                return
            self._timer.cancel()
        # An empty context: the timer outlives the call that has acquired a lease, and its deadline.
        self._timer = loop.call_at(when, self._look, context=Context())

    def _stop_timer(self) -> None:
        timer, self._timer = self._timer, None
        if timer is not None:
            timer.cancel()


def _reason(lease: LeaseState) -> str:
    if lease.until >= lease.ends_at:
        return lease.limit_reason
    if lease.overdue > _STALL_THRESHOLD:
        return (
            f"it expired {lease.overdue:.1f} s ago: the process was suspended, or its event loop was blocked"
        )
    return f"it expired: {lease.store.name} did not respond for {lease.ttl:.1f} s"
