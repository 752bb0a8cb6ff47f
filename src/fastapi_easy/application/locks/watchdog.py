"""The watchdog that renews a lease while its holder works, and notices when it is lost."""

import asyncio
import math
from typing import Final

from returns.result import Success

from fastapi_easy.application.locks.held_lease import LeaseState
from fastapi_easy.application.locks.lock_request import StoreCall

HEARTBEAT: Final = 3.0
"""Seconds at most between two checks of a lock that does not expire, but is lost with its connection."""

_RENEWALS_PER_TTL: Final = 3
"""Renewals in the time of a lease."""

_STALL_THRESHOLD: Final = 0.2
"""Seconds past the expiry from which on a suspended process, and not a silent store, is named as the reason."""


async def watch(state: LeaseState, call_store: StoreCall, max_hold: float | None) -> None:
    """Renew *state* until it is lost; the caller cancels this when the lease is released.

    A refused renewal is a loss. No answer is not: the store is asked again until the lease has expired on this side.

    Args:
        state: The lease to renew.

        call_store: Calls the store with a timeout, and returns `Unavailable` when there is no answer in time.

        max_hold: Seconds after which the lease is no longer renewed.
    """
    clock = state.clock
    period = state.ttl / _RENEWALS_PER_TTL if state.expires else min(state.ttl / _RENEWALS_PER_TTL, HEARTBEAT)
    ends = math.inf if max_hold is None else clock.monotonic() + max_hold
    # On a slow network much of the period may have passed before the answer arrived.
    pause = max(0.0, period - state.elapsed)
    while True:
        left = ends - clock.monotonic()
        renews = left > 0
        await asyncio.sleep(min(pause if renews else period, state.remaining, left if renews else period))
        if state.lost.is_set():
            return
        if state.remaining <= 0 or (not state.expires and clock.monotonic() >= ends):
            state.mark_lost(_reason(state, max_hold, exceeds_max_hold=clock.monotonic() >= ends))
            return
        if not renews:
            # Past `max_hold`: only wait until the lease has expired.
            continue
        renewed = await call_store(
            state.renew(), limit=state.ttl / (2 * _RENEWALS_PER_TTL), bypass_breaker=True
        )
        # After a failure sooner: the lease is to survive an outage that is shorter than what is left of it.
        pause = max(0.0, period - state.elapsed) if isinstance(renewed, Success) else period / 4


def _reason(state: LeaseState, max_hold: float | None, *, exceeds_max_hold: bool) -> str:
    if state.overdue > _STALL_THRESHOLD:
        return (
            f"it expired {state.overdue:.1f} s ago: the process was suspended, or its event loop was blocked"
        )
    if exceeds_max_hold:
        return f"it was held for longer than max_hold, which is {max_hold} s"
    return f"it expired: {state.store.name} did not respond for {state.ttl:.1f} s"
