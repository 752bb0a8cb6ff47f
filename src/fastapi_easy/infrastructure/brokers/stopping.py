"""Tasks that take one message after the other, and stop between two of them."""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Final

_logger = logging.getLogger(__name__)

_PAUSE: Final = 1.0
"""Seconds to wait after something went wrong beside the handling of a message."""


class Members:
    """The members of groups of consumers that one broker runs in this process."""

    def __init__(self) -> None:
        self._tasks: dict[asyncio.Task[None], bool] = {}
        self._is_stopping = False

    def start(self, take_one: Callable[[], Awaitable[None]]) -> None:
        """Call *take_one* again and again until `stop`.

        It waits for one message and handles it, and says `busy` while it does. What it raises is logged.
        """
        self._is_stopping = False
        task = asyncio.create_task(self._run(take_one))
        self._tasks[task] = False

    @contextlib.asynccontextmanager
    async def busy(self) -> AsyncIterator[None]:
        """Say that the running task is not to be interrupted before the grace is over."""
        task = asyncio.current_task()
        if task in self._tasks:
            self._tasks[task] = True
        try:
            yield
        finally:
            if task in self._tasks:
                self._tasks[task] = False

    async def stop(self, grace: float) -> None:
        """Interrupt what waits, and what is busy after *grace* seconds."""
        self._is_stopping = True
        tasks = set(self._tasks)
        for task, is_busy in tuple(self._tasks.items()):
            if not is_busy:
                _ = task.cancel()
        if tasks:
            _, late = await asyncio.wait(tasks, timeout=grace)
            for task in late:
                _ = task.cancel()
            if late:
                _logger.warning("%s deliveries were interrupted, and will be made again", len(late))
                _ = await asyncio.wait(late)
        self._tasks.clear()

    async def _run(self, take_one: Callable[[], Awaitable[None]]) -> None:
        while not self._is_stopping:
            try:
                await take_one()
            except Exception:
                # The broker is there again soon, or the connection: a member never gives up.
                _logger.exception("a consumer could not go on, and tries again")
                await asyncio.sleep(_PAUSE)
