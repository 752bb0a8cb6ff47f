"""Locks on any lease store: queueing, renewal, loss, deadlock detection and cleanup are done here, once."""

import asyncio
import logging
import os
import sys
import warnings
from collections.abc import Callable, Coroutine, Sequence
from contextvars import Context
from typing import Final, TypeVar

from returns.result import Failure

from fastapi_easy.application.locks.call_turns import CallTurns
from fastapi_easy.application.locks.held_lease import Fence
from fastapi_easy.application.locks.hold import Hold, HoldOptions
from fastapi_easy.application.locks.lease_state import LeaseState
from fastapi_easy.application.locks.lock_store_dependency import LockStoreDependency
from fastapi_easy.application.locks.owners import Owners
from fastapi_easy.application.locks.releases import Releases
from fastapi_easy.application.locks.wakeups import WaiterRegistry
from fastapi_easy.application.locks.watchdog import Watchdog
from fastapi_easy.domain.errors import Outcome, Unavailable, UnavailableReason
from fastapi_easy.domain.locks.lease import Eviction, LockCapability, LockInfo, OnLost
from fastapi_easy.domain.locks.lock_errors import LockMisuse
from fastapi_easy.domain.locks.renewal import RenewalFigures
from fastapi_easy.domain.ports.breaker import Breaker, CallNotPermitted, CircuitState
from fastapi_easy.domain.ports.clock import Clock
from fastapi_easy.domain.ports.dependency import Dependency
from fastapi_easy.domain.ports.lease_store import LeaseStore
from fastapi_easy.domain.ports.lock_provider import EvictionHook

T = TypeVar("T")

STORE_TIMEOUT: Final = 6.0
"""Seconds to wait for the store, whose own timeouts are shorter; the call goes on in the background."""

TURN_TIMEOUT: Final = 5.0
"""Seconds to wait for a turn to call the store; then there are too many calls at once. Less than `STORE_TIMEOUT`, and
long, since those who give up ask again from the end of the line."""

MAX_NAME_BYTES: Final = 200
"""Bytes of a name in UTF-8 at most: the width of its column on MySQL and MariaDB."""

MIN_TTL: Final = 0.3
"""Seconds of a lease at least: three renewals have to fit in, see `watchdog`."""

_CLOSE_TIMEOUT: Final = 5.0
_logger: Final = logging.getLogger("fastapi_easy.locks")


