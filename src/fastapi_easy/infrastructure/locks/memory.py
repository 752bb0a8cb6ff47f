"""Leases in memory: the reference for all other stores, and enough for one process."""

import asyncio
import itertools
from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from typing import Final

from returns.result import Success

from fastapi_easy.domain.errors import Outcome
from fastapi_easy.domain.locks.lease import Acquired, Busy, LockCapability, LockInfo, WaitEdge
from fastapi_easy.domain.locks.renewal import Renewal
from fastapi_easy.domain.ports.clock import Clock
from fastapi_easy.domain.ports.unit_of_work import UnitOfWork
from fastapi_easy.infrastructure.locks.tokens import next_token
from fastapi_easy.infrastructure.locks.wakeups import OwnerEvents
from fastapi_easy.infrastructure.unit_of_work import TransactionalUnitOfWork

_CAPABILITIES: Final = frozenset(LockCapability) - {LockCapability.CROSS_HOST, LockCapability.DURABLE}
_NO_TICKET: Final = 2**62
"""Behind every ticket: an owner without one comes after all who wait."""


@dataclass(slots=True)
class _Lease:
    owner: str | None = None
    token: int = 0
    since: float = 0.0
    until: float = 0.0


@dataclass(slots=True)
class _Wait:
    name: str
    ticket: int
    until: float


@dataclass(slots=True)
class Leases:
    """The state that several stores share, as processes share a database.

    Attributes:
        held: Every name that was ever held, with its last token.

        waits: The waits, by owner.

        tickets: The next tickets.

        events: Wake the waiters.
    """

    held: dict[str, _Lease] = field(default_factory=dict)
    waits: dict[str, _Wait] = field(default_factory=dict)
    tickets: "itertools.count[int]" = field(default_factory=lambda: itertools.count(1))
    events: OwnerEvents = field(default_factory=OwnerEvents)


