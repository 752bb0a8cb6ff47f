"""The block in which a lease is held: a cancel scope that ends with the lease."""

import asyncio
import weakref
from collections.abc import Coroutine
from contextvars import ContextVar
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Final, Protocol

from fastapi_easy.application.locks.held_lease import Fence, HeldLease, Holding
from fastapi_easy.application.locks.lock_request import Ask, Wish
from fastapi_easy.application.locks.owners import task_of
from fastapi_easy.application.locks.wakeups import WaiterRegistry
from fastapi_easy.application.locks.watchdog import watch
from fastapi_easy.domain import deadline
from fastapi_easy.domain.locks.lease import OnLost
from fastapi_easy.domain.locks.lock_errors import LockDeadlock, LockMisuse
from fastapi_easy.domain.ports.clock import Clock
from fastapi_easy.domain.ports.lease_store import LeaseStore

_HELD: Final[ContextVar[tuple[tuple[Holding, weakref.ref[HeldLease]], ...]]] = ContextVar(
    "fastapi_easy_leases", default=()
)
"""What this task holds, and those that started it."""

RELEASE_LIMIT: Final = 2.0
"""Seconds that the end of a block waits for the lease to be given back; it goes on behind it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """How to hold; see `LockProvider.hold`."""

    ttl: float
    wait: float
    on_lost: OnLost
    fair: bool
    max_hold: float | None
    reentrant: bool


class Keeper(Protocol):
    """What a block needs of the manager it belongs to."""

    @property
    def store(self) -> LeaseStore:
        """Where leases are kept."""
        ...

    @property
    def clock(self) -> Clock:
        """Measures time on this side."""
        ...

    @property
    def ask(self) -> Ask:
        """Asks the store."""
        ...

    @property
    def fence(self) -> Fence | None:
        """For units of work in other databases."""
        ...

    @property
    def waiters(self) -> WaiterRegistry:
        """Rung when somebody of this process gives a name back."""
        ...

    def owner(self, task: "asyncio.Task[Any]") -> str:
        """The owner of one more acquisition of *task*."""
        ...

    def keep(self, holding: Holding, watchdog: Coroutine[Any, Any, None]) -> None:
        """Start *watchdog*, and remember what is held, for the end of the process."""
        ...

    def give_back(self, holding: Holding, known: tuple[str, ...]) -> "asyncio.Task[None]":
        """Give *known* names back, behind whatever is still asked about them; begun, and owned by the manager."""
        ...

    def leaked(self, holding: Holding) -> None:
        """Nobody can end the block of *holding* any more."""
        ...


class Scope:
    """The part of a task that is cancelled when its lease is lost, as `asyncio.timeout` does it.

    Knows nothing of the block itself, which is collected when nobody can end it any more.
    """

    __slots__ = ("_cancelled", "_cancelling", "_task", "_words")

    def __init__(self, task: "asyncio.Task[Any]", words: str) -> None:
        self._task = task
        self._words = words
        self._cancelling = task.cancelling()
        self._cancelled = False

    def cancel(self) -> None:
        """Cancel the task, unless it is the one that has found out by itself."""
        if asyncio.current_task() is not self._task:
            self._cancelled = self._task.cancel(self._words)

    def caused(self, error: BaseException | None) -> bool:
        """Whether *error*, with which the block ends, is this cancellation and no one else's; takes it back."""
        if not self._cancelled:
            return False
        self._cancelled = False
        return self._task.uncancel() <= self._cancelling and isinstance(error, asyncio.CancelledError)


class Hold:
    """Implements what `LockProvider.hold` answers; entered once."""

    __slots__ = ("__weakref__", "_finalizer", "_holding", "_keeper", "_lease", "_scope", "_terms")

    def __init__(self, keeper: Keeper, names: tuple[str, ...], terms: Terms, place: str) -> None:
        self._keeper = keeper
        self._terms = terms
        self._holding = Holding(keeper.store, keeper.clock, "", terms.ttl, place, names)
        self._lease: HeldLease | None = None
        self._scope: Scope | None = None
        self._finalizer: Any = None

    async def __aenter__(self) -> HeldLease:
        """Wait until everything is held."""
        holding, keeper = self._holding, self._keeper
        task = asyncio.current_task()
        if task is None or holding.is_over or self._scope is not None:
            raise LockMisuse("what hold() answers is entered once, by a task")
        holding.owner = keeper.owner(task)
        known = self._already_held()
        if known is not None:
            return known
        scope = self._scope = Scope(task, f"the lease of {holding.names[0]!r} is lost")
        if self._terms.on_lost == "cancel":
            holding.on_loss = scope.cancel
        wishes: list[Wish] = []
        try:
            await self._fulfil(wishes)
        except BaseException as error:
            holding.is_over = True
            # Not waited for: whoever gives up, or is refused, has waited long enough.
            _ = keeper.give_back(holding, tuple(each.name for each in wishes if each.is_known))
            if scope.caused(error):
                raise holding.failure() from error
            raise
        lease = self._lease = HeldLease(holding, keeper.ask, keeper.fence)
        self._finalizer = weakref.finalize(self, keeper.leaked, holding)
        self._finalizer.atexit = False
        _ = _HELD.set((*_HELD.get(), (holding, weakref.ref(lease))))
        return lease

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Give it back.

        Raises:
            LeaseLost: It was lost, and the block ended by that, or as if nothing were.
        """
        scope, holding = self._scope, self._holding
        if scope is None:
            return  # a block inside the one that holds it
        _ = self._finalizer.detach()
        is_lost, is_given_back = holding.lost.is_set(), holding.is_over
        holding.is_over = True
        caused = scope.caused(error)
        _ = _HELD.set(tuple(each for each in _HELD.get() if each[0] is not holding))
        if not is_given_back:
            released = self._keeper.give_back(holding, holding.names)
            if not is_lost:
                # Goes on when this task is cancelled, or does not want to wait any longer; the manager owns it.
                _ = await asyncio.wait([released], timeout=RELEASE_LIMIT)
        if caused or (is_lost and self._terms.on_lost == "cancel" and error is None):
            raise holding.failure() from error

    async def _fulfil(self, wishes: list[Wish]) -> None:
        holding, keeper, terms = self._holding, self._keeper, self._terms
        # A request that has to end sooner does not wait longer.
        until = keeper.clock.monotonic() + deadline.within(max(terms.wait, 0))
        for name in holding.names:
            wish = Wish(
                store=keeper.store,
                clock=keeper.clock,
                ask=keeper.ask,
                waiters=keeper.waiters,
                name=name,
                owner=holding.owner_of(name),
                ttl=terms.ttl,
                wait=terms.wait,
                fair=terms.fair,
                until=until,
            )
            wishes.append(wish)
            token, asked_at = await wish.fulfil()
            holding.grant(name, token, asked_at)
            if len(wishes) == 1:
                # From here on: it must not run out while the next name is waited for.
                keeper.keep(holding, watch(holding, keeper.ask, terms.max_hold))

    def _already_held(self) -> HeldLease | None:
        """The lease of the same names that this task has, when that is wanted.

        Raises:
            LockDeadlock: This task has one of the names, or one that may wait for its end has.
        """
        names = set(self._holding.names)
        for holding, lease in _HELD.get():
            common = names & set(holding.names)
            if holding.is_over or holding.store is not self._holding.store or not common:
                continue
            again: HeldLease | None = lease()
            mine = task_of(holding.owner) == task_of(self._holding.owner)
            if self._terms.reentrant and mine and again is not None and common == names == set(holding.names):
                return again
            name = min(common)
            raise LockDeadlock(name, (name,))
        return None
