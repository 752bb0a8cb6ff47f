"""The events that wake waiters for a lease, one for each owner."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager


class OwnerEvents:
    """The event of each waiting owner, which stores set that hear of releases."""

    def __init__(self) -> None:
        self._events: dict[str, asyncio.Event] = {}

    def wake(self, owner: str) -> None:
        """Set the event of *owner*; nothing happens when it does not wait."""
        event = self._events.get(owner)
        if event is not None:
            event.set()

    @asynccontextmanager
    async def register(self, owner: str) -> AsyncIterator[asyncio.Event]:
        """Yield an event that `wake` sets while the block lasts."""
        event = self._events[owner] = asyncio.Event()
        try:
            yield event
        finally:
            # Another wait of the same owner may have taken its place.
            if self._events.get(owner) is event:
                del self._events[owner]
