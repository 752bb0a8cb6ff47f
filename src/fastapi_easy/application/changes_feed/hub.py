"""One poll of an outbox for all who listen to its changes in this process."""

import asyncio
import contextlib
import contextvars
import logging
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from returns.result import Failure, Success

from fastapi_easy.application.changes_feed.feed_message import StreamEnd
from fastapi_easy.application.changes_feed.feed_options import FeedOptions
from fastapi_easy.application.changes_feed.listener import Listener
from fastapi_easy.application.changes_feed.published_change import PublishedChange
from fastapi_easy.application.events.wake_ups import WakeUps
from fastapi_easy.domain.errors import Outcome, Unavailable
from fastapi_easy.domain.outbox.message import OutboxMessage
from fastapi_easy.domain.ports.outbox import Outbox
from fastapi_easy.domain.resources.resource import Resource

_logger: Final = logging.getLogger("fastapi_easy.events")


class ChangeHub:
    """Polls *outbox* while somebody listens, and passes on what it reads.

    It polls from the first listener to the last, one statement per interval when nothing is new, whatever the number
    of listeners. Belongs to one event loop.

    Args:
        outbox: The outbox of one database.

        resources: The resources with events that live in it, by name.

        wake_ups: Tell of commits, after which it polls at once.

        options: The limits.

    Attributes:
        outbox: What it polls.

        options: The limits.

        position: The last position that was passed on; `None` before the first poll.
    """

    def __init__(
        self,
        outbox: Outbox,
        resources: Mapping[str, Resource[Any]],
        wake_ups: WakeUps,
        options: FeedOptions,
    ) -> None:
        self.outbox = outbox
        self.options = options
        self.position: int | None = None
        self._resources = dict(resources)
        self._wake_ups = wake_ups
        self._listeners: defaultdict[str, set[Listener]] = defaultdict(set)
        self._users = 0
        self._is_closed = False
        self._wake = asyncio.Event()
        self._settling: list[asyncio.Future[Outcome[int]]] = []
        self._recent: list[PublishedChange] = []
        self._recent_after = 0
        self._task: asyncio.Task[None] | None = None
        self._end_wake_ups: Callable[[], None] = _do_nothing

    @property
    def is_closed(self) -> bool:
        """Whether the process is about to end."""
        return self._is_closed

    def attach(self) -> None:
        """Poll, from now on until as many have detached as have attached."""
        self._users += 1
        if self._users == 1:
            self._end_wake_ups = self._wake_ups.subscribe(self._wake.set)
            # In a context of its own: it polls for everybody, not for the tenant or within the deadline of the first.
            self._task = asyncio.get_running_loop().create_task(
                self._run(), name="change feed", context=contextvars.Context()
            )

    async def detach(self) -> None:
        """Undo one `attach`."""
        self._users -= 1
        if not self._users:
            await self._end_poll()

    async def _end_poll(self) -> None:
        task = self._task
        if task is None:
            return
        self._end_wake_ups()
        self._task = self.position = None
        self._recent = []
        _ = task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task

    async def settle(self) -> Outcome[int]:
        """Wait until everything that was committed before this call has a position, and was passed on; return that.

        Fails with:
            Unavailable: The database did not answer.
        """
        settled: asyncio.Future[Outcome[int]] = asyncio.get_running_loop().create_future()
        self._settling.append(settled)
        self._wake.set()
        return await settled

    def listen(self, resource: str, after: int) -> Listener | None:
        """Return a listener for changes of *resource* after the position *after*; `None` when that was too long ago.

        Nothing may be awaited between the question what was read and this call, so that nothing is missed.
        """
        if self.position is None or not self.remembers(after):
            return None
        first = bisect_right(self._recent, after, key=lambda each: each.position)
        waiting = [each for each in self._recent[first:] if each.message.resource == resource]
        listener = Listener(max(after, self.position), waiting, self.options.buffer)
        self._listeners[resource].add(listener)
        if self._is_closed:
            listener.finish(StreamEnd.CLOSED)
        return listener

    def remembers(self, after: int) -> bool:
        """Return whether `listen` would return a listener for changes after the position *after*."""
        return self.position is not None and after >= self._recent_after

    def leave(self, resource: str, listener: Listener) -> None:
        """Pass nothing more to *listener*."""
        self._listeners[resource].discard(listener)

    def open(self) -> None:
        """Take listeners again, after `close`."""
        self._is_closed = False

    def close(self) -> None:
        """End every listener, and those that come from now on: the process is about to end."""
        self._is_closed = True
        for listeners in self._listeners.values():
            for each in listeners:
                each.finish(StreamEnd.CLOSED)

    async def stop(self) -> None:
        """Close, and end the poll whoever is still attached."""
        self.close()
        await self._end_poll()

    def changes(self, messages: Sequence[OutboxMessage]) -> list[PublishedChange]:
        """Return *messages* of resources that are still declared."""
        known = self._resources
        return [PublishedChange(each, known[each.resource]) for each in messages if each.resource in known]

    async def _run(self) -> None:
        while True:
            waiting, self._settling = self._settling, []
            self._wake.clear()
            try:
                outcome = await self._catch_up()
            except asyncio.CancelledError:
                # Somebody may have attached meanwhile, whose poll answers those who wait.
                self._settling += waiting
                raise
            except Exception:
                _logger.exception("the change feed cannot be read")
                outcome = Failure(Unavailable("change feed"))
            for each in waiting:
                if not each.done():
                    each.set_result(outcome)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self.options.interval):
                    _ = await self._wake.wait()

    async def _catch_up(self) -> Outcome[int]:
        """Pass on everything that is committed by now."""
        if self.position is None:
            last = await self.outbox.last_position()
            if isinstance(last, Failure):
                return last
            self.position = self._recent_after = last.unwrap()
        is_hopeful, page = True, self.options.page
        while True:
            read = await self.outbox.read_after(self.position, page)
            if isinstance(read, Failure):
                return read
            messages, has_others = read.unwrap()
            self._pass_on(messages)
            if len(messages) >= page:
                continue
            if not (has_others and is_hopeful):
                return Success(self.position)
            assigned = await self.outbox.assign_positions(page)
            if isinstance(assigned, Failure):
                return assigned
            # When another process was quicker, what it has assigned is read once more.
            is_hopeful = assigned.unwrap() > 0

    def _pass_on(self, messages: Sequence[OutboxMessage]) -> None:
        if not messages:
            return
        changes = self.changes(messages)
        self.position = messages[-1].position or self.position
        self._recent += changes
        for each in changes:
            for listener in self._listeners.get(each.message.resource, ()):
                listener.offer(each)
        surplus = len(self._recent) - self.options.recent
        # Cut seldom: each cut moves all that stay.
        if surplus > self.options.recent:
            self._recent_after = self._recent[surplus - 1].position
            del self._recent[:surplus]


def _do_nothing() -> None:
    """Stand for the end of what has not begun."""
