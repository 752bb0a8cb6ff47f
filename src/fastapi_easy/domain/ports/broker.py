"""Message brokers: where messages are published, and where they come from."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Protocol, TypeAlias, runtime_checkable

from fastapi_easy.domain.errors import Outcome
from fastapi_easy.domain.outbox.broker_message import BrokerMessage

__all__ = [
    "Accept",
    "Broker",
    "BrokerMessage",
    "Delivery",
    "Handling",
    "Park",
    "Redeliver",
    "Subscription",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """A message that a broker hands to a consumer.

    Attributes:
        message: The message.

        attempts: How often the broker has delivered it to this consumer, this time included; 1 where it does not say.
    """

    message: BrokerMessage
    attempts: int


@dataclass(frozen=True, slots=True)
class Accept:
    """The message was handled: it is not delivered again."""


@dataclass(frozen=True, slots=True)
class Redeliver:
    """The message could not be handled now.

    Attributes:
        delay: Seconds after which it is delivered again, or somewhat later.
    """

    delay: float


@dataclass(frozen=True, slots=True)
class Park:
    """The message can never be handled: it goes to the dead letters of the consumer.

    Attributes:
        reason: For people; never contains a secret.
    """

    reason: str


Handling: TypeAlias = Accept | Redeliver | Park
"""What becomes of a delivery."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Subscription:
    """What one consumer wants to be given.

    Attributes:
        consumer: Names the group of processes among which deliveries are divided; durable.

        topic: What it listens to: letters, digits, `_` and `-`, in parts joined by dots.

        handle: Called with each delivery; one after the other, and in their order, for messages with the same key:
            what has to be delivered again is delivered before those behind it. What it raises means redelivery.

        max_attempts: After so many deliveries that were not accepted the message is parked.

        timeout: Seconds that one call of *handle* may take; it is cancelled then, and the message delivered again.
            Nobody else is given the message meanwhile, unless this process stands still or loses the broker.
    """

    consumer: str
    topic: str
    handle: Callable[[Delivery], Awaitable[Handling]]
    max_attempts: int = 8
    timeout: float = 30.0


@runtime_checkable
class Broker(Protocol):
    """A message broker that keeps messages until they are handled.

    Attributes:
        name: For people: `nats`.
    """

    name: str

    async def open(self) -> Outcome[None]:
        """Connect. Opening twice does nothing.

        Fails with:
            Unavailable: The broker did not answer.
        """
        ...

    async def publish(self, message: BrokerMessage, /) -> Outcome[None]:
        """Publish *message*, and wait until the broker has confirmed that it keeps it.

        Published twice it may be delivered twice. A topic that nobody has subscribed to is kept all the same.

        Fails with:
            Unavailable: No confirmation came; the message may have been published.

            Invalid: The broker refuses this message, and will always do so: it is too large, for instance.
        """
        ...

    async def subscribe(self, subscription: Subscription, /) -> Outcome[None]:
        """Deliver to *subscription* from now on until `close`, each message at least once.

        Messages that were published since the consumer subscribed for the first time are delivered, also those that
        were published while it was away; from before that, those that the broker still keeps, if it keeps a history.
        Parked messages are the topic `dead.<consumer>`: as they were, with the headers `dead-id`, `dead-topic`,
        `dead-reason` and `dead-attempts`.

        Fails with:
            Unavailable: The broker did not answer.

            Invalid: No broker could have a topic, or a consumer, with this name.
        """
        ...

    async def check(self) -> Outcome[None]:
        """Ask whether the broker answers."""
        ...

    async def close(self, grace: float = 10.0) -> None:
        """Give no further delivery, wait for those under way, for *grace* seconds at most, and disconnect."""
        ...
