"""The changes of one resource as one caller may see them, until one of them ends the stream."""

import asyncio
import random
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from typing import Final, Self

from returns.result import Failure

from fastapi_easy.application.changes_feed.caller_view import CallerView
from fastapi_easy.application.changes_feed.feed_message import FeedMessage, StreamEnd, write_position
from fastapi_easy.application.changes_feed.hub import ChangeHub
from fastapi_easy.application.changes_feed.listener import Listener
from fastapi_easy.application.changes_feed.published_change import PublishedChange
from fastapi_easy.domain.errors import Outcome, Unavailable
from fastapi_easy.domain.ports.clock import Clock

_FOREVER: Final = 3600.0
"""Seconds of one wait of those who wait until something comes."""


class PolledStream:
    """Implements `ChangeStream`: reads what happened since its position in pages, then listens to the hub.

    Args:
        hub: Attached to already, for this stream.

        resource: The name of the resource.

        after: The position after which it begins.

        view: What the caller may see.

        look_again: Asks again what the caller may see; called every few seconds.

        clock: Measures how long it is open.

    Attributes:
        end: Why it has ended; `None` while it has not.
    """

    def __init__(
        self,
        hub: ChangeHub,
        resource: str,
        after: int,
        view: CallerView,
        look_again: Callable[[], Awaitable[Outcome[CallerView]]],
        clock: Clock,
    ) -> None:
        self.end: StreamEnd | None = None
        self._hub = hub
        self._resource = resource
        self._after = after
        self._view = view
        self._look_again = look_again
        self._clock = clock
        self._listener: Listener | None = None
        self._unread: deque[FeedMessage] = deque()
        self._handed_out: str | None = None
        self._is_attached = True
        options, now = hub.options, clock.monotonic()
        self._next_look = now + options.recheck
        # Not all at once, when many have begun together.
        self._until = now + options.lifetime * random.uniform(0.9, 1.0)  # noqa: S311 (no secret)

    @property
    def position(self) -> str:
        """Where another stream goes on, with `after`, once what was returned so far is dealt with."""
        return self._handed_out if self._unread and self._handed_out else write_position(self._after)

    async def next_batch(self, wait: float) -> Sequence[FeedMessage] | None:
        """Return the messages that are there, none after *wait* seconds without any, and `None` at the end."""
        until = asyncio.get_running_loop().time() + wait
        while self.end is None:
            await self._check()
            if self.end is not None:
                break
            changes = await self._read()
            shown = await self._show(changes)
            if shown:
                return shown
            left = until - asyncio.get_running_loop().time()
            if left <= 0:
                return ()
            listener = self._listener
            if listener is None or changes:
                continue
            if listener.end is not None:
                self.end = listener.end
                break
            now = self._clock.monotonic()
            await listener.wait(min(left, max(min(self._next_look, self._until) - now, 0.01)))
        await self.aclose()
        return None

    def __aiter__(self) -> Self:
        """Return the stream."""
        return self

    async def __anext__(self) -> FeedMessage:
        """Return the next message, however long it takes."""
        while not self._unread:
            batch = await self.next_batch(_FOREVER)
            if batch is None:
                raise StopAsyncIteration
            self._unread.extend(batch)
        message = self._unread.popleft()
        self._handed_out = message.position
        return message

    async def __aenter__(self) -> Self:
        """Return the stream, which is open already."""
        return self

    async def __aexit__(self, *_: object) -> None:
        """Close it."""
        await self.aclose()

    async def aclose(self) -> None:
        """End the stream; the last one of a database ends its poll. Calling it again does nothing."""
        if self.end is None:
            self.end = StreamEnd.CLOSED
        if not self._is_attached:
            return
        self._is_attached = False
        if self._listener is not None:
            self._hub.leave(self._resource, self._listener)
        await self._hub.detach()

    async def _check(self) -> None:
        """End the stream if the caller may not listen any more, or has listened for as long as one may."""
        now = self._clock.monotonic()
        if now >= self._until:
            self.end = StreamEnd.LIFETIME
            return
        if now < self._next_look:
            return
        self._next_look = now + self._hub.options.recheck
        seen = await self._look_again()
        if isinstance(seen, Failure):
            is_down = isinstance(seen.failure(), Unavailable)
            self.end = StreamEnd.UNAVAILABLE if is_down else StreamEnd.REFUSED
            return
        self._view = seen.unwrap()

    async def _read(self) -> Sequence[PublishedChange]:
        """Return the changes that come next, as far as they are there."""
        if self._listener is None:
            self._listener = self._hub.listen(self._resource, self._after)
        if self._listener is None and self._hub.is_closed:
            self.end = StreamEnd.CLOSED
            return ()
        if self._listener is None:
            # An outbox in memory answers at once: others are to have their turn.
            await asyncio.sleep(0)
            return await self._read_page()
        taken = self._listener.take()
        if not taken and self._listener.end is None:
            # Nothing waits, so that everything which was passed on has been dealt with.
            self._after = max(self._after, self._hub.position or 0)
        return taken

    async def _read_page(self) -> Sequence[PublishedChange]:
        """Return a page of what happened before the hub began to listen."""
        hub, page = self._hub, self._hub.options.page
        known = hub.position
        read = await hub.outbox.read_after(self._after, page)
        first = await hub.outbox.first_position()
        if isinstance(read, Failure) or isinstance(first, Failure):
            self.end = StreamEnd.UNAVAILABLE
            return ()
        if first.unwrap() > self._after + 1:
            # Something may have been removed between the last page and this one.
            self.end = StreamEnd.POSITION_EXPIRED
            return ()
        messages, _ = read.unwrap()
        if messages:
            mine = [each for each in hub.changes(messages) if each.message.resource == self._resource]
            if not mine:
                self._after = messages[-1].position or self._after
            return mine
        # All that the hub had passed on before has been read.
        self._after = max(self._after, known or 0)
        return ()

    async def _show(self, changes: Sequence[PublishedChange]) -> Sequence[FeedMessage]:
        shown: list[FeedMessage] = []
        for each in changes:
            outcome = await self._view.show(each)
            if isinstance(outcome, Failure):
                self.end = StreamEnd.UNAVAILABLE
                break
            self._after = each.position
            if (message := outcome.unwrap()) is not None:
                shown.append(message)
        return shown
