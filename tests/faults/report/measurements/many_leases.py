"""Many leases at once: on a busy machine, and with a round trip of 20 ms."""

import asyncio
import gc
from collections.abc import Mapping
from contextlib import AsyncExitStack
from typing import Final

from fastapi_easy.application.locks.lock_manager import LockManager
from tests.faults.processes import locks_at
from tests.faults.report.busy import LOAD, busy
from tests.faults.report.figure import Figure
from tests.faults.report.lease_stores import SERVERS, lease_store
from tests.wire import wired

LEASES: Final = 200
FAR_LEASES: Final = 100
TTL: Final = 2.0
HELD: Final = 12.0
ONE_WAY: Final = 0.01
"""Seconds by which the wire is late in each direction."""

FAULT: Final = "Many leases of one process"


async def measured() -> list[Figure]:
    """Count the leases that are lost beside eight busy processes, of two stores at a time."""
    async with AsyncExitStack() as stack:
        # All of them before the first and until the last has ended, since starting a server keeps this process waiting.
        urls = {each: await stack.enter_async_context(lease_store(each)) for each in (*SERVERS, "SQLite")}
        far, wire = await stack.enter_async_context(wired(urls["MariaDB"]))
        wire.latency = ONE_WAY
        with busy():
            return [
                *await asyncio.gather(_lost("PostgreSQL", urls), _lost("Redis", urls)),
                *await asyncio.gather(_lost("MariaDB", urls), _lost("SQLite", urls)),
                # By themselves: an acquisition takes six round trips on the one, and the wire is in this very process.
                await _lost("MongoDB", urls),
                await _lost_far_away(far),
            ]


async def _lost(server: str, urls: Mapping[str, str]) -> Figure:
    return _figure(f"of {LEASES}", server, await count_lost(urls[server], LEASES))


async def _lost_far_away(url: str) -> Figure:
    return _figure(f"of {FAR_LEASES}, round trip 20 ms", "MariaDB", await count_lost(url, FAR_LEASES))


async def count_lost(url: str, number: int) -> int:
    """Hold so many leases for a while, asked for at once; return how many of them are lost meanwhile."""
    locks = locks_at(url)
    ready = asyncio.Barrier(number)
    try:
        # What is imported and connected when it is first needed is not what is measured.
        async with locks.hold("warm"):
            pass
        # Nor is the search for garbage in all that the tests have imported, which alone can take a second here.
        _ = gc.collect()
        gc.freeze()
        return sum(await asyncio.gather(*(_loses(locks, f"lease:{each}", ready) for each in range(number))))
    finally:
        await locks.aclose()


async def _loses(locks: LockManager, name: str, ready: asyncio.Barrier) -> bool:
    async with locks.hold(name, ttl=TTL, wait=30, on_lost="event") as lease:
        # Those that come first are renewed while the others are still being asked for.
        _ = await ready.wait()
        await asyncio.sleep(HELD)
        return lease.lost.is_set()


def _figure(what: str, server: str, lost: int) -> Figure:
    counted = f"leases lost {what}, ttl {TTL:g} s, beside {LOAD} busy processes"
    return Figure(FAULT, counted, server, str(lost), "0", met=lost == 0)
