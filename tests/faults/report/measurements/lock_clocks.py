"""Leases of one machine while the time of day is set by an hour, by a library that is loaded before the others."""

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

from fastapi_easy.application.locks.lock_manager import LockManager
from fastapi_easy.domain import LockTimeout
from tests.faults.processes import locks_at
from tests.faults.report.figure import Figure
from tests.faults.server_clock import movable_clock

TTL: Final = 2.0
STORES: Final = {"SQLite": "sqlite:///{}/locks.sqlite3", "files": "file://{}/locks"}
JUMPS: Final = {-3600: "set back by an hour", 3600: "set ahead by an hour"}
WATCHED: Final = 3 * TTL
"""Seconds for which somebody else tries to get the lock after the clock has jumped."""

_HOLDER: Final = """
import asyncio, sys, time
from tests.faults.processes import locks_at

async def main(url, ttl):
    async with locks_at(url).hold("clock", ttl=ttl):
        print(time.time(), flush=True)
        await asyncio.to_thread(sys.stdin.readline)
        print(time.time(), flush=True)
        await asyncio.sleep(600)

asyncio.run(main(sys.argv[1], float(sys.argv[2])))
"""


async def measured() -> list[Figure]:
    """Try to steal a lease whose holder's clock was set, and see how long it lasts when its holder is killed."""
    measured = await asyncio.gather(
        *(
            _after(store, place, seconds, jump)
            for store, place in STORES.items()
            for seconds, jump in JUMPS.items()
        )
    )
    return [figure for figures in measured for figure in figures]


async def _after(store: str, place: str, seconds: int, jump: str) -> list[Figure]:
    with tempfile.TemporaryDirectory() as folder, movable_clock() as (library, move):
        locks = locks_at(place.format(folder))
        holder = await asyncio.to_thread(_start, library, place.format(folder))
        try:
            moved = await asyncio.to_thread(_moved, holder, move, seconds)
            stolen = await _attempts_that_succeed(locks)
            holder.send_signal(signal.SIGKILL)
            killed = time.monotonic()
            async with locks.hold("clock", wait=60, ttl=TTL):
                lasted = time.monotonic() - killed
        finally:
            holder.kill()
            _ = holder.communicate()
            await locks.aclose()
    return [
        Figure(
            fault=f"Clock {jump}",
            what=f"leases of {TTL:g} s stolen from a holder whose clock has moved by {moved:.0f} s, in {WATCHED:g} s",
            server=store,
            value=str(stolen),
            wanted="0",
            met=stolen == 0 and abs(moved - seconds) < 60,
        ),
        Figure(
            fault=f"Clock {jump}",
            what=f"until the lease of {TTL:g} s of a holder that was killed is acquired",
            server=store,
            value=f"{lasted:.1f} s",
            wanted=f"<= {TTL + 1:g} s",
            met=lasted <= TTL + 1,
        ),
    ]


def _start(library: Path, url: str) -> "subprocess.Popen[str]":
    """Start a process that holds the lock, and whose time of day can be moved."""
    return subprocess.Popen(
        [sys.executable, "-c", _HOLDER, url, str(TTL)],
        env={**os.environ, "LD_PRELOAD": str(library), "PYTHONPATH": os.pathsep.join(sys.path)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def _moved(holder: "subprocess.Popen[str]", move: Callable[[int], None], seconds: int) -> float:
    """Move the clock of *holder* when it holds the lock; return by how much it has moved, as it says itself."""
    assert holder.stdin is not None
    assert holder.stdout is not None
    before, begun = float(holder.stdout.readline()), time.monotonic()
    move(seconds)
    _ = holder.stdin.write("\n")
    holder.stdin.flush()
    return float(holder.stdout.readline()) - before - (time.monotonic() - begun)


async def _attempts_that_succeed(locks: LockManager) -> int:
    stolen, ends = 0, time.monotonic() + WATCHED
    while time.monotonic() < ends:
        with contextlib.suppress(LockTimeout):
            async with locks.hold("clock", wait=0):
                stolen += 1
        await asyncio.sleep(0.1)
    return stolen
