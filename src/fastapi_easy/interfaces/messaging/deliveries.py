"""Deliveries of a broker, each read and handled."""

import logging
from collections.abc import Awaitable, Callable
from typing import Final

from fastapi_easy.application.messaging.message_handler import MessageHandler
from fastapi_easy.domain.ports.broker import Delivery, Handling, Park
from fastapi_easy.interfaces.messaging.reading import read_message

_logger: Final = logging.getLogger("fastapi_easy.messaging")


def handle_deliveries(handler: MessageHandler) -> Callable[[Delivery], Awaitable[Handling]]:
    """Return what reads a delivery and lets *handler* handle it. What nobody can read is parked at once."""

    async def handle(delivery: Delivery) -> Handling:
        message = read_message(delivery)
        if isinstance(message, Park):
            _logger.warning(
                "%s is parked: %s",
                delivery.message.topic,
                message.reason,
                extra={"message_id": delivery.message.id},
            )
            return message
        return await handler(message)

    return handle
