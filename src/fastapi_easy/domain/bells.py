"""Who wants to know when something becomes free."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager


class Bells:
    """Events by name, in the order in which they were hung up."""

    def __init__(self) -> None:
        self._bells: dict[str, dict[asyncio.Event, None]] = {}

    def __len__(self) -> int:
        return sum(map(len, self._bells.values()))

    def ring(self, name: str) -> None:
        """Set the event that was hung up first: the others could only find that it is not their turn."""
        for bell in self._bells.get(name, ()):
            bell.set()
            break

    @asynccontextmanager
    async def hung_up(self, name: str, bell: asyncio.Event | None = None) -> AsyncIterator[asyncio.Event]:
        """*bell*, or a new one, which `ring` may set while the block lasts."""
        hung = asyncio.Event() if bell is None else bell
        bells = self._bells.setdefault(name, {})
        bells[hung] = None
        try:
            yield hung
        finally:
            del bells[hung]
            if not bells:
                _ = self._bells.pop(name, None)
