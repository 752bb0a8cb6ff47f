"""The turns of the calls that one process makes to its lease store."""

import asyncio
import contextlib
from typing import Final

CONCURRENT_CALLS: Final = 2
"""Calls at a time, other than renewals: as many as stores have connections."""


class CallTurns:
    """Lets few calls through at a time, in the order in which they came.

    A store has two connections. If all calls queued there, a renewal would stand behind hundreds of callers who ask for
    a lease; and what a caller has waited there would count as time of its lease, which begins with the request.
    Belongs to one event loop.
    """

    def __init__(self) -> None:
        self._free = asyncio.Semaphore(CONCURRENT_CALLS)

    async def take(self, timeout: float | None) -> bool:  # noqa: ASYNC109 (the semaphore has none)
        """Wait for a turn, which the caller has to `end`; return whether it came within *timeout* seconds."""
        if not self._free.locked():
            return await self._free.acquire()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(timeout):
                return await self._free.acquire()
        return False

    def end(self) -> None:
        """End a turn, and let the next one begin."""
        self._free.release()
