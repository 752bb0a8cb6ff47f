"""What becomes of a delivery: the same on every broker."""

import asyncio
import logging
import random
from typing import Final

from fastapi_easy.domain.ports.broker import (
    Accept,
    BrokerMessage,
    Delivery,
    Handling,
    Park,
    Redeliver,
    Subscription,
)
from fastapi_easy.infrastructure.brokers.topics import dead_topic

_logger = logging.getLogger(__name__)

_FIRST_DELAY: Final = 1.0
_LONGEST_DELAY: Final = 300.0
_LONGEST_REASON: Final = 500


async def handle(subscription: Subscription, delivery: Delivery) -> Handling:
    """Return what *subscription* makes of *delivery*.

    What it raises, or does not finish in its time, is delivered again later, each time after twice as long; after the
    last attempt it is parked.
    """
    if delivery.attempts > subscription.max_attempts:
        # Whoever had it before died with it each time.
        return Park("it was delivered too often without an answer")
    try:
        async with asyncio.timeout(subscription.timeout):
            decided = await subscription.handle(delivery)
    except TimeoutError:
        _logger.warning(
            "consumer %s did not handle message %s within %s s",
            subscription.consumer,
            delivery.message.id,
            subscription.timeout,
        )
        decided = Redeliver(_backoff(delivery.attempts))
    except Exception:
        _logger.exception("consumer %s failed on message %s", subscription.consumer, delivery.message.id)
        decided = Redeliver(_backoff(delivery.attempts))
    if isinstance(decided, Redeliver) and delivery.attempts >= subscription.max_attempts:
        return Park(f"it was not accepted in {delivery.attempts} attempts")
    return decided


def is_final(handling: Handling) -> bool:
    """Return whether the message is not delivered again."""
    return isinstance(handling, Accept | Park)


def dead_letter(subscription: Subscription, delivery: Delivery, reason: str) -> BrokerMessage:
    """Return *delivery* as it is kept among the dead letters of its consumer, for *reason*."""
    message = delivery.message
    return BrokerMessage(
        # Of its own: a broker that drops what was published twice must not drop this one.
        id=f"{message.id}:dead:{subscription.consumer}",
        topic=dead_topic(subscription.consumer),
        key=message.key,
        body=message.body,
        headers={
            **message.headers,
            "dead-id": message.id,
            "dead-topic": message.topic,
            "dead-reason": _one_line(reason),
            "dead-attempts": str(delivery.attempts),
        },
    )


def _one_line(text: str) -> str:
    # Not every broker's headers take any text.
    return " ".join(text.split()).encode("ascii", "backslashreplace").decode()[:_LONGEST_REASON]


def _backoff(attempts: int) -> float:
    longest: float = min(_LONGEST_DELAY, _FIRST_DELAY * 2.0 ** min(attempts - 1, 16))
    return random.uniform(longest / 2, longest)  # noqa: S311 - no secret
