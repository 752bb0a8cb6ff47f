"""A held lease, as the program that holds it sees it."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from types import MappingProxyType
from typing import Final, TypeAlias

from returns.result import Failure, Success

from fastapi_easy.application.locks.lease_state import LeaseState
from fastapi_easy.application.locks.lock_request import StoreCall
from fastapi_easy.application.locks.renewal import renew_lease
from fastapi_easy.domain.errors import Error, LockLost, Outcome, Unsupported
from fastapi_easy.domain.locks.lease import LockCapability
from fastapi_easy.domain.ports.unit_of_work import UnitOfWork, innermost

_STAMP_SECONDS: Final = 0.1
"""Seconds that a stamp takes when no other transaction is waited for, and more."""

Fence: TypeAlias = Callable[[UnitOfWork, str, int], Awaitable[Outcome[bool]]]
"""Stamps a name with a fencing token in the database of a unit of work; returns whether no larger one is there."""

_SUCCESS: Final[Outcome[None]] = Success(None)


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
        state.mark_expired()
        raise state.lost_error()

    async def renew(self) -> Outcome[None]:
        """Renew the lease for its whole `ttl` from now on.

        Fails with:
            LockLost: It is lost.

            Unavailable: The store did not answer.
        """
        if self._state.remaining <= 0:
            return Failure(LockLost(self.name))
        return await self._call_store(renew_lease(self._state), bypass_breaker=True)

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
        renewed = await self._call_store(renew_lease(state), bypass_breaker=True)
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
            renewed = await self._call_store(renew_lease(state), bypass_breaker=True)
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
        state.mark_expired()
        return Failure(LockLost(self.name))
