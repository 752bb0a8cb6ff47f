"""Adapters that record their calls, for tests."""

from collections.abc import Callable, Sequence

from fastapi_easy.domain.changes.change import BeforeChange
from fastapi_easy.domain.changes.events import DomainEvent
from fastapi_easy.domain.errors import Outcome
from fastapi_easy.domain.ports.event_bus import Event, EventHandler, Interest
from fastapi_easy.infrastructure.events.in_process import InProcessEventBus


class RecordingEventBus:
    """An `EventBus` that keeps every event and delivers it as well.

    Attributes:
        events: Everything published, in order.
    """

    def __init__(self) -> None:
        self.events: list[Event] = []
        self._inner = InProcessEventBus()

    async def publish(self, events: Sequence[Event]) -> None:
        """Keep *events*, then pass them on to the subscribers."""
        self.events.extend(events)
        await self._inner.publish(events)

    def interest(self, event_type: type[Event | BeforeChange], resource: str) -> Interest:
        """Return an interest in every event, and in the changes that somebody subscribed to."""
        wanted = self._inner.interest(event_type, resource)
        is_event = issubclass(event_type, DomainEvent)
        return Interest.EVENT if is_event and wanted is Interest.NONE else wanted

    async def ask(self, change: BeforeChange) -> Outcome[None]:
        """Pass *change* to the subscribers."""
        return await self._inner.ask(change)

    def subscribe(
        self,
        event_type: type[Event | BeforeChange],
        handler: EventHandler,
        *,
        resource: str | None = None,
        before: bool = False,
    ) -> Callable[[], None]:
        """Call *handler* with each later event of *event_type*."""
        return self._inner.subscribe(event_type, handler, resource=resource, before=before)
