"""The moment at which a lease ends that may not be held for longer, though its block goes on."""

import asyncio
import time
from typing import Final

from fastapi_easy.application.locks.lock_manager import LockManager
from fastapi_easy.domain.locks.signal import Signal
from tests.faults.processes import locks_at
from tests.faults.report.figure import Figure
from tests.faults.report.lease_stores import STORES, lease_store

SESSION_LOCKS: Final = ("PostgreSQL", "MariaDB")
MAX_HOLD: Final = 3.0
TTL: Final = 2.0
TOLERANCE: Final = 1.0
FAULT: Final = "Work that is stuck with a lock"


async def measured() -> list[Figure]:
    """Measure when the holder is told, and when another process has the lock."""
    figures = await asyncio.gather(*map(_measured_on, STORES))
    return [figure for each in figures for figure in each]


async def _measured_on(store: str) -> list[Figure]:
    async with lease_store(store) as url:
        figures = await _ends("leases", url, store)
        if store in SESSION_LOCKS:
            figures += await _ends("session locks", f"session+{url}", store)
    return figures


async def _ends(kind: str, url: str, server: str) -> list[Figure]:
    stuck, others = locks_at(url), locks_at(url)
    try:
        # Connected, so that only the lease is measured.
        async with others.hold("warm", wait=30), stuck.hold("cold", wait=30):
            pass
        async with stuck.hold("x", ttl=TTL, wait=30, max_hold=MAX_HOLD, on_lost="event") as lease:
            begun = time.monotonic()
            told, taken = await asyncio.gather(_is_told(lease.lost, begun), _takes(others, begun))
    finally:
        await others.aclose()
        await stuck.aclose()
    return [
        _figure(f"{kind}, max_hold {MAX_HOLD:g} s: its holder is told after", server, told),
        _figure(f"{kind}, max_hold {MAX_HOLD:g} s: another process has it after", server, taken),
    ]


async def _is_told(lost: Signal, begun: float) -> float:
    _ = await lost.wait()
    return time.monotonic() - begun


async def _takes(others: LockManager, begun: float) -> float:
    async with others.hold("x", wait=30):
        return time.monotonic() - begun


def _figure(what: str, server: str, seconds: float) -> Figure:
    wanted = f"{MAX_HOLD:g} ± {TOLERANCE:g} s"
    return Figure(FAULT, what, server, f"{seconds:.1f} s", wanted, met=abs(seconds - MAX_HOLD) <= TOLERANCE)
