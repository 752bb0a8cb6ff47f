"""Events: handlers that are told what happened, and those that may veto what is about to."""

import enum
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Protocol, TypeAlias, runtime_checkable

from fastapi_easy.domain.changes.change import BeforeChange
from fastapi_easy.domain.changes.events import DomainEvent
from fastapi_easy.domain.errors import Outcome
from fastapi_easy.domain.migrations.events import MigrationEvent

EventHandler: TypeAlias = Callable[[Any], Awaitable[None]]

Event: TypeAlias = DomainEvent | MigrationEvent
"""What is published: what happened to an entity, or to the schema of a database."""


class Interest(enum.Enum):
    """The part of an event that its subscribers want."""

    NONE = enum.auto()
    """Nobody has subscribed."""

    EVENT = enum.auto()
    """The event."""

    BEFORE = enum.auto()
    """The event, and the values from before the change in it."""


@runtime_checkable
class EventBus(Protocol):
    """Passes events to their subscribers."""

    def interest(self, event_type: type[Event | BeforeChange], resource: str) -> Interest:
        """Return what is wanted of *event_type* about *resource*. Asked before every write; must be quick.

        An event that nobody wants need not be made.
        """
        ...

    async def ask(self, change: BeforeChange) -> Outcome[None]:
        """Pass *change* to every handler subscribed to its type or a base of it, in the order they subscribed.

        Called inside the unit of work, before the write. A handler may change what is mutable in *change*.

        Fails with: the error of the first `Veto` that a handler raises; those after it are not called.

        Raises:
            Exception: What else a handler raises; the unit of work is then left without a commit.
        """
        ...

    async def publish(self, events: Sequence[Event]) -> None:
        """Pass *events*, in their order, to every handler subscribed to their type or a base of it.

        Called after the commit that made them true. A handler that raises is reported and does not keep the
        others from being called; nothing is passed on to the publisher.
        """
        ...

    def subscribe(
        self,
        event_type: type[Event | BeforeChange],
        handler: EventHandler,
        *,
        resource: str | None = None,
        before: bool = False,
    ) -> Callable[[], None]:
        """Call *handler* with each later event of *event_type*; subscribing twice calls it twice.

        Args:
            event_type: A `DomainEvent` or `MigrationEvent` is passed on after the commit, a `BeforeChange` before the
                write, inside the unit of work.

            handler: Is given the event.

            resource: Only what happens to entities of this one; all when it is `None`.

            before: Events of changes shall hold the values from before, which costs a read for each change.

        Returns:
            A function that ends the subscription; calling it again does nothing.
        """
        ...