class MemoryLeaseStore:
    """Implements `LeaseStore`. No method suspends, so the event loop is all the mutual exclusion it needs.

    Args:
        clock: Tells when leases expire.

        leases: The state to share with other stores; its own unless given.

        database: The name of the memory database whose units of work it can guard.
    """

    name = "locks in memory"
    sends_wakeups = True
    pool = None
    capabilities: frozenset[LockCapability] = _CAPABILITIES

    def __init__(self, clock: Clock, leases: Leases | None = None, *, database: str | None = None) -> None:
        self._clock = clock
        self._leases = Leases() if leases is None else leases
        self._database = database

    async def try_acquire(
        self, name: str, owner: str, ttl: float, ticket: int | None = None
    ) -> Outcome[Acquired | Busy]:
        """Give *name* to *owner* if it is free, or is its already, and no earlier ticket waits."""
        now, shared = self._clock.monotonic(), self._leases
        lease = shared.held.setdefault(name, _Lease())
        is_held = lease.owner is not None and lease.until > now
        if not (is_held and lease.owner == owner):
            ahead = self._ahead(name, _NO_TICKET if ticket is None else ticket)
            if is_held or ahead:
                return Success(Busy(lease.owner if is_held else None, ahead))
            lease.owner, lease.token, lease.since = owner, next_token(lease.token), now
        lease.until = now + ttl
        # Whoever has the lease waits no more: its ticket must not hold back those behind.
        _ = shared.waits.pop(owner, None)
        return Success(Acquired(lease.token))

    async def renew(self, leases: Sequence[Renewal]) -> Outcome[Sequence[bool]]:
        """Let each of *leases* run for its `ttl` from now; return whether its owner still had it."""
        return Success([self._renew(each) for each in leases])

    async def release(self, name: str, owner: str) -> Outcome[bool]:
        """Release *name*; return whether *owner* had it."""
        lease = self._leases.held.get(name)
        if lease is None or lease.owner != owner:
            return Success(False)
        had = lease.until > self._clock.monotonic()
        lease.owner = None
        self._wake_next(name)
        return Success(had)

    async def enqueue(self, name: str, owner: str, seconds: float) -> Outcome[int]:
        """Register or prolong the wait of *owner* for *name*, for the next *seconds*; return its ticket."""
        until, waits = self._clock.monotonic() + seconds, self._leases.waits
        if owner not in waits:
            waits[owner] = _Wait(name, next(self._leases.tickets), until)
        waits[owner].until = until
        return Success(waits[owner].ticket)

    async def dequeue(self, name: str, owner: str) -> Outcome[None]:
        """End the wait of *owner* for *name*."""
        _ = self._leases.waits.pop(owner, None)
        self._wake_next(name)
        return Success(None)

    async def edges(self) -> Outcome[Sequence[WaitEdge]]:
        """List who waits for whom."""
        now, held = self._clock.monotonic(), self._leases.held
        return Success(
            [
                WaitEdge(wait.name, owner, lease.owner, wait.ticket, lease.token)
                for owner, wait in self._leases.waits.items()
                for lease in [held.get(wait.name, _Lease())]
                if wait.until > now and lease.owner is not None and lease.until > now
            ]
        )

    async def inspect(self, prefix: str = "") -> Outcome[Sequence[LockInfo]]:
        """List the names that are held and begin with *prefix*, in their order."""
        now = self._clock.monotonic()
        return Success(
            [
                LockInfo(
                    name=name,
                    owner=lease.owner,
                    token=lease.token,
                    age=now - lease.since,
                    remaining=lease.until - now,
                    waiters=self._waiters(name),
                )
                for name, lease in sorted(self._leases.held.items())
                if name.startswith(prefix) and lease.owner is not None and lease.until > now
            ]
        )

    async def evict(self, name: str, token: int) -> Outcome[bool]:
        """Take *name* from its holder by *token*; return whether there was one."""
        lease = self._leases.held.get(name)
        if lease is None or lease.owner is None or not self._has(name, lease.owner, token):
            return Success(False)
        return await self.release(name, lease.owner)

    async def guard(self, work: UnitOfWork, name: str, owner: str, token: int) -> Outcome[bool] | None:
        """Return whether *owner* has the lease; nothing else runs between this and a commit in memory.

        `None` for a unit of work of another database, which a lease in memory cannot guard.
        """
        can_guard = isinstance(work, TransactionalUnitOfWork) and work.database.name == self._database
        return Success(self._has(name, owner, token)) if can_guard else None

    def wakeups(self, name: str, owner: str) -> AbstractAsyncContextManager[asyncio.Event]:
        """Return an event that is set when it is the turn of *owner*."""
        return self._leases.events.register(owner)

    async def answers(self) -> Outcome[None]:
        """Succeed: memory answers as long as the process runs."""
        return Success(None)

    async def check(self) -> Outcome[Sequence[str]]:
        """Return no problems: nothing can be wrong with it."""
        return Success(())

    async def close(self) -> None:
        """Do nothing: leases of other stores on the same memory stay."""

    def _renew(self, lease: Renewal) -> bool:
        if not self._has(lease.name, lease.owner, lease.token):
            return False
        self._leases.held[lease.name].until = self._clock.monotonic() + lease.ttl
        return True

    def _wake_next(self, name: str) -> None:
        for owner in self._waiters(name)[:1]:
            self._leases.events.wake(owner)

    def _has(self, name: str, owner: str, token: int) -> bool:
        lease = self._leases.held.get(name)
        return (
            lease is not None
            and (lease.owner, lease.token) == (owner, token)
            and lease.until > self._clock.monotonic()
        )

    def _ahead(self, name: str, ticket: int) -> int:
        return sum(each < ticket for each, _ in self._queue(name))

    def _waiters(self, name: str) -> tuple[str, ...]:
        return tuple(owner for _, owner in sorted(self._queue(name)))

    def _queue(self, name: str) -> list[tuple[int, str]]:
        now, waits = self._clock.monotonic(), self._leases.waits
        for owner in [owner for owner, wait in waits.items() if wait.until <= now]:
            del waits[owner]
        return [(wait.ticket, owner) for owner, wait in waits.items() if wait.name == name]
