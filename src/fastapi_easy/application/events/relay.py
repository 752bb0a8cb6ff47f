"""The relay: runs its tasks until it is stopped, each in a loop of its own."""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Sequence
from contextvars import Context
from typing import Final

from fastapi_easy.application.events.relay_task import FinishesEarly, RelayTask, ScheduledTask

_logger = logging.getLogger(__name__)

_SECOND_LOOK: Final = 0.05
"""Seconds until a task that was woken and found nothing looks once more: a claim passes over messages that are being
given their positions at that moment, and a webhook waits for those."""

_CANCELLATION: Final = 10.0
"""Seconds that a cancelled task may take to give back what it holds."""


class Relay:
    """Runs *tasks* until it is stopped. Belongs to one event loop.

    Args:
        tasks: What it does. A slow one does not keep the others waiting.

        grace: Seconds that runs under way have to end once it is to stop; after that they are cancelled.
    """

    def __init__(self, tasks: Sequence[ScheduledTask], *, grace: float = 10.0) -> None:
        self._tasks = tuple(tasks)
        self._grace = grace
        self._hints = [asyncio.Event() for _ in self._tasks]
        self._stopping = asyncio.Event()

    @property
    def tasks(self) -> Sequence[RelayTask]:
        """What it does."""
        return [each.task for each in self._tasks]

    def wake(self) -> None:
        """Let it look at once whether there is something to do: a hint, since it looks regularly anyway."""
        for scheduled, hint in zip(self._tasks, self._hints, strict=True):
            if scheduled.is_woken:
                hint.set()

    def stop(self) -> None:
        """Begin nothing new, and let `run` end once what is under way has ended. Again does nothing."""
        self._stopping.set()
        for each in self._tasks:
            if isinstance(each.task, FinishesEarly):
                each.task.finish()
        for hint in self._hints:
            hint.set()

    async def run(self) -> None:
        """Run every task again and again until `stop`; a cancellation stops it at once, with nothing lost."""
        loop = asyncio.get_running_loop()
        # An empty context: the relay outlives whoever started it, and works without their deadline.
        running = [
            loop.create_task(self._repeat(scheduled, hint), context=Context())
            for scheduled, hint in zip(self._tasks, self._hints, strict=True)
        ]
        if not running:
            _ = await self._stopping.wait()
            return
        stopped = loop.create_task(self._stopping.wait())
        try:
            _ = await asyncio.wait([stopped])
            _ = await asyncio.wait(running, timeout=self._grace)
        finally:
            _ = stopped.cancel()
            await _cancel(running)

    async def drain(self) -> None:
        """Run every task until none finds anything more to do at once, or until `stop`."""
        is_busy = True
        while is_busy and not self._stopping.is_set():
            ran = [await _run(each.task) for each in self._tasks]
            is_busy = any(ran)

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Run beside the block, and stop at its end: within the grace, and a few seconds for giving back."""
        task = asyncio.get_running_loop().create_task(self.run(), context=Context())
        try:
            yield
        finally:
            self.stop()
            # As long as the cancelled tasks may take: `run` itself has the limits.
            await task

    async def _repeat(self, scheduled: ScheduledTask, hint: asyncio.Event) -> None:
        interval, looks_twice = scheduled.interval, False
        while not self._stopping.is_set():
            # Before the run: what changes meanwhile may come too late for it.
            hint.clear()
            if await _run(scheduled.task):
                interval = scheduled.interval
                # A store in memory never waits, and would keep everybody else waiting.
                await asyncio.sleep(0)
                continue
            if self._stopping.is_set():
                break
            if await _is_set_within(hint, min(interval, _SECOND_LOOK) if looks_twice else interval):
                interval, looks_twice = scheduled.interval, True
            elif looks_twice:
                looks_twice = False
            else:
                interval = min(interval * 2, scheduled.longest_interval)


async def _run(task: RelayTask) -> bool:
    try:
        return await task.run_once()
    except Exception:
        # A defect of one task must not end the others, nor itself for good.
        _logger.exception("%s has failed", task.name)
        return False


async def _is_set_within(hint: asyncio.Event, seconds: float) -> bool:
    try:
        async with asyncio.timeout(seconds):
            return await hint.wait()
    except TimeoutError:
        return False


async def _cancel(tasks: Sequence[asyncio.Task[None]]) -> None:
    for each in tasks:
        _ = each.cancel()
    _, left = await asyncio.wait(tasks, timeout=_CANCELLATION)
    if left:
        _logger.warning("%d tasks of the relay did not end within %g s", len(left), _CANCELLATION)
