"""One queue of RabbitMQ, of which one consumer is given one message at a time."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from typing import Final

from aio_pika.abc import AbstractChannel, AbstractIncomingMessage
from aio_pika.exceptions import AMQPError
from aiormq.exceptions import ChannelInvalidStateError
from returns.result import Failure

from fastapi_easy.domain.errors import Outcome
from fastapi_easy.domain.ports.broker import Accept, BrokerMessage, Delivery, Park, Redeliver, Subscription
from fastapi_easy.infrastructure.brokers.handling import dead_letter, handle
from fastapi_easy.infrastructure.brokers.stopping import Members
from fastapi_easy.infrastructure.brokers.wire_headers import read_message

_PARK_AGAIN: Final = 1.0


class PartitionConsumer:
    """Takes one message after the other from a queue. What is to be delivered again it holds until then.

    Args:
        channel: Its own: the server gives it one message, and the next after that is settled.

        queue: The name of the queue, which is there.

        subscription: What handles the messages.

        members: Is told while one is being handled.

        publish: Publishes dead letters.
    """

    def __init__(
        self,
        channel: AbstractChannel,
        queue: str,
        subscription: Subscription,
        members: Members,
        publish: Callable[[BrokerMessage], Awaitable[Outcome[None]]],
    ) -> None:
        self._channel = channel
        self._queue = queue
        self._subscription = subscription
        self._members = members
        self._publish = publish
        self._arrived: asyncio.Queue[AbstractIncomingMessage] = asyncio.Queue()
        self._held: AbstractIncomingMessage | None = None
        self._attempts_here = 0
        self._due = 0.0

    async def start(self) -> None:
        """Ask the server for messages."""
        _ = await self._channel.set_qos(prefetch_count=1)
        queue = await self._channel.get_queue(self._queue)
        _ = await queue.consume(self._arrived.put)

    async def take_one(self) -> None:
        """Wait for a message, and handle it."""
        loop = asyncio.get_running_loop()
        # What comes while one is held comes over a new connection: the server has taken the other one back.
        if self._held is None or not self._arrived.empty():
            self._held, self._attempts_here = await self._arrived.get(), 0
        elif self._due > loop.time():
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout_at(self._due):
                    self._held, self._attempts_here = await self._arrived.get(), 0
        raw = self._held
        async with self._members.busy():
            await self._handle(raw)

    async def _handle(self, raw: AbstractIncomingMessage) -> None:
        self._attempts_here += 1
        delivery = Delivery(message=self._read(raw), attempts=_deliveries_before(raw) + self._attempts_here)
        handling = await handle(self._subscription, delivery)
        match handling:
            case Accept():
                await self._settle(raw)
            case Redeliver(delay):
                self._due = asyncio.get_running_loop().time() + delay
            case Park(reason):
                parked = await self._publish(dead_letter(self._subscription, delivery, reason))
                if isinstance(parked, Failure):
                    self._due = asyncio.get_running_loop().time() + _PARK_AGAIN
                else:
                    await self._settle(raw)

    async def _settle(self, raw: AbstractIncomingMessage) -> None:
        self._held = None
        # Over a connection that has ended meanwhile nothing can be settled: it is delivered again.
        with contextlib.suppress(AMQPError, ChannelInvalidStateError, OSError):
            await raw.ack()

    def _read(self, raw: AbstractIncomingMessage) -> BrokerMessage:
        headers = {name: value for name, value in raw.headers.items() if not name.startswith(("x-", "X-"))}
        if raw.content_type:
            headers["content-type"] = raw.content_type
        return read_message(
            headers,
            raw.body,
            topic=self._subscription.topic,
            fallback_id=raw.message_id or "",
        )


def _deliveries_before(raw: AbstractIncomingMessage) -> int:
    count = raw.headers.get("x-delivery-count", 0)
    return count if isinstance(count, int) else 0
