"""A broker within one process, for tests and for applications that are one process."""

from typing import Final

from returns.result import Failure, Success

from fastapi_easy.domain.errors import Outcome, Unavailable
from fastapi_easy.domain.ports.broker import (
    Accept,
    BrokerMessage,
    Delivery,
    Handling,
    Park,
    Redeliver,
    Subscription,
)
from fastapi_easy.infrastructure.brokers.handling import dead_letter, handle
from fastapi_easy.infrastructure.brokers.memory_topics import MemoryConsumer, MemoryTopics, PendingMessage
from fastapi_easy.infrastructure.brokers.stopping import Members
from fastapi_easy.infrastructure.brokers.topics import refuse_name

CONCURRENCY: Final = 8
"""Messages with different keys that one subscription handles at the same time."""


class MemoryBroker:
    """Implements `Broker` within this process: what is not handled when it ends is lost.

    Args:
        topics: What it shares with other brokers; its own unless given.
    """

    name = "memory"

    def __init__(self, topics: MemoryTopics | None = None) -> None:
        self.topics = MemoryTopics() if topics is None else topics
        self._is_open = False
        self._members = Members()

    async def open(self) -> Outcome[None]:
        """Succeed always."""
        self._is_open = True
        return Success(None)

    async def publish(self, message: BrokerMessage, /) -> Outcome[None]:
        """Keep *message*, and give it to the consumers of its topic."""
        if not self._is_open:
            return Failure(Unavailable("broker"))
        if refusal := refuse_name("topic", message.topic):
            return Failure(refusal)
        self.topics.publish(message)
        return Success(None)

    async def subscribe(self, subscription: Subscription, /) -> Outcome[None]:
        """Deliver to *subscription* from now on, messages with different keys at the same time."""
        if not self._is_open:
            return Failure(Unavailable("broker"))
        if refusal := refuse_name("topic", subscription.topic) or refuse_name(
            "consumer", subscription.consumer
        ):
            return Failure(refusal)
        consumer = self.topics.consumer(subscription.consumer, subscription.topic)
        for _ in range(CONCURRENCY):
            self._members.start(lambda: self._deliver_one(consumer, subscription))
        return Success(None)

    async def check(self) -> Outcome[None]:
        """Answer whether it is open."""
        return Success(None) if self._is_open else Failure(Unavailable("broker"))

    async def close(self, grace: float = 10.0) -> None:
        """Give no further delivery, wait for those under way; what was not settled is delivered to others."""
        self._is_open = False
        await self._members.stop(grace)

    async def _deliver_one(self, consumer: MemoryConsumer, subscription: Subscription) -> None:
        pending = await consumer.take()
        handling: Handling = Redeliver(0)
        try:
            async with self._members.busy():
                delivery = Delivery(message=pending.message, attempts=pending.attempts)
                handling = await handle(subscription, delivery)
        finally:
            self._settle(consumer, subscription, pending, handling)

    def _settle(
        self,
        consumer: MemoryConsumer,
        subscription: Subscription,
        pending: PendingMessage,
        handling: Handling,
    ) -> None:
        match handling:
            case Accept():
                consumer.settle(pending)
            case Redeliver(delay):
                consumer.give_back(pending, delay)
            case Park(reason):
                delivery = Delivery(message=pending.message, attempts=pending.attempts)
                self.topics.publish(dead_letter(subscription, delivery, reason))
                consumer.settle(pending)
