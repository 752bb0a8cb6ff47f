"""Messages as a way into an application: consumers for the container, and what they are given."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import cast

from fastapi_easy.application.messaging.consumer import Consumer, MessageFunction, consume
from fastapi_easy.application.messaging.received_message import ReceivedMessage
from fastapi_easy.bootstrap.opening import opened_application
from fastapi_easy.composition.application import Application
from fastapi_easy.composition.messaging.consuming import consuming
from fastapi_easy.container import Container
from fastapi_easy.domain.ports import Broker, BrokerMessage
from fastapi_easy.domain.principal import Principal

__all__ = [
    "Broker",
    "BrokerMessage",
    "Consumer",
    "MessageFunction",
    "Principal",
    "ReceivedMessage",
    "consume",
    "open_consumers",
]


@asynccontextmanager
async def open_consumers(
    container: Container, groups: Sequence[str] = ()
) -> AsyncIterator[Sequence[Consumer]]:
    """Open *container* and handle messages during the block; at its end wait for those under way.

    `fastapi-easy consume shop:app` does the same until a signal arrives.

    Args:
        container: An instance of your container.

        groups: The groups to consume for; all of them when empty.

    Raises:
        DeclarationError: With every mistake in the declarations; there is nothing to consume, or no broker.

        ConnectionError: The broker or a database does not answer.
    """
    application = cast("Application", container)
    async with opened_application(application) as kernel, consuming(application, kernel, groups) as consumers:
        yield [replace(each.consumer, group=each.group) for each in consumers]
