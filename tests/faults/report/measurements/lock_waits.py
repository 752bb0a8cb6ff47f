"""Callers who are willing to wait for a lock while its store is away for a moment, or busy."""

import asyncio
import contextlib
import sqlite3
import tempfile
import time
import uuid
from collections.abc import Coroutine
from typing import Final

from fastapi_easy.application.locks.lock_manager import LockManager
from fastapi_easy.domain import LockUnavailable
from tests.faults.processes import locks_at
from tests.faults.report.figure import Figure
from tests.services.wanted import empty_database
from tests.wire import Wire, wired

SERVERS: Final = {"postgres": "PostgreSQL", "mariadb": "MariaDB", "mongo": "MongoDB", "redis": "Redis"}
OUTAGES: Final = (0.3, 0.8, 2.0)
"""Seconds for which the store accepts no connection; those that stood are reset."""

BUSY: Final = 4.0
"""Seconds for which another process writes to the SQLite file: longer than a connection waits for it."""

GIVEN_BACK: Final = 10.0
"""Seconds after an outage within which everything has to be given back that nobody holds: less than a lease lasts."""

CALLERS: Final = 20
WAIT: Final = 30.0


async def measured() -> list[Figure]:
    """Count who was refused though willing to wait for longer than the outage, and what was left behind."""
    with contextlib.ExitStack() as stack:
        urls = {server: stack.enter_context(empty_database(name)) for name, server in SERVERS.items()}
        found = await asyncio.gather(_on_sqlite(), *(_on_server(*each) for each in urls.items()))
    return [figure for figures in found for figure in figures]


async def _on_server(server: str, url: str) -> list[Figure]:
    figures: list[Figure] = []
    async with wired(url) as (address, wire):
        locks, near = locks_at(address), locks_at(url)
        async with locks.hold(f"warm:{uuid.uuid4().hex}"):
            pass
        for outage in OUTAGES:

            async def away(seconds: float = outage) -> None:
                wire.refuse()
                await asyncio.sleep(seconds)
                await wire.listen()

            refused, longest = await refused_during(away(), locks)
            figures.append(_figure(f"an outage of {outage:g} s", server, refused, longest))
        await cancel_during_outage(locks, wire)
        begun, left = time.monotonic(), CALLERS
        while left and time.monotonic() < begun + GIVEN_BACK:
            left = len((await near.inspect("left:")).unwrap())
            await asyncio.sleep(0.1)
        await locks.aclose()
        await near.aclose()
    return [
        *figures,
        Figure(
            fault="Waiting for locks",
            what=f"locks that nobody holds, {GIVEN_BACK:g} s after an outage in which callers were cancelled",
            server=server,
            value=f"{left} of {CALLERS}",
            wanted="0",
            met=left == 0,
        ),
    ]


async def _on_sqlite() -> list[Figure]:
    with tempfile.TemporaryDirectory() as folder:
        locks = locks_at(f"sqlite:///{folder}/locks.sqlite3")
        async with locks.hold("warm"):
            pass
        refused, longest = await refused_during(_keep_busy(f"{folder}/locks.sqlite3"), locks)
        await locks.aclose()
    return [_figure(f"another writer for {BUSY:g} s", "SQLite", refused, longest)]


def _figure(fault: str, server: str, refused: int, longest: float) -> Figure:
    return Figure(
        fault="Waiting for locks",
        what=f"callers with wait={WAIT:g} refused during {fault}; the longest wait",
        server=server,
        value=f"{refused} of {CALLERS}; {longest:.1f} s",
        wanted="0",
        met=refused == 0,
    )


async def refused_during(fault: Coroutine[object, object, None], locks: LockManager) -> tuple[int, float]:
    """Ask for twenty locks in the middle of *fault*; how many were refused, and how long it took for the last."""
    going_on = asyncio.ensure_future(fault)
    await asyncio.sleep(0.05)
    begun = time.monotonic()

    async def is_refused(number: int) -> bool:
        try:
            # Every other one shares its lock with the one before.
            async with locks.hold(f"waited:{number // 2}", wait=WAIT):
                return False
        except LockUnavailable:
            return True

    refused = sum(await asyncio.gather(*map(is_refused, range(CALLERS))))
    seconds = time.monotonic() - begun
    await going_on
    return refused, seconds


async def cancel_during_outage(locks: LockManager, wire: Wire) -> None:
    """Cancel callers whose requests are on their way while the store falls silent, for a second."""

    async def acquire(number: int) -> None:
        async with locks.hold(f"left:{number}", wait=WAIT):
            pass

    asking = [asyncio.ensure_future(acquire(number)) for number in range(CALLERS)]
    await asyncio.sleep(0.004)
    wire.refuse()
    for each in asking:
        _ = each.cancel()
    _ = await asyncio.gather(*asking, return_exceptions=True)
    await asyncio.sleep(1.0)
    await wire.listen()


async def _keep_busy(file: str) -> None:
    with contextlib.closing(sqlite3.connect(file, isolation_level=None)) as writer:
        _ = writer.execute("BEGIN IMMEDIATE")
        await asyncio.sleep(BUSY)
        _ = writer.execute("COMMIT")
