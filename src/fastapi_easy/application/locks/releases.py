"""The release of leases, which goes on while the store does not answer."""

import asyncio
import itertools
import logging
from collections.abc import Coroutine, Mapping
from typing import Final, Protocol, TypeVar

from returns.result import Failure

from fastapi_easy.application.locks.lease_state import LeaseState
from fastapi_easy.application.locks.wakeups import WaiterRegistry
from fastapi_easy.domain.errors import Outcome
from fastapi_easy.domain.ports.clock import Clock
from fastapi_easy.domain.ports.lease_store import LeaseStore

T = TypeVar("T")

_DELAYS: Final = (0.1, 0.5)
"""Seconds between the first attempts to release a name while the store does not answer."""

_LATE_DELAYS: Final = (1.0, 2.0, 4.0)
"""Seconds between the later attempts; the last is repeated until the lease has expired."""

_logger: Final = logging.getLogger("fastapi_easy.locks")


class UnrefusedCall(Protocol):
    """Calls the store, past an open circuit breaker: others wait for a release, or for the lease to expire."""

    def __call__(
        self, call: Coroutine[object, object, Outcome[T]], /
    ) -> Coroutine[object, object, Outcome[T]]:
        """Return the answer to *call*."""
        ...


class TaskStart(Protocol):
    """Starts tasks that outlive the call which needs them."""

    def __call__(self, work: Coroutine[object, object, T], /) -> "asyncio.Task[T]":
        """Start *work*."""
        ...


class Releases:
    """The releases of one process.

    Args:
        store: Where leases are kept.

        clock: Tells when a lease has expired, and need not be released any more.

        waiters: Woken after each release.

        call: Calls the store.

        start: Starts what goes on after the block has ended.
    """

    def __init__(
        self,
        store: LeaseStore,
        clock: Clock,
        waiters: WaiterRegistry,
        *,
        call: UnrefusedCall,
        start: TaskStart,
    ) -> None:
        self._store = store
        self._clock = clock
        self._waiters = waiters
        self._call = call
        self._start = start
        self._late: set[asyncio.Task[None]] = set()
        self._is_stopped = False

    async def release_all(
        self, state: LeaseState, known: tuple[str, ...], pending: Mapping[str, set["asyncio.Task[object]"]]
    ) -> None:
        """Release the *known* names of *state*, each when the *pending* calls for its owner have ended."""
        for name in known:
            owner = state.owner_of(name)
            if calls := pending.get(owner):
                # A cancelled acquisition may still be running: it could acquire the name after its release.
                _ = await asyncio.wait(calls)
            was_held = name in state.tokens
            if not await self._release(name, owner, was_queued=not was_held):
                if was_held:
                    _logger.warning(
                        "lock %r could not be released yet by %s, and may have to expire", name, owner
                    )
                else:
                    # Nobody has had it. At most the store has granted what nobody was told of.
                    _logger.info("the request of %s for lock %r could not be withdrawn yet", owner, name)
                self._start_late(name, owner, state.ttl, was_queued=not was_held)
            self._waiters.wake(name)

    def stop(self) -> None:
        """Give up what is late, and start nothing of that kind until `resume`."""
        self._is_stopped = True
        for each in self._late:
            _ = each.cancel()

    def resume(self) -> None:
        """Forget what was late, and let later attempts be made again."""
        self._is_stopped = False
        self._late.clear()

    async def _release(self, name: str, owner: str, *, was_queued: bool) -> bool:
        """Release *name*, and its place in the queue; return whether the store confirmed it."""
        for pause in (*_DELAYS, None):
            released: Outcome[object] = await self._call(self._store.release(name, owner))
            # A name that was never acquired may still have its place in the queue, in the way of those behind it.
            if was_queued and not isinstance(released, Failure):
                released = await self._call(self._store.dequeue(name, owner))
            if not isinstance(released, Failure):
                return True
            if pause is not None:
                await asyncio.sleep(pause)
        return False

    def _start_late(self, name: str, owner: str, ttl: float, *, was_queued: bool) -> None:
        if self._is_stopped:
            return
        task = self._start(self._release_late(name, owner, ttl, was_queued=was_queued))
        self._late.add(task)
        task.add_done_callback(self._late.discard)

    async def _release_late(self, name: str, owner: str, ttl: float, *, was_queued: bool) -> None:
        """Release *name* once the store is back, unless the lease has expired before."""
        ends = self._clock.monotonic() + ttl
        for pause in itertools.chain(_LATE_DELAYS, itertools.repeat(_LATE_DELAYS[-1])):
            if self._clock.monotonic() + pause >= ends:
                return
            await asyncio.sleep(pause)
            if await self._release(name, owner, was_queued=was_queued):
                self._waiters.wake(name)
                return
