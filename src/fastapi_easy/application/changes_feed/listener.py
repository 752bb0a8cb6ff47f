"""One listener of a hub: the changes that wait for it."""

import asyncio
from collections import deque
from collections.abc import Iterable, Sequence

from fastapi_easy.application.changes_feed.feed_message import StreamEnd
from fastapi_easy.application.changes_feed.published_change import PublishedChange


class Listener:
    """A bounded queue between the hub, which never waits, and one reader.

    Args:
        after: The last position that the reader has seen by itself.

        waiting: Changes after that which the hub knows already.

        limit: Changes that may wait at most, besides those.

    Attributes:
        end: Why nothing more will come; `None` while something may.
    """

    __slots__ = ("_after", "_changed", "_limit", "_queue", "end")

    def __init__(self, after: int, waiting: Iterable[PublishedChange], limit: int) -> None:
        self._queue = deque(waiting)
        self._after = after
        self._limit = len(self._queue) + limit
        self._changed = asyncio.Event()
        self.end: StreamEnd | None = None

    def offer(self, change: PublishedChange) -> None:
        """Let *change* wait for the reader; end when too many do, so that a slow reader costs others nothing."""
        if self.end is not None or change.position <= self._after:
            return
        if len(self._queue) >= self._limit:
            self.finish(StreamEnd.SLOW)
            return
        self._queue.append(change)
        self._changed.set()

    def finish(self, end: StreamEnd) -> None:
        """Let nothing more come because of *end*; what waits is still taken."""
        if self.end is None:
            self.end = end
            self._changed.set()

    def take(self) -> Sequence[PublishedChange]:
        """Return what waits, the oldest first."""
        taken = tuple(self._queue)
        self._queue.clear()
        self._changed.clear()
        return taken

    async def wait(self, seconds: float) -> None:
        """Wait until there is something to take, or the end, but no longer than *seconds*."""
        if self._queue or self.end is not None:
            return
        try:
            async with asyncio.timeout(seconds):
                _ = await self._changed.wait()
        except TimeoutError:
            return
