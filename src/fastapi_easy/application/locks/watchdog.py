"""Keeps a lease alive while its holder works, and notices when it is lost."""

import asyncio
import math
from typing import Final

from returns.result import Success

from fastapi_easy.application.locks.held_lease import Holding
from fastapi_easy.application.locks.lock_request import Ask

HEARTBEAT: Final = 3.0
"""Seconds at most between two looks at a lock that does not run out, but is gone with its connection."""

_PART: Final = 3
"""Renewals in the time of a lease."""

_STALL: Final = 0.2
"""Seconds by which the program has to be late to be said to have stood still."""


async def watch(holding: Holding, ask: Ask, max_hold: float | None) -> None:
    """Renew *holding* until it is lost; whoever started this ends it when the lease is given back.

    A refusal is a loss. Silence is not: the store is asked again until the lease has run out on this side.

    Args:
        holding: What to renew.

        ask: Asks the store, within a limit of seconds, and answers `Unavailable` when there is no answer.

        max_hold: Seconds after which it is renewed no more.
    """
    clock = holding.clock
    period = holding.ttl / _PART if holding.runs_out else min(holding.ttl / _PART, HEARTBEAT)
    ends = math.inf if max_hold is None else clock.monotonic() + max_hold
    # On a slow wire much of the time may have been spent before the answer came.
    pause = max(0.0, period - holding.spent)
    while True:
        left = ends - clock.monotonic()
        renews = left > 0
        await asyncio.sleep(min(pause if renews else period, holding.remaining, left if renews else period))
        if holding.lost.is_set():
            return
        if holding.remaining <= 0 or (not holding.runs_out and clock.monotonic() >= ends):
            holding.lose(_reason(holding, max_hold, is_over=clock.monotonic() >= ends))
            return
        if not renews:
            continue
        renewed = await ask(holding.renew(), limit=holding.ttl / (2 * _PART), insists=True)
        pause = max(0.0, period - holding.spent) if isinstance(renewed, Success) else period / 4


def _reason(holding: Holding, max_hold: float | None, *, is_over: bool) -> str:
    if holding.overdue > _STALL:
        return f"its time was up {holding.overdue:.1f} s ago: the program stood still, or was busy without a pause"
    if is_over:
        return f"it was held for longer than max_hold, which is {max_hold} s"
    return f"its time is up: {holding.store.name} has not answered for {holding.ttl:.1f} s"
