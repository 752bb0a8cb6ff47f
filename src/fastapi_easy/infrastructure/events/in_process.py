"""Events for subscribers in this process, one handler after the other."""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from returns.result import Failure, Success

from fastapi_easy.domain.changes.change import BeforeChange, Veto
from fastapi_easy.domain.errors import Outcome
from fastapi_easy.domain.ports.event_bus import Event, EventHandler, Interest

_logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, eq=False)
class _Subscription:
    event_type: type[Event | BeforeChange]
    handler: EventHandler
    resource: str | None
    before: bool

    def covers(self, event_type: type[Event | BeforeChange], resource: str) -> bool:
        return issubclass(event_type, self.event_type) and self.resource in {None, resource}


class InProcessEventBus:
    """Implements `EventBus` within one process; nothing is kept for later subscribers."""

    def __init__(self) -> None:
        self._subscriptions: list[_Subscription] = []
        # Asked on each write, so the answers are kept until the subscriptions change.
        self._matches: dict[tuple[type[Event | BeforeChange], str], tuple[_Subscription, ...]] = {}

    def interest(self, event_type: type[Event | BeforeChange], resource: str) -> Interest:
        """Return what subscribers want of *event_type* about *resource*."""
        if not self._subscriptions:
            return Interest.NONE
        found = self._matching(event_type, resource)
        if not found:
            return Interest.NONE
        return Interest.BEFORE if any(each.before for each in found) else Interest.EVENT

    async def ask(self, change: BeforeChange) -> Outcome[None]:
        """Pass *change* to every handler subscribed to its type or a base of it."""
        for subscription in self._matching(type(change), change.resource):
            try:
                await subscription.handler(change)
            except Veto as veto:
                return Failure(veto.error)
        return Success(None)

    async def publish(self, events: Sequence[Event]) -> None:
        """Pass *events*, in their order, to every handler subscribed to their type or a base of it."""
        if not self._subscriptions:
            # *events* may be lazy: without subscribers they are not even made.
            return
        for event in events:
            for subscription in self._matching(type(event), event.resource):
                await _deliver(event, subscription.handler)

    def subscribe(
        self,
        event_type: type[Event | BeforeChange],
        handler: EventHandler,
        *,
        resource: str | None = None,
        before: bool = False,
    ) -> Callable[[], None]:
        """Call *handler* with each later event of *event_type*; subscribing twice calls it twice."""
        subscription = _Subscription(event_type, handler, resource, before)
        self._subscriptions.append(subscription)
        self._matches.clear()

        def unsubscribe() -> None:
            if subscription in self._subscriptions:
                self._subscriptions.remove(subscription)
                self._matches.clear()

        return unsubscribe

    def _matching(self, event_type: type[Event | BeforeChange], resource: str) -> tuple[_Subscription, ...]:
        # A tuple of its own for those who go through it: a handler may subscribe or unsubscribe meanwhile.
        known = self._matches.get((event_type, resource))
        if known is None:
            known = tuple(each for each in self._subscriptions if each.covers(event_type, resource))
            self._matches[event_type, resource] = known
        return known


async def _deliver(event: Event, handler: EventHandler) -> None:
    try:
        await handler(event)
    except Exception:
        # The change is committed: a defect of a subscriber must not make the call fail, which has succeeded.
        _logger.exception("event handler of %s failed", event.name)
