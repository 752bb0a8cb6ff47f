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
        is_elsewhere = False
        for name, token in state.tokens.items():
            guarded = await state.store.guard(innermost(work), name, state.owner_of(name), token)
            if guarded is None:
                is_elsewhere = True
                if self._fence is None:
                    return Failure(Unsupported(name, LockCapability.FENCING))
                guarded = await self._fence(work, name, token)
            if isinstance(guarded, Failure):
                return guarded
            if not guarded.unwrap():
                state.mark_lost("another owner may hold it: the fencing check rejected the commit")
                return Failure(LockLost(name))
        if is_elsewhere:
            # A stamp tells of holders that have stamped, not of those that have only acquired the lease and read.
            # A renewal is the question and also keeps the lease until the commit is done.
            renewed = await self._call_store(renew_lease(state), bypass_breaker=True)
            if isinstance(renewed, Failure):
                return renewed
        # Other transactions may have kept the database waiting until the lease had expired.
        return self._expired() or _SUCCESS

    def _expired(self) -> Failure[Error] | None:
        """Return why nothing may be committed under the lease by now; `None` while it is certainly held."""
        state = self._state
        if state.remaining > 0:
            return None
        state.mark_expired()
        return Failure(LockLost(self.name))
