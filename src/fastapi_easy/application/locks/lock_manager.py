"""Locks on any lease store: waiting in line, renewal, loss, circles and cleaning up are done here, once."""

import asyncio
import logging
import os
import sys
import warnings
from collections.abc import Callable, Coroutine, Sequence
from contextvars import Context
from typing import Any, Final, TypeVar

from returns.result import Failure

from fastapi_easy.application.locks.held_lease import Fence, Holding
from fastapi_easy.application.locks.hold import Hold, Terms
from fastapi_easy.application.locks.lock_store_dependency import Standing
from fastapi_easy.application.locks.owners import Owners
from fastapi_easy.application.locks.wakeups import WaiterRegistry
from fastapi_easy.domain.errors import Obstacle, Outcome, Unavailable
from fastapi_easy.domain.locks.lease import Eviction, LockCapability, LockInfo, OnLost
from fastapi_easy.domain.locks.lock_errors import LockMisuse
from fastapi_easy.domain.ports.breaker import Breaker, NotAdmitted
from fastapi_easy.domain.ports.clock import Clock
from fastapi_easy.domain.ports.dependency import Dependency
from fastapi_easy.domain.ports.lease_store import LeaseStore
from fastapi_easy.domain.ports.lock_provider import EvictionHook

T = TypeVar("T")

ASK_LIMIT: Final = 6.0
"""Seconds to wait for the store, which has limits of its own, shorter ones; what was asked goes on behind it."""

LONGEST_NAME: Final = 200
"""Bytes."""

SHORTEST: Final = 0.3
"""Seconds of a lease at least: three renewals have to fit in."""

_RETRIES: Final = (0.1, 0.5)
"""Seconds between the attempts to give something back while the store is silent; after that it runs out."""

_CLOSE_LIMIT: Final = 5.0
_logger: Final = logging.getLogger("fastapi_easy.locks")


