"""Hints that let relays and change feeds look at once instead of at their next interval."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Coroutine, Iterable
from contextvars import Context

from fastapi_easy.application.events.announcer import Announcer
from fastapi_easy.application.events.remote_hints import RemoteHints
from fastapi_easy.domain.changes.events import DomainEvent
from fastapi_easy.domain.ports.event_bus import EventBus
from fastapi_easy.domain.ports.wake_up_channel import WakeUpChannel


class WakeUps:
    """Wakes those who wait for messages of one outbox after commits that have written some.

    Commits of this process are heard directly, those of others through *channel*: while it is open, each commit is
    announced there, and it is listened to from the first who waits to the last. Belongs to one event loop.

    Args:
        database: The name of the database, for logs.

        event_bus: Is told of every commit of this process.

        resources: The names of the resources whose changes are written to the outbox.

        channel: To other processes; `None` where they have to look by themselves.
    """

    def __init__(
        self,
        database: str,
        event_bus: EventBus,
        resources: Iterable[str],
        channel: WakeUpChannel | None = None,
    ) -> None:
        self._database = database
        self._event_bus = event_bus
        self._resources = tuple(resources)
        self._channel = channel
        self._is_open = False
        self._waiting: list[Callable[[], None]] = []
        self._listening: asyncio.Task[None] | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    def subscribe(self, wake: Callable[[], None]) -> Callable[[], None]:
        """Call *wake*, which must return quickly, after each commit that has written messages.

        Returns:
            A function that ends it; calling it again does nothing.
        """
        end_local = self._after_commits(wake)
        self._waiting.append(wake)
        self._listen()

        def end() -> None:
            end_local()
            if wake in self._waiting:
                self._waiting.remove(wake)
            if not self._waiting:
                self._stop_listening()

        return end

    @contextlib.asynccontextmanager
    async def opened(self) -> AsyncIterator[None]:
        """Exchange hints with other processes while the block runs."""
        if self._channel is None:
            yield
            return
        announcer = Announcer(self._channel)
        sending = self._start(announcer.run())
        end = self._after_commits(announcer.announce)
        self._is_open = True
        self._listen()
        try:
            yield
        finally:
            self._is_open = False
            end()
            self._stop_listening()
            _ = sending.cancel()
            # Not awaited themselves: how they end is nothing to those who close.
            _ = await asyncio.wait(self._tasks)
            await announcer.finish()

    def _listen(self) -> None:
        """Begin to listen, where somebody waits and nobody listens yet."""
        if self._channel is None or not self._is_open or not self._waiting:
            return
        if self._listening is None:
            self._listening = self._start(RemoteHints(self._database, self._channel).run(self._wake_all))

    def _stop_listening(self) -> None:
        listening, self._listening = self._listening, None
        if listening is not None:
            _ = listening.cancel()

    def _start(self, work: Coroutine[object, object, None]) -> asyncio.Task[None]:
        # An empty context: hints are nobody's call, and have nobody's deadline.
        task = asyncio.get_running_loop().create_task(work, context=Context())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    def _wake_all(self) -> None:
        for wake in self._waiting:
            wake()

    def _after_commits(self, wake: Callable[[], None]) -> Callable[[], None]:
        async def hint(_: DomainEvent) -> None:
            wake()

        ends = [self._event_bus.subscribe(DomainEvent, hint, resource=name) for name in self._resources]

        def end() -> None:
            for each in ends:
                each()

        return end
