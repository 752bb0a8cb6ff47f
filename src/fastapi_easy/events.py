"""Events that are published: the relay, and what operators ask of outboxes."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import cast

from fastapi_easy.application.changes_feed.change_feed import ChangeStream, Since
from fastapi_easy.application.changes_feed.feed_message import FeedMessage, StreamEnd
from fastapi_easy.application.events.outbox_operations import OutboxOperations, Parked
from fastapi_easy.application.events.relay import Relay
from fastapi_easy.application.events.relay_task import FinishesEarly, RelayTask
from fastapi_easy.bootstrap.opening import checked_kernel, opened_application
from fastapi_easy.composition.application import Application
from fastapi_easy.composition.audit.operators import written_by_operators
from fastapi_easy.composition.events.relay import woken_relay
from fastapi_easy.container import Container
from fastapi_easy.domain.outbox.events import MessageDropped, MessageRetried
from fastapi_easy.domain.outbox.message import OutboxLag, OutboxMessage, ParkedMessage
from fastapi_easy.domain.resources.recording import Events

__all__ = [
    "ChangeStream",
    "Events",
    "FeedMessage",
    "FinishesEarly",
    "MessageDropped",
    "MessageRetried",
    "OutboxLag",
    "OutboxMessage",
    "OutboxOperations",
    "Parked",
    "ParkedMessage",
    "Relay",
    "RelayTask",
    "Since",
    "StreamEnd",
    "open_outboxes",
    "open_relay",
    "outbox_operations",
]


@asynccontextmanager
async def open_relay(container: Container) -> AsyncIterator[Relay]:
    """Open a relay of *container* and everything it needs, and close that at the end.

    ```python
    async with open_relay(Shop()) as relay:
        await relay.run()  # until relay.stop()
    ```

    Args:
        container: An instance of your container.

    Raises:
        DeclarationError: As `open_kernel` does.

        ConnectionError: As `open_kernel` does.
    """
    application = cast("Application", container)
    async with opened_application(application):
        broker = application.broker()
        try:
            with woken_relay(application) as relay:
                yield relay
        finally:
            if broker is not None:
                await broker.close()


@asynccontextmanager
async def open_outboxes(container: Container) -> AsyncIterator[OutboxOperations]:
    """Open the outboxes of *container* for a script that looks after them, and close them at the end.

    Args:
        container: An instance of your container.

    Raises:
        DeclarationError: With every mistake in the declarations.
    """
    application = cast("Application", container)
    _ = checked_kernel(application)
    outboxes = application.outboxes()
    async with AsyncExitStack() as stack:
        for database in application.every_database():
            if database.name in outboxes:
                _ = stack.push_async_callback(database.close)
                await database.open()
        await stack.enter_async_context(written_by_operators(application))
        yield outbox_operations(container)


def outbox_operations(container: Container) -> OutboxOperations:
    """Return what operators ask of the outboxes of *container*, which is open: of a running application.

    Args:
        container: An instance of your container.
    """
    application = cast("Application", container)
    return OutboxOperations(application.outboxes(), application.clock(), application.event_bus())


def hidden_outboxes(application: Application) -> list[str]:
    """Return the names of databases whose outboxes no other process sees."""
    outboxes = application.outboxes()
    return [
        each.name
        for each in application.every_database()
        if each.name in outboxes and (each.technology == "memory" or getattr(each, "is_scratch", False))
    ]