class LockManager:
    """Implements `LockProvider`.

    Belongs to one event loop from its first use until `aclose`.

    Args:
        store: Where leases are kept.

        clock: Measures time on this side. It has to go on while the machine is suspended.

        on_eviction: Called after every eviction.

        fence: For units of work in databases other than that of the leases.

        breaker: Returns the circuit breaker that permits calls of the store; called for each, so that it can be
            replaced. Renewals and releases bypass an open breaker, since leases depend on them.
    """

    def __init__(
        self,
        store: LeaseStore,
        clock: Clock,
        *,
        on_eviction: EvictionHook | None = None,
        fence: Fence | None = None,
        breaker: Callable[[], Breaker | None] = lambda: None,
    ) -> None:
        self.store = store
        self.clock = clock
        self.fence = fence
        self._on_eviction = on_eviction
        self._breaker = breaker
        self._owners: Owners | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._tasks: set[asyncio.Task[object]] = set()
        self._held: set[LeaseState] = set()
        self._pending: dict[str, set[asyncio.Task[object]]] = {}
        self.waiters = WaiterRegistry()
        self._turns = CallTurns()
        self._watchdog = Watchdog(clock, self.call_store, self._start_task, self._end_at_limit)
        self._releases = Releases(
            store, clock, self.waiters, call=self._call_past_breaker, start=self._start_task
        )

    @property
    def capabilities(self) -> frozenset[LockCapability]:
        """The capabilities of the store."""
        return self.store.capabilities

    @property
    def dependency(self) -> Dependency | None:
        """The store as a dependency for health checks; `None` when it has no connections, or none was opened yet."""
        return None if self.store.pool is None else LockStoreDependency(self)

    @property
    def renewals(self) -> RenewalFigures:
        """How the leases that this process holds are renewed."""
        return self._watchdog.figures(len(self._held))

    @property
    def held(self) -> int:
        """The number of leases that this process holds."""
        return len(self._held)

    def hold(
        self,
        *names: str,
        ttl: float = 30,
        wait: float = 10,
        on_lost: OnLost = "cancel",
        fair: bool = True,
        max_hold: float | None = 900,
        reentrant: bool = False,
    ) -> Hold:
        """Hold *names* while a block runs; see `LockProvider.hold`."""
        if not names or ttl < MIN_TTL or (max_hold is not None and max_hold < 0):
            raise LockMisuse(f"hold() takes a name, and a ttl of {MIN_TTL} s or more")
        if invalid := [name for name in names if not _is_name(name)]:
            raise LockMisuse(
                f"a lock's name has 1 to {MAX_NAME_BYTES} bytes and no NUL: {invalid[0][:80]!r} …"
            )
        # A lease may not outlast its limit, also when this process dies.
        longest = ttl if max_hold is None else max(MIN_TTL, min(ttl, max_hold))
        options = HoldOptions(
            ttl=longest, wait=wait, on_lost=on_lost, fair=fair, max_hold=max_hold, reentrant=reentrant
        )
        return Hold(self, tuple(sorted(set(names))), options, _find_call_site())

    async def inspect(self, prefix: str = "") -> Outcome[Sequence[LockInfo]]:
        """Return the held locks whose names begin with *prefix*, in their order."""
        return await self.call_store(self.store.inspect(prefix))

    async def evict(self, name: str, *, token: int, reason: str) -> Outcome[bool]:
        """Evict the holder of *name* with *token*, log it and call the hook; return whether there was such a holder."""
        evicted = await self.call_store(self.store.evict(name, token))
        if not isinstance(evicted, Failure) and evicted.unwrap():
            _logger.warning("the lease of %r (token %d) was evicted: %s", name, token, reason)
            if self._on_eviction is not None:
                await self._on_eviction(Eviction(name=name, token=token, reason=reason))
        return evicted

    async def check(self) -> Outcome[Sequence[str]]:
        """Return the misconfigurations of the store that would break its guarantees, each with its remedy."""
        return await self.call_store(self.store.check())

    async def aclose(self) -> None:
        """Release every lease of this process, and close the store."""
        self._check_event_loop()
        self._releases.stop()
        for state in tuple(self._held):
            state.mark_lost("the application shuts down")
            state.is_ended = True
            _ = self.start_release(state, state.names)
        if self._tasks:
            _, left = await asyncio.wait(self._tasks, timeout=_CLOSE_TIMEOUT)
            # The store has not answered in time. A call that went on would reopen its connections after the close.
            for each in left:
                _ = each.cancel()
            if left:
                _ = await asyncio.wait(left, timeout=_CLOSE_TIMEOUT)
        await self.store.close()
        self._loop = self._owners = None
        self._releases.resume()

    async def call_store(
        self,
        call: Coroutine[object, object, Outcome[T]],
        *,
        limit: float = STORE_TIMEOUT,
        owner: str = "",
        bypass_breaker: bool = False,
    ) -> Outcome[T]:
        """Return the answer to *call*, or `Unavailable` when there is none in time.

        The call is never cancelled: a request that was cut off might still be carried out by the store, later than
        the one that undoes it.

        Args:
            call: Awaited once, or closed.

            limit: Seconds to wait.

            owner: The owner it is made for; a release for that owner waits for it.

            bypass_breaker: Make the call even when the breaker is open.
        """
        try:
            self._check_event_loop()
            permit = self._acquire_permit(bypass_breaker=bypass_breaker)
            # What a lease depends on does not wait behind those who ask for one.
            tracked = self._call_through_breaker(
                call, *permit, has_turn=not bypass_breaker, turn_timeout=TURN_TIMEOUT
            )
        except CallNotPermitted as rejected:
            call.close()
            return Failure(Unavailable(self.store.name, rejected.retry_after, rejected.reason))
        except LockMisuse:
            call.close()
            raise
        task = self._start_task(tracked)
        if owner:
            pending = self._pending.setdefault(owner, set())
            pending.add(task)
            task.add_done_callback(lambda _: self._forget_pending(owner, task))
        done, _ = await asyncio.wait([task], timeout=limit)
        return task.result() if done else Failure(Unavailable(self.store.name))

    def is_isolated(self) -> bool:
        """Return whether an operator lets nobody call the store."""
        breaker = self._breaker()
        return breaker is not None and breaker.circuit.state is CircuitState.ISOLATED

    def owner(self, task: "asyncio.Task[object]") -> str:
        """Return a new owner id for an acquisition by *task*."""
        self._check_event_loop()
        if self._owners is None:
            self._owners = Owners()
        return self._owners.next(task)

    def track(self, state: LeaseState) -> None:
        """Renew the lease from now on, and remember it so that `aclose` releases it."""
        self._held.add(state)
        self._watchdog.watch(state)

    def start_release(self, state: LeaseState, known: tuple[str, ...]) -> "asyncio.Task[None]":
        """Start to release the *known* names once pending requests for them have ended; the task is owned here."""
        self._held.discard(state)
        self._watchdog.forget(state)
        return self._start_task(self._releases.release_all(state, known, self._pending))

    def report_leak(self, state: LeaseState) -> None:
        """Warn that the block of *state* was collected without being left, and release its lease."""
        if state.is_ended:
            return
        state.is_ended = True
        warnings.warn(
            f"the lease of {state.names!r} was never released: hold it in an `async with` block; "
            f"it was acquired at {state.call_site}",
            ResourceWarning,
            stacklevel=2,
        )
        loop = self._loop
        if loop is not None and not loop.is_closed():
            # The garbage collector runs in any thread, and the release needs the thread of the event loop.
            _ = loop.call_soon_threadsafe(self.start_release, state, state.names)

    def _end_at_limit(self, state: LeaseState) -> None:
        """Release the lease, whose block may go on for longer: others wait for it."""
        state.is_ended = True
        _ = self.start_release(state, tuple(state.tokens))

    def _call_past_breaker(
        self, call: Coroutine[object, object, Outcome[T]]
    ) -> Coroutine[object, object, Outcome[T]]:
        """Return the answer to *call*, made also when the breaker is open."""
        return self._call_through_breaker(call, *self._acquire_permit(bypass_breaker=True))

    def _acquire_permit(self, *, bypass_breaker: bool) -> tuple[Breaker | None, int]:
        """Return the circuit breaker to report to, and its permit; no breaker when the call bypasses an open one.

        Raises:
            CallNotPermitted: The breaker is open, and is not to be bypassed.
        """
        breaker = self._breaker()
        try:
            return breaker, 0 if breaker is None else breaker.enter()
        except CallNotPermitted:
            if not bypass_breaker:
                raise
            return None, 0

    async def _call_through_breaker(
        self,
        call: Coroutine[object, object, Outcome[T]],
        breaker: Breaker | None,
        permit: int,
        *,
        has_turn: bool = True,
        turn_timeout: float | None = None,
    ) -> Outcome[T]:
        """Return the answer to *call*, and report to *breaker* whether there was one.

        Args:
            call: Awaited once, or closed.

            breaker: The circuit breaker to report to.

            permit: Its permit for the call.

            has_turn: The call waits for its turn among those of this process.

            turn_timeout: Seconds after which it waits no longer; `None` for as long as it takes.
        """
        answered: bool | None = None
        is_slow = is_made = False
        turns = self._turns if has_turn else None
        try:
            if turns is not None and not await turns.take(turn_timeout):
                return Failure(Unavailable(self.store.name, reason=UnavailableReason.OVERLOAD))
            is_made = True
            requested_at, limit = self.clock.monotonic(), None if breaker is None else breaker.slow_after
            outcome = await call
            answered = _has_answered(outcome)
            is_slow = limit is not None and self.clock.monotonic() - requested_at > limit
        finally:
            if not is_made:
                call.close()
            elif turns is not None:
                turns.end()
            if breaker is not None:
                breaker.leave(permit, answered=answered, slow=is_slow)
        return outcome

    def _forget_pending(self, owner: str, task: "asyncio.Task[object]") -> None:
        pending = self._pending.get(owner, set())
        pending.discard(task)
        if not pending:
            _ = self._pending.pop(owner, None)

    def _start_task(self, work: Coroutine[object, object, T]) -> "asyncio.Task[T]":
        # An empty context: leases outlive calls, so the deadline of the call must not end what is done for them.
        task = asyncio.get_running_loop().create_task(work, context=Context())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    def _check_event_loop(self) -> None:
        loop = asyncio.get_running_loop()
        if self._owners is not None and self._owners.process != os.getpid():
            raise LockMisuse("a forked process does not inherit locks: create a container in it")
        if self._loop is None:
            self._loop, self._turns = loop, CallTurns()
        elif self._loop is not loop:
            if not self._loop.is_closed():
                raise LockMisuse("these locks belong to another event loop, which has not called aclose()")
            self._loop, self._turns = loop, CallTurns()
            self._held.clear()
            self._watchdog.forget_all()
            self._tasks.clear()
            self._releases.resume()
            self._pending.clear()


def _has_answered(outcome: Outcome[object]) -> bool | None:
    """Return whether the store has answered; `None` when it was not asked because of too many concurrent calls."""
    if not isinstance(outcome, Failure) or not isinstance(error := outcome.failure(), Unavailable):
        return True
    return _ANSWERED.get(error.reason, True)


_ANSWERED: Final = {
    UnavailableReason.NO_RESPONSE: False,
    UnavailableReason.ACCESS_DENIED: False,
    UnavailableReason.UNKNOWN_DATABASE: False,
    UnavailableReason.OVERLOAD: None,
}


def _is_name(name: str) -> bool:
    try:
        encoded = name.encode()
    except UnicodeEncodeError:
        return False  # a lone surrogate
    return 0 < len(encoded) <= MAX_NAME_BYTES and b"\0" not in encoded


def _find_call_site() -> str:
    """Return the file and line of the calling program, outside of this package."""
    frame = sys._getframe(1)  # noqa: SLF001 (a traceback would cost more than the lock)
    while frame.f_back is not None and str(frame.f_globals.get("__name__", "")).startswith("fastapi_easy."):
        frame = frame.f_back
    return f"{frame.f_code.co_filename}:{frame.f_lineno}"
