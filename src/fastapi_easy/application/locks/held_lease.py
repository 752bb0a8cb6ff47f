"""A lease that is held, and what is known about it on this side of the wire."""

import asyncio
import math
from collections.abc import Awaitable, Callable, Mapping
from types import MappingProxyType
from typing import Final, TypeAlias

from returns.result import Failure, Success

from fastapi_easy.application.locks.lock_request import Ask
from fastapi_easy.domain.errors import LockLost, Outcome, Unsupported
from fastapi_easy.domain.locks.lease import LockCapability
from fastapi_easy.domain.locks.lock_errors import LeaseLost
from fastapi_easy.domain.ports.clock import Clock
from fastapi_easy.domain.ports.lease_store import LeaseStore
from fastapi_easy.domain.ports.unit_of_work import UnitOfWork, innermost

MARGIN: Final = 0.1
"""Part of its time by which a lease is taken for lost earlier than the store says: clocks run at different rates."""

Fence: TypeAlias = Callable[[UnitOfWork, str, int], Awaitable[Outcome[bool]]]
"""Stamps a name with a token where a unit of work writes; whether no larger one is there."""

_HELD: Final[Outcome[None]] = Success(None)


class Holding:
    """What is held, until when, and whether it still is.

    Args:
        store: Where it is held.

        clock: Measures how long, on this side; never compared with the store's.

        owner: By whom.

        ttl: Seconds for which it is granted each time.

        place: The line of the program that asked for it.

        names: What is held, in order.

    Attributes:
        on_loss: Is called once when it is lost.
    """

    __slots__ = (
        "_until",
        "clock",
        "is_over",
        "lost",
        "names",
        "on_loss",
        "owner",
        "place",
        "reason",
        "store",
        "tokens",
        "ttl",
    )

    def __init__(
        self, store: LeaseStore, clock: Clock, owner: str, ttl: float, place: str, names: tuple[str, ...]
    ) -> None:
        self.store = store
        self.clock = clock
        self.owner = owner
        self.names = names
        self.ttl = ttl
        self.place = place
        self.tokens: dict[str, int] = {}
        self.lost = asyncio.Event()
        self.reason = ""
        self.is_over = False
        self.on_loss: Callable[[], None] | None = None
        self._until = -math.inf

    @property
    def runs_out(self) -> bool:
        """The lease ends unless it is renewed."""
        return LockCapability.TTL in self.store.capabilities

    @property
    def remaining(self) -> float:
        """Seconds for which it is certainly held; 0 once lost or given back."""
        if self.is_over or self.lost.is_set():
            return 0.0
        return max(0.0, self._until - self.clock.monotonic())

    @property
    def spent(self) -> float:
        """Seconds since what was granted, or last renewed, was asked for; 0 where leases do not run out."""
        return self.ttl * (1 - MARGIN) - self.remaining if self.runs_out else 0.0

    @property
    def overdue(self) -> float:
        """Seconds since its time was up."""
        return max(0.0, self.clock.monotonic() - self._until)

    def owner_of(self, name: str) -> str:
        """The id by which *name* is held: one for each name, since an owner asks for one only."""
        return f"{self.owner}.{self.names.index(name)}"

    def grant(self, name: str, token: int, asked_at: float) -> None:
        """*name* is held, by an answer to what was asked at *asked_at*. Of several the first to run out counts."""
        until = self._end_of(asked_at)
        self._until = min(self._until, until) if self.tokens else until
        self.tokens[name] = token

    def extend(self, asked_at: float) -> None:
        """Everything was renewed, by answers to what was asked at *asked_at* or later."""
        # An answer that comes late takes nothing back.
        self._until = max(self._until, self._end_of(asked_at))

    def _end_of(self, asked_at: float) -> float:
        return asked_at + self.ttl * (1 - MARGIN) if self.runs_out else math.inf

    def lose(self, reason: str) -> None:
        """It is lost, for good."""
        if self.is_over or self.lost.is_set():
            return
        self.reason = reason
        self.lost.set()
        if self.on_loss is not None:
            self.on_loss()

    def failure(self) -> LeaseLost:
        """What is to be raised about its loss."""
        return LeaseLost(self.names[0], self.token, self.reason or "it was given back")

    @property
    def token(self) -> int:
        """The largest of its tokens: for the same names, larger than that of every earlier lease."""
        return max(self.tokens.values())

    async def renew(self) -> Outcome[None]:
        """Let it run for its whole time from now on; a refusal means that it is lost."""
        asked_at = self.clock.monotonic()
        for name in tuple(self.tokens):
            renewed = await self.store.renew(name, self.owner_of(name), self.tokens[name], self.ttl)
            if isinstance(renewed, Failure):
                return renewed
            if not renewed.unwrap():
                self.lose("the store says that somebody else may have it: it ran out there, or was evicted")
                return Failure(LockLost(name))
        self.extend(asked_at)
        return _HELD


class HeldLease:
    """Implements `Lease`."""

    __slots__ = ("__weakref__", "_ask", "_fence", "_holding")

    def __init__(self, holding: Holding, ask: Ask, fence: Fence | None) -> None:
        self._holding = holding
        self._ask = ask
        self._fence = fence

    @property
    def name(self) -> str:
        """What is held; of several names the first in their order."""
        return self._holding.names[0]

    @property
    def names(self) -> tuple[str, ...]:
        """Everything that is held, in order."""
        return self._holding.names

    @property
    def token(self) -> int:
        """Larger than that of every earlier lease of the same names."""
        return self._holding.token

    @property
    def tokens(self) -> Mapping[str, int]:
        """The token of each name."""
        return MappingProxyType(self._holding.tokens)

    @property
    def owner(self) -> str:
        """Host, process and task."""
        return self._holding.owner

    @property
    def lost(self) -> asyncio.Event:
        """Set when the lease is lost."""
        return self._holding.lost

    @property
    def remaining(self) -> float:
        """Seconds for which it is certainly held without being renewed; 0 once lost."""
        return self._holding.remaining

    def check(self) -> None:
        """Do nothing while it is certainly held.

        Raises:
            LeaseLost: It is not.
        """
        holding = self._holding
        if holding.remaining > 0:
            return
        holding.lose(
            "its time is up, and it was not renewed: the program stood still, or was busy for longer"
        )
        raise holding.failure()

    async def renew(self) -> Outcome[None]:
        """Let it run for its whole time from now on.

        Fails with:
            LockLost: It is lost.

            Unavailable: The store did not answer.
        """
        if self._holding.remaining <= 0:
            return Failure(LockLost(self.name))
        return await self._ask(self._holding.renew(), insists=True)

    async def guard(self, work: UnitOfWork) -> Outcome[None]:
        """Hold on to it until the transaction of *work* has ended, or stamp the fence of its database.

        Fails with:
            LockLost: Somebody else may have it by now.

            Unavailable, Unsupported: as `Lease.guard`.
        """
        holding = self._holding
        if LockCapability.FENCING not in holding.store.capabilities:
            return Failure(Unsupported(self.name, LockCapability.FENCING))
        for name, token in holding.tokens.items():
            guarded = await holding.store.guard(innermost(work), name, holding.owner_of(name), token)
            if guarded is None:
                if self._fence is None:
                    return Failure(Unsupported(name, LockCapability.FENCING))
                guarded = await self._fence(work, name, token)
            if isinstance(guarded, Failure):
                return guarded
            if not guarded.unwrap():
                holding.lose(
                    "somebody else may have it by now: the database refused what was to be committed"
                )
                return Failure(LockLost(name))
        return _HELD
