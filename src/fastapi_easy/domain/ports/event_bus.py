"""Who else wants to know what happened."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Protocol, TypeAlias, runtime_checkable

from fastapi_easy.domain.events import DomainEvent

EventHandler: TypeAlias = Callable[[Any], Awaitable[None]]


@runtime_checkable
class EventBus(Protocol):
    """Passes events to those who subscribed."""

    async def publish(self, events: Sequence[DomainEvent]) -> None:
        """Pass *events*, in their order, to every handler subscribed to their type or a base of it.

        Called after the commit that made them true. A handler that raises is reported and does not keep the
        others from being called; nothing is passed on to the publisher.
        """
        ...

    def subscribe(self, event_type: type[DomainEvent], handler: EventHandler) -> Callable[[], None]:
        """Call *handler* with each later event of *event_type*; subscribing twice calls it twice.

        Returns:
            A function that ends the subscription; calling it again does nothing.
        """
        ...
