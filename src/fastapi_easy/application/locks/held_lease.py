"""A held lease, and its state as this process knows it."""

import asyncio
import math
from collections.abc import Awaitable, Callable, Mapping
from types import MappingProxyType
from typing import Final, TypeAlias

from returns.result import Failure, Success

from fastapi_easy.application.locks.lock_request import StoreCall
from fastapi_easy.domain.errors import Error, LockLost, Outcome, Unsupported
from fastapi_easy.domain.locks.lease import LockCapability
from fastapi_easy.domain.locks.lock_errors import LeaseLost
from fastapi_easy.domain.ports.clock import Clock
from fastapi_easy.domain.ports.lease_store import LeaseStore
from fastapi_easy.domain.ports.unit_of_work import UnitOfWork, innermost

SAFETY_MARGIN: Final = 0.1
"""Part of the `ttl` by which a lease counts as lost earlier than in the store: clocks run at different rates."""

_STAMP_SECONDS: Final = 0.1
"""Seconds that a stamp takes when no other transaction is waited for, and more."""

Fence: TypeAlias = Callable[[UnitOfWork, str, int], Awaitable[Outcome[bool]]]
"""Stamps a name with a fencing token in the database of a unit of work; returns whether no larger one is there."""

_EXPIRED: Final = "it expired without a renewal: the process was suspended, or its event loop was blocked"

_SUCCESS: Final[Outcome[None]] = Success(None)


class LeaseState:
    """The state of a lease: its names, its tokens, its expiry, and whether it is lost.

    Args:
        store: The store that holds the lease.

        clock: The clock of this process; never compared with that of the store.

        owner: The id of the owner.

        ttl: Seconds that the lease lasts without a renewal.

        call_site: The line of the program that asked for it.

        names: The held names, in order.

    Attributes:
        on_loss: Called once when the lease is lost.
    """

    __slots__ = (
        "_until",
        "call_site",
        "clock",
        "is_ended",
        "lost",
        "names",
        "on_loss",
        "owner",
        "reason",
        "store",
        "tokens",
        "ttl",
    )

    def __init__(
        self, store: LeaseStore, clock: Clock, owner: str, ttl: float, call_site: str, names: tuple[str, ...]
    ) -> None:
        self.store = store
        self.clock = clock
        self.owner = owner
        self.names = names
        self.ttl = ttl
        self.call_site = call_site
        self.tokens: dict[str, int] = {}
        self.lost = asyncio.Event()
        self.reason = ""
        self.is_ended = False
        self.on_loss: Callable[[], None] | None = None
        self._until = -math.inf

    @property
    def expires(self) -> bool:
        """Whether the lease expires unless it is renewed."""
        return LockCapability.TTL in self.store.capabilities

    @property
    def remaining(self) -> float:
        """Seconds for which the lease is certainly held; 0 once lost or released."""
        if self.is_ended or self.lost.is_set():
            return 0.0
        return max(0.0, self._until - self.clock.monotonic())

    @property
    def elapsed(self) -> float:
        """Seconds since the request that acquired or last renewed the lease; 0 where leases do not expire."""
        return self.ttl * (1 - SAFETY_MARGIN) - self.remaining if self.expires else 0.0

    @property
    def overdue(self) -> float:
        """Seconds since the lease expired on this side."""
        return max(0.0, self.clock.monotonic() - self._until)

    def owner_of(self, name: str) -> str:
        """Return the owner id that holds *name*: one for each name, since a store grants an owner one name only."""
        return f"{self.owner}.{self.names.index(name)}"

    def mark_acquired(self, name: str, token: int, requested_at: float) -> None:
        """Note that *name*, requested at *requested_at*, is held. Of several names, the first to expire counts."""
        until = self._end_of(requested_at)
        self._until = min(self._until, until) if self.tokens else until
        self.tokens[name] = token

    def extend(self, requested_at: float) -> None:
        """Note that every name was renewed by requests made at *requested_at* or later."""
        # `max`: answers may arrive out of order, and a late one must not shorten the lease.
        self._until = max(self._until, self._end_of(requested_at))

    def _end_of(self, requested_at: float) -> float:
        return requested_at + self.ttl * (1 - SAFETY_MARGIN) if self.expires else math.inf

    def mark_lost(self, reason: str) -> None:
        """Mark the lease as lost for good; without effect once it is lost or released."""
        if self.is_ended or self.lost.is_set():
            return
        self.reason = reason
        self.lost.set()
        if self.on_loss is not None:
            self.on_loss()

    def lost_error(self) -> LeaseLost:
        """Return the error to raise about the loss."""
        return LeaseLost(self.names[0], self.token, self.reason or "it was released")

    @property
    def token(self) -> int:
        """The largest of the fencing tokens: for the same names, larger than that of every earlier lease."""
        return max(self.tokens.values())

    async def renew(self) -> Outcome[None]:
        """Renew every name for the whole `ttl`; a name the store no longer holds for this owner means a loss."""
        # Before the first call: the store may count from the moment it received the request.
        requested_at = self.clock.monotonic()
        for name in tuple(self.tokens):
            renewed = await self.store.renew(name, self.owner_of(name), self.tokens[name], self.ttl)
            if isinstance(renewed, Failure):
                return renewed
            if not renewed.unwrap():
                self.mark_lost("the store no longer holds it for this owner: it expired or was evicted")
                return Failure(LockLost(name))
        self.extend(requested_at)
        return _SUCCESS


