"""Locks: doing something alone."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Protocol, TypeAlias, runtime_checkable

from fastapi_easy.domain.errors import Outcome
from fastapi_easy.domain.locks.lease import Eviction, LockCapability, LockInfo, OnLost
from fastapi_easy.domain.locks.signal import Signal
from fastapi_easy.domain.ports.dependency import Dependency
from fastapi_easy.domain.ports.unit_of_work import UnitOfWork

EvictionHook: TypeAlias = Callable[[Eviction], Awaitable[None]]
"""Is told of every eviction, after it was done."""


@runtime_checkable
class Lease(Protocol):
    """A lock that is held, until its block ends or it is lost."""

    @property
    def name(self) -> str:
        """The name that is held; of several the first in their order."""
        ...

    @property
    def names(self) -> tuple[str, ...]:
        """The names that are held, in order."""
        ...

    @property
    def token(self) -> int:
        """The fencing token: larger than that of every earlier lease of the same names, which can so be refused."""
        ...

    @property
    def tokens(self) -> Mapping[str, int]:
        """The token of each name."""
        ...

    @property
    def owner(self) -> str:
        """Host, process and task."""
        ...

    @property
    def lost(self) -> Signal:
        """Set when the lease is lost."""
        ...

    @property
    def remaining(self) -> float:
        """Seconds for which it is certainly held without being renewed, by this machine's clock; 0 once lost."""
        ...

    def check(self) -> None:
        """Do nothing while it is certainly held. Call it before a side effect that knows no tokens.

        Raises:
            LeaseLost: It is not.
        """
        ...

    async def renew(self) -> Outcome[None]:
        """Let it run for its whole time from now on; that is done by itself all the while.

        Fails with:
            LockLost: It is lost.

            Unavailable: Nobody knows: the store did not answer, and the lease runs on until its time is up.
        """
        ...

    async def guard(self, work: UnitOfWork) -> Outcome[None]:
        """Hold on to it until the transaction of *work* has ended. `UnitOfWork.bind` does it before the commit.

        The lease goes on being renewed, however long *work* takes; whoever acquires it next waits for its end.
        Where *work* writes into another database than that of the leases, the lease is renewed, and the fence of that
        database is stamped with the token: do it first of all there, before anything is read that later writes are
        based on.

        Fails with:
            LockLost: It is lost or has expired, or somebody else may have it by now.

            Unavailable: The store of the leases, or the database of *work*, did not answer.

            Unsupported: The database of *work* has no transactions, or the store no tokens.
        """
        ...


@runtime_checkable
class LockProvider(Protocol):
    """Locks by name, for work that spans transactions, calls to others, or minutes."""

    @property
    def capabilities(self) -> frozenset[LockCapability]:
        """What the store behind it can do."""
        ...

    def hold(
        self,
        *names: str,
        ttl: float = 30,
        wait: float = 10,
        on_lost: OnLost = "cancel",
        fair: bool = True,
        max_hold: float | None = 900,
        reentrant: bool = False,
    ) -> AbstractAsyncContextManager[Lease]:
        """Hold *names* while a block runs. Several are asked for in the order of their names.

        The lease is renewed until the block ends, and given back then, also when the task is cancelled.

        Args:
            names: 1 to 200 bytes each.

            ttl: Seconds after which it runs out when this process has vanished.

            wait: Seconds to wait for others, and for the store when it does not answer; 0 asks once. With an open
                transaction an outage of the store is not waited for.

            on_lost: When the lease is lost, `cancel` cancels the task at its next `await` and makes `LeaseLost` of
                it at the end of the block; `event` only sets `Lease.lost`.

            fair: Whoever waits longest is next. Otherwise whoever asks first when it becomes free.

            max_hold: Seconds after which it is no longer renewed, so that work which is stuck loses it.

            reentrant: A task that holds the same names gets the same lease again, in place of `LockDeadlock`.

        Raises:
            LockTimeout: Somebody else held one of them for all of *wait*.

            LockDeadlock: Waiting would never end.

            LockUnavailable: The store did not answer for all of *wait*, or an operator has isolated it.

            LeaseLost: At the end of the block, with `on_lost="cancel"`.

            LockMisuse: The task has an open transaction and would have to wait, or an argument makes no sense.
        """
        ...

    async def inspect(self, prefix: str = "") -> Outcome[Sequence[LockInfo]]:
        """Return the locks that are held and whose names begin with *prefix*, sorted.

        Fails with:
            Unavailable: The store does not answer.
        """
        ...

    async def evict(self, name: str, *, token: int, reason: str) -> Outcome[bool]:
        """Take *name* from whoever holds it by *token*, and tell of it; whether anybody did.

        The holder is told at its next renewal, or when a unit of work bound to the lease commits.

        Fails with:
            Unsupported: The store cannot.

            Unavailable: The store does not answer.
        """
        ...

    @property
    def dependency(self) -> Dependency | None:
        """The store behind it, for health and metrics; `None` when it has no connections, or none was needed yet."""
        ...

    async def check(self) -> Outcome[Sequence[str]]:
        """Return what about the store would break its promises, each a sentence with its mend. Called at start.

        Fails with:
            Unavailable: The store does not answer; that keeps nothing from starting.
        """
        ...

    async def aclose(self) -> None:
        """Give back everything this process holds, and every connection. What is asked later opens them anew."""
        ...
