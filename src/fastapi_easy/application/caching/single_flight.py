"""One execution for all who want the same at the same time."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, Generic, TypeVar

T = TypeVar("T")


class SingleFlight(Generic[T]):
    """Runs what several callers want at once a single time, in a task of its own.

    A caller who is cancelled does not cancel it: the others still wait.
    """

    __slots__ = ("_running",)

    def __init__(self) -> None:
        self._running: dict[str, asyncio.Task[T]] = {}

    async def run(self, key: str, make: Callable[[], Coroutine[Any, Any, T]]) -> tuple[T, bool]:
        """Return what *make* returns, or is about to return to somebody else; and whether it was called for this one.

        Args:
            key: The same for callers who want the same.

            make: Returns what is to be executed.
        """
        running = self._running.get(key)
        is_first = running is None
        if running is None:
            running = self._running[key] = asyncio.get_running_loop().create_task(make())
            running.add_done_callback(lambda ended: self._end(key, ended))
        return await asyncio.shield(running), is_first

    async def close(self) -> None:
        """Cancel what is running, and wait until it has ended."""
        running = list(self._running.values())
        for task in running:
            _ = task.cancel()
        _ = await asyncio.gather(*running, return_exceptions=True)

    def _end(self, key: str, ended: asyncio.Task[T]) -> None:
        if self._running.get(key) is ended:
            del self._running[key]
        if not ended.cancelled():
            # Looked at, since all who waited may have been cancelled.
            _ = ended.exception()