class HeldLease:
    """Implements `Lease`."""

    __slots__ = ("__weakref__", "_call_store", "_fence", "_state")

    def __init__(self, state: LeaseState, call_store: StoreCall, fence: Fence | None) -> None:
        self._state = state
        self._call_store = call_store
        self._fence = fence

    @property
    def name(self) -> str:
        """The held name; of several names the first in their order."""
        return self._state.names[0]

    @property
    def names(self) -> tuple[str, ...]:
        """All held names, in order."""
        return self._state.names

    @property
    def token(self) -> int:
        """The fencing token, larger than that of every earlier lease of the same names."""
        return self._state.token

    @property
    def tokens(self) -> Mapping[str, int]:
        """The fencing token of each name."""
        return MappingProxyType(self._state.tokens)

    @property
    def owner(self) -> str:
        """The owner id: host, process and task."""
        return self._state.owner

    @property
    def lost(self) -> asyncio.Event:
        """An event that is set when the lease is lost."""
        return self._state.lost

    @property
    def remaining(self) -> float:
        """Seconds for which the lease is certainly held without a renewal; 0 once lost."""
        return self._state.remaining

    def check(self) -> None:
        """Raise `LeaseLost` unless the lease is certainly held.

        Raises:
            LeaseLost: It is not.
        """
        state = self._state
        if state.remaining > 0:
            return
        state.mark_lost(_EXPIRED)
        raise state.lost_error()

    async def renew(self) -> Outcome[None]:
        """Renew the lease for its whole `ttl` from now on.

        Fails with:
            LockLost: It is lost.

            Unavailable: The store did not answer.
        """
        if self._state.remaining <= 0:
            return Failure(LockLost(self.name))
        return await self._call_store(self._state.renew(), bypass_breaker=True)

    async def guard(self, work: UnitOfWork) -> Outcome[None]:
        """Protect the commit of *work*: keep the lease until its transaction ends, or stamp the fence of its database.

        Fails with:
            LockLost: It is lost or has expired, or somebody else may have it by now.

            Unavailable, Unsupported: as `Lease.guard`.
        """
        state = self._state
        if LockCapability.FENCING not in state.store.capabilities:
            return Failure(Unsupported(self.name, LockCapability.FENCING))
        if (expired := self._expired()) is not None:
            return expired
        for name, token in state.tokens.items():
            guarded = await state.store.guard(innermost(work), name, state.owner_of(name), token)
            if guarded is None:
                return await self._guard_elsewhere(work)
            if isinstance(guarded, Failure):
                return guarded
            if not guarded.unwrap():
                return self._rejected(name)
        # Other transactions may have kept the database waiting until the lease had expired.
        return self._expired() or _SUCCESS

    async def _guard_elsewhere(self, work: UnitOfWork) -> Outcome[None]:
        """Renew the lease, and stamp the fence of the database of *work*, which knows nothing of the lease.

        A stamp tells of holders that have stamped, not of those that have only acquired the lease and read. A renewal
        is the question, and keeps the lease until the commit is done. It comes first: who has lost the lease must not
        make its holder wait for the end of a transaction that has stamped.
        """
        state, fence = self._state, self._fence
        if fence is None:
            return Failure(Unsupported(self.name, LockCapability.FENCING))
        renewed = await self._call_store(state.renew(), bypass_breaker=True)
        if isinstance(renewed, Failure):
            return renewed
        renewed_at = state.clock.monotonic()
        for name, token in state.tokens.items():
            stamped = await fence(work, name, token)
            if isinstance(stamped, Failure):
                return stamped
            if not stamped.unwrap():
                return self._rejected(name)
        if state.clock.monotonic() - renewed_at > _STAMP_SECONDS:
            # Another transaction had stamped, and was waited for: much may have happened at the store meanwhile.
            renewed = await self._call_store(state.renew(), bypass_breaker=True)
            if isinstance(renewed, Failure):
                return renewed
        return self._expired() or _SUCCESS

    def _rejected(self, name: str) -> Failure[Error]:
        self._state.mark_lost("another owner may hold it: the fencing check rejected the commit")
        return Failure(LockLost(name))

    def _expired(self) -> Failure[Error] | None:
        """Return why nothing may be committed under the lease by now; `None` while it is certainly held."""
        state = self._state
        if state.remaining > 0:
            return None
        state.mark_lost(_EXPIRED)
        return Failure(LockLost(self.name))
