"""Hints that let a relay look at once instead of at its next interval."""

from collections.abc import Callable, Iterable

from fastapi_easy.domain.changes.events import DomainEvent
from fastapi_easy.domain.ports.event_bus import EventBus


def wake_after_commits(
    event_bus: EventBus, resources: Iterable[str], wake: Callable[[], None]
) -> Callable[[], None]:
    """Call *wake* after each commit of this process that has written to an outbox.

    Args:
        event_bus: Is told of every commit.

        resources: The names of the resources whose changes are written to an outbox.

        wake: Must return quickly.

    Returns:
        A function that ends it.
    """

    async def hint(_: DomainEvent) -> None:
        wake()

    ends = [event_bus.subscribe(DomainEvent, hint, resource=name) for name in resources]

    def end() -> None:
        for each in ends:
            each()

    return end
