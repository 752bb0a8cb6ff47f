"""Adapters that remember what they were told."""

from collections.abc import Callable, Sequence

from fastapi_easy.domain.events import DomainEvent
from fastapi_easy.domain.ports.event_bus import EventHandler
from fastapi_easy.infrastructure.events.in_process import InProcessEventBus


class RecordingEventBus:
    """Implements `EventBus`: keeps every event and delivers it as well.

    Attributes:
        events: Everything published, in order.
    """

    def __init__(self) -> None:
        self.events: list[DomainEvent] = []
        self._inner = InProcessEventBus()

    async def publish(self, events: Sequence[DomainEvent]) -> None:
        """Keep *events*, then pass them on to the subscribers."""
        self.events.extend(events)
        await self._inner.publish(events)

    def subscribe(self, event_type: type[DomainEvent], handler: EventHandler) -> Callable[[], None]:
        """Call *handler* with each later event of *event_type*."""
        return self._inner.subscribe(event_type, handler)
