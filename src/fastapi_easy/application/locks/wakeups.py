"""Waiters of one process, woken when a lock becomes free."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi_easy.domain.locks.signal import Signal


class WaiterRegistry:
    """The events of waiters by the name of the lock, in order of arrival."""

    def __init__(self) -> None:
        self._events: dict[str, dict[Signal, None]] = {}

    def __len__(self) -> int:
        return sum(map(len, self._events.values()))

    def wake(self, name: str) -> None:
        """Set the event of the first waiter only: it is not the turn of the others."""
        for event in self._events.get(name, ()):
            event.set()
            break

    @asynccontextmanager
    async def register(self, name: str, event: Signal) -> AsyncIterator[None]:
        """Let `wake` set *event* while the block lasts."""
        events = self._events.setdefault(name, {})
        events[event] = None
        try:
            yield
        finally:
            del events[event]
            if not events:
                _ = self._events.pop(name, None)
