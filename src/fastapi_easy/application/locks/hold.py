"""The context manager that holds a lease: a cancel scope that ends with the lease."""

import asyncio
import weakref
from contextvars import ContextVar
from dataclasses import dataclass
from types import TracebackType
from typing import Final, Protocol

from fastapi_easy.application.locks.held_lease import Fence, HeldLease
from fastapi_easy.application.locks.lease_state import LeaseState
from fastapi_easy.application.locks.lock_request import LockRequest, StoreCall
from fastapi_easy.application.locks.owners import task_of
from fastapi_easy.application.locks.wakeups import WaiterRegistry
from fastapi_easy.domain import deadline
from fastapi_easy.domain.locks.lease import OnLost
from fastapi_easy.domain.locks.lock_errors import LockDeadlock, LockMisuse
from fastapi_easy.domain.ports.clock import Clock
from fastapi_easy.domain.ports.lease_store import LeaseStore

_CURRENT_LEASES: Final[ContextVar[tuple[tuple[LeaseState, weakref.ref[HeldLease]], ...]]] = ContextVar(
    "fastapi_easy_leases", default=()
)
"""The leases that this task holds, and the tasks that started it: child tasks inherit the context."""

RELEASE_TIMEOUT: Final = 2.0
"""Seconds that the end of a block waits for the release, which then goes on in the background."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HoldOptions:
    """The options of `LockProvider.hold`."""

    ttl: float
    wait: float
    on_lost: OnLost
    fair: bool
    max_hold: float | None
    reentrant: bool


class LeaseTracker(Protocol):
    """The part of `LockManager` that a `Hold` uses."""

    @property
    def store(self) -> LeaseStore:
        """The store of the leases."""
        ...

    @property
    def clock(self) -> Clock:
        """The clock of this process."""
        ...

    @property
    def call_store(self) -> StoreCall:
        """The function that calls the store, within a timeout."""
        ...

    @property
    def fence(self) -> Fence | None:
        """The fence for units of work in other databases than that of the leases."""
        ...

    @property
    def waiters(self) -> WaiterRegistry:
        """The waiters of this process, woken when it releases a name."""
        ...

    def is_isolated(self) -> bool:
        """Return whether an operator lets nobody call the store."""
        ...

    def owner(self, task: "asyncio.Task[object]") -> str:
        """Return a new owner id for an acquisition by *task*."""
        ...

    def track(self, state: LeaseState) -> None:
        """Renew the lease from now on, and remember it so that shutdown releases it."""
        ...

    def start_release(self, state: LeaseState, known: tuple[str, ...]) -> "asyncio.Task[None]":
        """Start to release the *known* names once pending requests for them have ended; the manager owns the task."""
        ...

    def report_leak(self, state: LeaseState) -> None:
        """Report that the block of *state* was collected without being left."""
        ...


class CancelScope:
    """The part of a task that is cancelled when its lease is lost, as `asyncio.timeout` does it.

    It holds no reference to the block, so that a block that is never left can be collected and reported.
    """

    __slots__ = ("_cancelled", "_cancelling", "_message", "_task")

    def __init__(self, task: "asyncio.Task[object]", message: str) -> None:
        self._task = task
        self._message = message
        self._cancelling = task.cancelling()
        self._cancelled = False

    def cancel(self) -> None:
        """Cancel the task, unless the task itself has noticed the loss."""
        if asyncio.current_task() is not self._task:
            self._cancelled = self._task.cancel(self._message)

    def consume_cancellation(self, error: BaseException | None) -> bool:
        """Withdraw the cancellation; return whether *error*, which ends the block, is this one and no other."""
        if not self._cancelled:
            return False
        self._cancelled = False
        return self._task.uncancel() <= self._cancelling and isinstance(error, asyncio.CancelledError)


class Hold:
    """The context manager that `LockProvider.hold` returns; entered once."""

    __slots__ = ("__weakref__", "_finalizer", "_lease", "_options", "_scope", "_state", "_tracker")

    def __init__(
        self, tracker: LeaseTracker, names: tuple[str, ...], options: HoldOptions, call_site: str
    ) -> None:
        self._tracker = tracker
        self._options = options
        self._state = LeaseState(tracker.store, tracker.clock, "", options.ttl, call_site, names)
        self._lease: HeldLease | None = None
        self._scope: CancelScope | None = None
        self._finalizer: weakref.finalize[..., Hold] | None = None

    async def __aenter__(self) -> HeldLease:
        """Wait until every name is held."""
        state, tracker = self._state, self._tracker
        task = asyncio.current_task()
        if task is None or state.is_ended or self._scope is not None:
            raise LockMisuse("the context manager of hold() is entered once, inside a task")
        state.owner = tracker.owner(task)
        known = self._already_held()
        if known is not None:
            return known
        scope = self._scope = CancelScope(task, f"the lease of {state.names[0]!r} is lost")
        if self._options.on_lost == "cancel":
            state.on_loss = scope.cancel
        requests: list[LockRequest] = []
        try:
            await self._acquire_all(requests)
        except BaseException as error:
            state.is_ended = True
            # Not awaited: a caller that was cancelled or timed out must not wait any longer.
            _ = tracker.start_release(state, tuple(each.name for each in requests if each.is_known))
            if scope.consume_cancellation(error):
                raise state.lost_error() from error
            raise
        lease = self._lease = HeldLease(state, tracker.call_store, tracker.fence)
        self._finalizer = weakref.finalize(self, tracker.report_leak, state)
        self._finalizer.atexit = False
        _ = _CURRENT_LEASES.set((*_CURRENT_LEASES.get(), (state, weakref.ref(lease))))
        return lease

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Release the lease.

        Raises:
            LeaseLost: The lease was lost, and the block was cancelled by that or ended without an error.
        """
        scope, state = self._scope, self._state
        if scope is None:
            return  # a reentrant hold: the outer block owns the lease
        if self._finalizer is not None:
            _ = self._finalizer.detach()
        is_lost, is_given_back = state.lost.is_set(), state.is_ended
        state.is_ended = True
        consume_cancellation = scope.consume_cancellation(error)
        _ = _CURRENT_LEASES.set(tuple(each for each in _CURRENT_LEASES.get() if each[0] is not state))
        if not is_given_back:
            released = self._tracker.start_release(state, state.names)
            if not is_lost:
                # The manager owns the release: it goes on when this task is cancelled, or after the timeout.
                _ = await asyncio.wait([released], timeout=RELEASE_TIMEOUT)
        if consume_cancellation or (is_lost and self._options.on_lost == "cancel" and error is None):
            raise state.lost_error() from error

    async def _acquire_all(self, requests: list[LockRequest]) -> None:
        state, tracker, options = self._state, self._tracker, self._options
        # A call with an earlier deadline does not wait longer than that.
        until = tracker.clock.monotonic() + deadline.within(max(options.wait, 0))
        for name in state.names:
            request = LockRequest(
                store=tracker.store,
                clock=tracker.clock,
                call_store=tracker.call_store,
                waiters=tracker.waiters,
                is_isolated=tracker.is_isolated,
                name=name,
                owner=state.owner_of(name),
                ttl=options.ttl,
                wait=options.wait,
                fair=options.fair,
                until=until,
            )
            requests.append(request)
            token, requested_at = await request.acquire()
            state.mark_acquired(name, token, requested_at)
            if len(requests) == 1:
                # The watchdog starts with the first name, which must not expire while the next is waited for.
                state.end_after(options.max_hold)
                tracker.track(state)

    def _already_held(self) -> HeldLease | None:
        """Return the lease of the same names that this task holds already, if the hold is reentrant.

        Raises:
            LockDeadlock: This task has one of the names, or one that may wait for its end has.
        """
        names = set(self._state.names)
        for state, lease in _CURRENT_LEASES.get():
            common = names & set(state.names)
            if state.is_ended or state.store is not self._state.store or not common:
                continue
            current: HeldLease | None = lease()
            mine = task_of(state.owner) == task_of(self._state.owner)
            if (
                self._options.reentrant
                and mine
                and current is not None
                and common == names == set(state.names)
            ):
                return current
            name = min(common)
            raise LockDeadlock(name, (name,))
        return None
