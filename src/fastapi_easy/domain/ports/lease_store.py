"""A store of leases."""

from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from typing import Protocol, runtime_checkable

from fastapi_easy.domain.errors import Outcome
from fastapi_easy.domain.locks.lease import Acquired, Busy, LockCapability, LockInfo, WaitEdge
from fastapi_easy.domain.locks.renewal import Renewal
from fastapi_easy.domain.locks.signal import Signal
from fastapi_easy.domain.ports.database import Pool
from fastapi_easy.domain.ports.unit_of_work import UnitOfWork


@runtime_checkable
class LeaseStore(Protocol):
    """Leases by name, each with one owner at a time. Every call stands alone, waits for nobody's lease, and is short.

    An owner asks for one name only, and never again once it has let go. Its id is made before it first asks, so that a
    call whose answer was lost can be made again.

    Every method may fail with `Unavailable`: the store did not answer. Then nobody knows whether it was done. Its
    reason is `NO_RESPONSE` where nobody answered, and another one where somebody said that it cannot be done now.
    The store's clock alone says when a lease runs out.
    """

    @property
    def name(self) -> str:
        """The name that `Unavailable` gives it."""
        ...

    @property
    def capabilities(self) -> frozenset[LockCapability]:
        """What it can do; known before it is first spoken to."""
        ...

    async def try_acquire(
        self, name: str, owner: str, ttl: float, ticket: int | None = None
    ) -> Outcome[Acquired | Busy]:
        """Give *name* to *owner* for *ttl* seconds if it is free, or is its already, and nobody comes first.

        A grant ends the owner's wait, and has the same token as before when it had the lease all along.

        Args:
            name: What to hold.

            owner: Who asks.

            ttl: Seconds; a store without `TTL` does not look at them.

            ticket: The owner's place: those with a smaller one come first. Without one everybody who waits does.
        """
        ...

    async def renew(self, leases: Sequence[Renewal]) -> Outcome[Sequence[bool]]:
        """Let each of *leases* run for its `ttl` from now; whether its owner still had it, in the same order.

        In as few round trips as the store allows. One that is lost keeps none of the others from being renewed.

        Args:
            leases: Up to `MAX_RENEWALS` of different names. A store without `TTL` only looks whether they are held.
        """
        ...

    async def release(self, name: str, owner: str) -> Outcome[bool]:
        """Give *name* back; whether *owner* had it."""
        ...

    async def enqueue(self, name: str, owner: str, seconds: float) -> Outcome[int]:
        """Wait for *name*, for the next *seconds*; asking again prolongs that and gives the same ticket."""
        ...

    async def dequeue(self, name: str, owner: str) -> Outcome[None]:
        """Stop waiting for *name*."""
        ...

    async def edges(self) -> Outcome[Sequence[WaitEdge]]:
        """Return who waits for whom, to find deadlocks; nothing without `DEADLOCK`."""
        ...

    async def inspect(self, prefix: str = "") -> Outcome[Sequence[LockInfo]]:
        """Return the names that are held and begin with *prefix*, sorted.

        Without `EVICTABLE` perhaps only those that this very store has granted.
        """
        ...

    async def evict(self, name: str, token: int) -> Outcome[bool]:
        """Take *name* from whoever holds it by *token*; whether anybody did.

        Fails with:
            Unsupported: Only its holder can give it back.
        """
        ...

    async def guard(self, work: UnitOfWork, name: str, owner: str, token: int) -> Outcome[bool] | None:
        """Return whether *owner* has the lease, and nobody else can have it before the transaction of *work* has ended.

        Returns:
            `None` when the leases are not kept where *work* writes.
        """
        ...

    @property
    def sends_wakeups(self) -> bool:
        """Whether `wakeups` are to be expected now, so that those who wait need not look often."""
        ...

    def wakeups(self, name: str, owner: str) -> AbstractAsyncContextManager[Signal]:
        """Yield a signal that is set when *owner* may get *name*; a store may never set it."""
        ...

    @property
    def pool(self) -> Pool | None:
        """Its connections; `None` when it needs none, or nobody has asked it anything yet."""
        ...

    async def answers(self) -> Outcome[None]:
        """Ask whether it responds at all. Creates nothing that is missing."""
        ...

    async def check(self) -> Outcome[Sequence[str]]:
        """Return what about the store itself would break its promises, each a sentence with the way to mend it."""
        ...

    async def close(self) -> None:
        """Give back every connection. What is asked later opens them anew."""
        ...
