"""Handles the messages of one consumer."""

import asyncio
import contextlib
import logging
from collections.abc import Callable, Iterator
from typing import Any, Final

from returns.result import Failure

from fastapi_easy.application.messaging.call import MessageCall, find_caller
from fastapi_easy.application.messaging.consumer import Consumer
from fastapi_easy.application.messaging.failed_message import (
    handling_of,
    redeliver_or_park,
)
from fastapi_easy.application.messaging.performing import Perform
from fastapi_easy.application.messaging.received_message import ReceivedMessage
from fastapi_easy.application.receipt import Receipt
from fastapi_easy.domain.errors import AlreadyHandled, Outcome
from fastapi_easy.domain.ports.broker import Accept, Handling, Park, Redeliver
from fastapi_easy.domain.ports.inbox import Inbox
from fastapi_easy.domain.ports.tracer import Tracer

_logger: Final = logging.getLogger("fastapi_easy.messaging")

_BACKSTOP: Final = 2.0
"""Seconds after its deadline at which handling is cancelled: statements end by the deadline, and need not be."""


class MessageHandler:
    """Handles the messages of one consumer, any number at the same time.

    Args:
        consumer: What is declared.

        group: The group it belongs to, by whose name handled messages are noted.

        perform: Does what a message asks for.

        inbox: Where handled messages are noted; `None` for nowhere.

        tracer: Returns what records it as a span; `None` where nothing does.
    """

    def __init__(
        self,
        consumer: Consumer,
        group: str,
        perform: Perform,
        inbox: Inbox | None,
        tracer: Callable[[], Tracer | None],
    ) -> None:
        self._consumer = consumer
        self._group = group
        self._perform = perform
        self._inbox = inbox
        self._tracer = tracer

    async def __call__(self, message: ReceivedMessage) -> Handling:
        """Handle *message*, and return what becomes of it. Only a cancellation is raised; then nothing was changed."""
        handling = await self._handle(message)
        if not isinstance(handling, Accept):
            self._log(message, handling)
        return handling

    async def _handle(self, message: ReceivedMessage) -> Handling:
        limit = self._consumer.max_attempts
        if self._inbox is not None and not message.id:
            return Park("it has no id, so that nobody could tell whether it was handled before")
        timeout = asyncio.timeout(self._consumer.timeout + _BACKSTOP)
        try:
            async with timeout:
                outcome = await self._call(message)
        except Exception as error:
            # A defect of the program's own code, or of ours: what the error says may repeat the message.
            if isinstance(error, TimeoutError) and timeout.expired():
                reason = f"took longer than {self._consumer.timeout:g} seconds"
            else:
                reason = f"raised {type(error).__name__}"
                _logger.exception("handling %s raised", message.topic, extra=self._known(message))
            return redeliver_or_park(reason, message.attempts, limit)
        if isinstance(outcome, Failure):
            return handling_of(outcome.failure(), message.attempts, limit)
        return Accept()

    async def _call(self, message: ReceivedMessage) -> Outcome[Any]:
        with self._span(message) as fail:
            principal, tenant = await find_caller(self._consumer, message)
            receipt = None if self._inbox is None else Receipt(self._inbox, self._group, message.inbox_id)
            outcome = await self._perform(
                MessageCall(
                    message=message,
                    principal=principal,
                    tenant=tenant,
                    receipt=receipt,
                    timeout=self._consumer.timeout,
                )
            )
            if isinstance(outcome, Failure):
                error = outcome.failure()
                if isinstance(error, AlreadyHandled):
                    _logger.info("%s was handled before", message.topic, extra=self._known(message))
                else:
                    fail(error.code, isinstance(handling_of(error, 1, 2), Redeliver))
            return outcome

    @contextlib.contextmanager
    def _span(self, message: ReceivedMessage) -> Iterator[Callable[[str, bool], None]]:
        tracer = self._tracer()
        if tracer is None:
            yield lambda *_: None
            return
        attributes = {
            "messaging.operation.type": "process",
            "messaging.destination.name": message.topic,
            "messaging.consumer.group.name": self._group,
            "messaging.message.id": message.id,
            "fastapi_easy.correlation_id": message.correlation_id,
        }
        with (
            tracer.resume(message.traceparent),
            tracer.span(f"process {self._consumer.topic}", attributes) as span,
        ):
            yield lambda code, broken: span.fail(code, broken=broken)

    def _log(self, message: ReceivedMessage, handling: Park | Redeliver) -> None:
        known = self._known(message)
        match handling:
            case Park(reason):
                _logger.warning("%s is parked: %s", message.topic, reason, extra=known)
            case Redeliver(delay):
                _logger.info("%s is delivered again in %.1f s", message.topic, delay, extra=known)

    def _known(self, message: ReceivedMessage) -> dict[str, object]:
        return {
            "correlation_id": message.correlation_id,
            "message_id": message.id,
            "consumer": self._group,
            "attempts": message.attempts,
        }
