"""What lease stores without a queue have in common: waiters poll."""

import asyncio
from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager

from returns.result import Failure, Success

from fastapi_easy.domain.errors import Outcome, Unsupported
from fastapi_easy.domain.locks.lease import LockCapability, WaitEdge
from fastapi_easy.domain.ports.unit_of_work import UnitOfWork
from fastapi_easy.infrastructure.locks.wakeups import OwnerEvents


class PollingLeases:
    """The methods of `LeaseStore` for locks that end with their holder: neither `FIFO` nor `EVICTABLE`.

    They are kept where no unit of work writes.
    """

    sends_wakeups = False

    def __init__(self) -> None:
        self._events = OwnerEvents()

    async def enqueue(self, name: str, owner: str, seconds: float) -> Outcome[int]:
        """Return ticket 0: no queue is kept."""
        return Success(0)

    async def dequeue(self, name: str, owner: str) -> Outcome[None]:
        """Do nothing: no queue is kept."""
        return Success(None)

    async def edges(self) -> Outcome[Sequence[WaitEdge]]:
        """Return no edges: waits are not kept."""
        return Success(())

    async def evict(self, name: str, token: int) -> Outcome[bool]:
        """Fail: only the holder can release a lock, or end."""
        return Failure(Unsupported(name, LockCapability.EVICTABLE))

    async def guard(self, work: UnitOfWork, name: str, owner: str, token: int) -> Outcome[bool] | None:
        """Return `None`: locks of this kind take part in no transaction."""
        return None

    def wakeups(self, name: str, owner: str) -> AbstractAsyncContextManager[asyncio.Event]:
        """Return an event that nobody sets: those who wait poll."""
        return self._events.register(owner)