class LockManager:
    """Implements `LockProvider`.

    Belongs to one event loop from its first use until `aclose`.

    Args:
        store: Where leases are kept.

        clock: Measures time on this side. It has to go on while the machine is suspended.

        on_eviction: Is told of every eviction.

        fence: For units of work in databases other than that of the leases.

        breaker: Gives the one that is asked before the store is, and told whether it answered; asked for anew each
            time. What a lease depends on is asked whatever it says: to renew it and to give it back.
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
        self._tasks: set[asyncio.Task[Any]] = set()
        self._held: dict[Holding, asyncio.Task[None]] = {}
        self._pending: dict[str, set[asyncio.Task[Any]]] = {}
        self.waiters = WaiterRegistry()

    @property
    def capabilities(self) -> frozenset[LockCapability]:
        """What the store can do."""
        return self.store.capabilities

    @property
    def dependency(self) -> Dependency | None:
        """The store, for those who report; `None` when it has no connections, or none was needed yet."""
        return None if self.store.pool is None else Standing(self)

    @property
    def held(self) -> int:
        """Leases that this process holds."""
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
        if not names or ttl < SHORTEST or (max_hold is not None and max_hold < 0):
            raise LockMisuse(f"hold() takes a name, and a ttl of {SHORTEST} s or more")
        if mistaken := [name for name in names if not _is_name(name)]:
            raise LockMisuse(
                f"a lock's name has 1 to {LONGEST_NAME} bytes and no NUL: {mistaken[0][:80]!r} …"
            )
        terms = Terms(ttl=ttl, wait=wait, on_lost=on_lost, fair=fair, max_hold=max_hold, reentrant=reentrant)
        return Hold(self, tuple(sorted(set(names))), terms, _place_of_caller())

    async def inspect(self, prefix: str = "") -> Outcome[Sequence[LockInfo]]:
        """The locks that are held and whose names begin with *prefix*, in their order."""
        return await self.ask(self.store.inspect(prefix))

    async def evict(self, name: str, *, token: int, reason: str) -> Outcome[bool]:
        """Take *name* from whoever holds it by *token*, and tell of it; whether anybody did."""
        evicted = await self.ask(self.store.evict(name, token))
        if not isinstance(evicted, Failure) and evicted.unwrap():
            _logger.warning("the lease of %r (token %d) was evicted: %s", name, token, reason)
            if self._on_eviction is not None:
                await self._on_eviction(Eviction(name=name, token=token, reason=reason))
        return evicted

    async def check(self) -> Outcome[Sequence[str]]:
        """What about the store itself would break its promises, each a sentence with the way to mend it."""
        return await self.ask(self.store.check())

    async def aclose(self) -> None:
        """Give back everything this process holds, and every connection."""
        self._enter_home()
        for holding in tuple(self._held):
            holding.lose("the program ends")
            holding.is_over = True
            _ = self.give_back(holding, holding.names)
        if self._tasks:
            _, left = await asyncio.wait(self._tasks, timeout=_CLOSE_LIMIT)
            # The store has not answered for so long. What went on would open it anew once it is closed.
            for each in left:
                _ = each.cancel()
            if left:
                _ = await asyncio.wait(left, timeout=_CLOSE_LIMIT)
        await self.store.close()
        self._loop = self._owners = None

    async def ask(
        self,
        question: Coroutine[Any, Any, Outcome[T]],
        *,
        limit: float = ASK_LIMIT,
        owner: str = "",
        insists: bool = False,
    ) -> Outcome[T]:
        """The answer to *question*, or `Unavailable` when there is none in time.

        It is asked to its end whatever happens: a request that is cut off may still be carried out, later than
        whatever would undo it.

        Args:
            question: Is asked once, or closed.

            limit: Seconds to wait.

            owner: Whom it is about.

            insists: It is asked even when the breaker says that the store is to be left alone.
        """
        try:
            self._enter_home()
            told = self._told(question, *self._permit(insists=insists))
        except NotAdmitted as refused:
            question.close()
            return Failure(Unavailable(self.store.name, refused.retry_after, refused.obstacle))
        except LockMisuse:
            question.close()
            raise
        task = self._begin(told)
        if owner:
            pending = self._pending.setdefault(owner, set())
            pending.add(task)
            task.add_done_callback(lambda _: self._settle(owner, task))
        done, _ = await asyncio.wait([task], timeout=limit)
        return task.result() if done else Failure(Unavailable(self.store.name))

    def owner(self, task: "asyncio.Task[Any]") -> str:
        """The owner of one more acquisition of *task*."""
        self._enter_home()
        if self._owners is None:
            self._owners = Owners()
        return self._owners.next(task)

    def keep(self, holding: Holding, watchdog: Coroutine[Any, Any, None]) -> None:
        """Start *watchdog*, and remember what is held, for the end of the process."""
        self._held[holding] = self._begin(watchdog)

    def give_back(self, holding: Holding, known: tuple[str, ...]) -> "asyncio.Task[None]":
        """Give *known* names back, behind whatever is still asked about them; begun, and owned here."""
        watchdog = self._held.pop(holding, None)
        if watchdog is not None:
            _ = watchdog.cancel()
        return self._begin(self._give_back(holding, known))

    def leaked(self, holding: Holding) -> None:
        """Nobody can end the block of *holding* any more: say where it began, and give it back."""
        if holding.is_over:
            return
        holding.is_over = True
        warnings.warn(
            f"the lease of {holding.names!r} was never given back: hold it in an `async with` block; "
            f"it was asked for at {holding.place}",
            ResourceWarning,
            stacklevel=2,
        )
        loop = self._loop
        if loop is not None and not loop.is_closed():
            # Collected who knows where: in any thread.
            _ = loop.call_soon_threadsafe(lambda: self.give_back(holding, holding.names))

    async def _give_back(self, holding: Holding, known: tuple[str, ...]) -> None:
        for name in known:
            owner = holding.owner_of(name)
            if pending := self._pending.get(owner):
                # Else what was given up in the middle might be granted after it was given back.
                _ = await asyncio.wait(pending)
            if not await self._release(name, owner, waits=name not in holding.tokens):
                _logger.warning("lock %r could not be given back by %s: it will run out", name, owner)
            self.waiters.wake(name)

    async def _release(self, name: str, owner: str, *, waits: bool) -> bool:
        """Give *name* back, and the place in the line for it; whether the store has heard it."""
        for pause in (*_RETRIES, None):
            released: Outcome[Any] = await self._told(
                self.store.release(name, owner), *self._permit(insists=True)
            )
            if waits and not isinstance(released, Failure):
                released = await self._told(self.store.dequeue(name, owner), *self._permit(insists=True))
            if not isinstance(released, Failure):
                return True
            if pause is not None:
                await asyncio.sleep(pause)
        return False

    def _permit(self, *, insists: bool) -> tuple[Breaker | None, int]:
        """The breaker to be told, and its permit; no breaker when the store is asked without one.

        Raises:
            NotAdmitted: It is not to be asked, and nobody insists.
        """
        breaker = self._breaker()
        try:
            return breaker, 0 if breaker is None else breaker.enter()
        except NotAdmitted:
            if not insists:
                raise
            return None, 0

    async def _told(
        self, question: Coroutine[Any, Any, Outcome[T]], breaker: Breaker | None, permit: int
    ) -> Outcome[T]:
        """The answer to *question*; *breaker* is told whether there was one."""
        if breaker is None:
            return await question
        answered: bool | None = None
        asked_at, limit = self.clock.monotonic(), breaker.slow_after
        try:
            outcome = await question
            answered = _has_answered(outcome)
        finally:
            is_slow = limit is not None and self.clock.monotonic() - asked_at > limit
            breaker.leave(permit, answered=answered, slow=is_slow)
        return outcome

    def _settle(self, owner: str, task: "asyncio.Task[Any]") -> None:
        pending = self._pending.get(owner, set())
        pending.discard(task)
        if not pending:
            _ = self._pending.pop(owner, None)

    def _begin(self, work: Coroutine[Any, Any, T]) -> "asyncio.Task[T]":
        # Nothing of the call it is done for counts, its deadline least of all: leases outlive calls.
        task = asyncio.get_running_loop().create_task(work, context=Context())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    def _enter_home(self) -> None:
        loop = asyncio.get_running_loop()
        if self._owners is not None and self._owners.process != os.getpid():
            raise LockMisuse(
                "a process that was forked off holds no locks of the one before: make it a container"
            )
        if self._loop is None:
            self._loop = loop
        elif self._loop is not loop:
            if not self._loop.is_closed():
                raise LockMisuse("these locks belong to another event loop, which has not called aclose()")
            self._loop = loop
            self._held.clear()
            self._tasks.clear()
            self._pending.clear()


def _has_answered(outcome: Outcome[Any]) -> bool | None:
    """Whether the store has; `None` when it was not asked, since too many of us asked at once."""
    if not isinstance(outcome, Failure) or not isinstance(error := outcome.failure(), Unavailable):
        return True
    return {Obstacle.SILENCE: False, Obstacle.OVERLOAD: None}.get(error.obstacle, True)


def _is_name(name: str) -> bool:
    try:
        encoded = name.encode()
    except UnicodeEncodeError:
        return False  # half a character
    return 0 < len(encoded) <= LONGEST_NAME and b"\0" not in encoded


def _place_of_caller() -> str:
    """The line of the program that called, outside of this package."""
    frame = sys._getframe(1)  # noqa: SLF001 (a traceback would cost more than the lock)
    while frame.f_back is not None and str(frame.f_globals.get("__name__", "")).startswith("fastapi_easy."):
        frame = frame.f_back
    return f"{frame.f_code.co_filename}:{frame.f_lineno}"
