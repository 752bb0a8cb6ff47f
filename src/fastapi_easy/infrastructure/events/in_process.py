"""Events to whoever subscribed in this process, one handler after the other."""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from fastapi_easy.domain.events import DomainEvent
from fastapi_easy.domain.ports.event_bus import EventHandler

_logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, eq=False)
class _Subscription:
    event_type: type[DomainEvent]
    handler: EventHandler


class InProcessEventBus:
    """Implements `EventBus` within one process; nothing is kept for those who subscribe later."""

    def __init__(self) -> None:
        self._subscriptions: list[_Subscription] = []

    async def publish(self, events: Sequence[DomainEvent]) -> None:
        """Pass *events*, in their order, to every handler subscribed to their type or a base of it."""
        if not self._subscriptions:
            # What nobody wants to know may not even have been made.
            return
        for event in events:
            for subscription in tuple(self._subscriptions):
                if isinstance(event, subscription.event_type):
                    await _deliver(event, subscription.handler)

    def subscribe(self, event_type: type[DomainEvent], handler: EventHandler) -> Callable[[], None]:
        """Call *handler* with each later event of *event_type*; subscribing twice calls it twice."""
        subscription = _Subscription(event_type, handler)
        self._subscriptions.append(subscription)

        def end() -> None:
            if subscription in self._subscriptions:
                self._subscriptions.remove(subscription)

        return end


async def _deliver(event: DomainEvent, handler: EventHandler) -> None:
    try:
        await handler(event)
    except Exception:
        # The change is committed: a subscriber's mistake can no longer undo it, nor be the caller's.
        _logger.exception("A handler of %s failed", event.name)
