"""One partition of a topic on NATS, of which one consumer is given one message at a time."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Final

from nats.aio.msg import Msg
from nats.errors import Error as NatsError
from nats.errors import TimeoutError as NatsTimeoutError
from nats.js import JetStreamContext
from returns.result import Failure

from fastapi_easy.domain.errors import Outcome
from fastapi_easy.domain.ports.broker import Accept, BrokerMessage, Delivery, Park, Redeliver, Subscription
from fastapi_easy.infrastructure.brokers.handling import dead_letter, handle
from fastapi_easy.infrastructure.brokers.stopping import Members
from fastapi_easy.infrastructure.brokers.wire_headers import read_message

_POLL: Final = 2.0
"""Seconds for which one request for a message stands."""

_PARK_AGAIN: Final = 1.0


class PartitionConsumer:
    """Takes one message after the other from a durable consumer of JetStream.

    Args:
        pull: Bound to that consumer.

        subscription: What handles the messages.

        members: Is told while one is being handled.

        publish: Publishes dead letters.

        silence: Seconds without a sign of life after which the server gives the message to somebody else.
    """

    def __init__(
        self,
        pull: JetStreamContext.PullSubscription,
        subscription: Subscription,
        members: Members,
        publish: Callable[[BrokerMessage], Awaitable[Outcome[None]]],
        silence: float,
    ) -> None:
        self._pull = pull
        self._subscription = subscription
        self._members = members
        self._publish = publish
        self._silence = silence

    async def take_one(self) -> None:
        """Wait a while for a message, and handle it if one comes."""
        try:
            (raw,) = await self._pull.fetch(1, timeout=_POLL)
        except NatsTimeoutError:
            return
        async with self._members.busy():
            try:
                await self._handle(raw)
            except asyncio.CancelledError:
                # The next member need not wait until this one counts as dead.
                with contextlib.suppress(NatsError):
                    await raw.nak()
                raise

    async def _handle(self, raw: Msg) -> None:
        place = raw.metadata
        headers = {name: value for name, value in (raw.headers or {}).items() if not name.startswith("Nats-")}
        message = read_message(
            headers,
            raw.data,
            topic=self._subscription.topic,
            fallback_id=(raw.headers or {}).get("Nats-Msg-Id") or f"{place.stream}:{place.sequence.stream}",
        )
        delivery = Delivery(message=message, attempts=place.num_delivered)
        async with self._signs_of_life(raw):
            handling = await handle(self._subscription, delivery)
        match handling:
            case Accept():
                await raw.ack()
            case Redeliver(delay):
                await raw.nak(delay=delay)
            case Park(reason):
                parked = await self._publish(dead_letter(self._subscription, delivery, reason))
                await (raw.nak(delay=_PARK_AGAIN) if isinstance(parked, Failure) else raw.term())

    @contextlib.asynccontextmanager
    async def _signs_of_life(self, raw: Msg) -> AsyncIterator[None]:
        async def signal() -> None:
            while True:
                await asyncio.sleep(self._silence / 3)
                with contextlib.suppress(NatsError):
                    await raw.in_progress()

        signalling = asyncio.create_task(signal())
        try:
            yield
        finally:
            _ = signalling.cancel()
