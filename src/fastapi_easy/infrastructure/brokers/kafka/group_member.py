"""One member of a group of consumers of Kafka."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Any, Final

from aiokafka import ConsumerRebalanceListener, ConsumerRecord, TopicPartition
from aiokafka.errors import CommitFailedError
from returns.result import Failure

from fastapi_easy.domain.errors import Outcome
from fastapi_easy.domain.ports.broker import Accept, BrokerMessage, Delivery, Park, Redeliver, Subscription
from fastapi_easy.infrastructure.brokers.handling import dead_letter, handle
from fastapi_easy.infrastructure.brokers.stopping import Members
from fastapi_easy.infrastructure.brokers.wire_headers import read_message

_logger = logging.getLogger(__name__)

_PARK_AGAIN: Final = 1.0

_COMMIT_LIMIT: Final = 10.0
"""Seconds to wait until the cluster has noted that a message is done."""


class GroupMember(ConsumerRebalanceListener):  # type: ignore[misc]  # aiokafka has no types, and insists on it
    """Handles one message after the other of the partitions that Kafka gives it, and commits each.

    Partitions change hands only between two messages: a member finishes what it has, and the group waits for it.

    A partition whose message is to be delivered again pauses until then; the others go on. Kafka does not count
    deliveries: attempts are counted here, and begin anew with another member.

    Args:
        consumer: A client that is started, and commits nothing by itself.

        subscription: What handles the messages; its consumer is the group.

        members: Is told while one is being handled.

        publish: Publishes dead letters.
    """

    def __init__(
        self,
        consumer: Any,
        subscription: Subscription,
        members: Members,
        publish: Callable[[BrokerMessage], Awaitable[Outcome[None]]],
    ) -> None:
        self._consumer = consumer
        self._subscription = subscription
        self._members = members
        self._publish = publish
        self._attempts: dict[TopicPartition, tuple[int, int]] = {}
        self._idle = asyncio.Event()
        self._idle.set()

    async def take_one(self) -> None:
        """Wait for a message, and handle it."""
        record = await self._consumer.getone()
        # Nothing may be awaited in between: the partition could change hands.
        self._idle.clear()
        try:
            async with self._members.busy():
                await self._handle(record)
        finally:
            self._idle.set()

    async def on_partitions_revoked(self, revoked: set[TopicPartition]) -> None:
        """Wait until the message that is being handled is done: another member may be given what follows it."""
        _ = await self._idle.wait()

    async def on_partitions_assigned(self, assigned: set[TopicPartition]) -> None:
        """Do nothing: what a partition has to offer begins after what was committed."""

    async def stop(self) -> None:
        """Leave the group, so that the others are given its partitions at once."""
        await self._consumer.stop()

    async def _handle(self, record: Any) -> None:
        place = TopicPartition(record.topic, record.partition)
        offset, attempts = self._attempts.get(place, (record.offset, 0))
        attempts = attempts + 1 if offset == record.offset else 1
        self._attempts[place] = (record.offset, attempts)
        delivery = Delivery(message=self._read(record), attempts=attempts)
        handling = await handle(self._subscription, delivery)
        match handling:
            case Accept():
                await self._settle(place, record)
            case Redeliver(delay):
                self._again(place, record, delay)
            case Park(reason):
                parked = await self._publish(dead_letter(self._subscription, delivery, reason))
                if isinstance(parked, Failure):
                    self._again(place, record, _PARK_AGAIN)
                else:
                    await self._settle(place, record)

    async def _settle(self, place: TopicPartition, record: Any) -> None:
        _ = self._attempts.pop(place, None)
        if place not in self._consumer.assignment():
            return
        try:
            async with asyncio.timeout(_COMMIT_LIMIT):
                await self._consumer.commit({place: record.offset + 1})
        except (CommitFailedError, TimeoutError):
            # The cluster gave it away, or is away itself; the next commit covers this one.
            _logger.warning(
                "a message of %s was handled and could not be committed: it may come again", place
            )

    def _again(self, place: TopicPartition, record: Any, delay: float) -> None:
        if place not in self._consumer.assignment():
            # Another member has it by now, and begins with this message.
            return
        self._consumer.seek(place, record.offset)
        self._consumer.pause(place)
        _ = asyncio.get_running_loop().call_later(delay, self._resume, place)

    def _resume(self, place: TopicPartition) -> None:
        if place in self._consumer.assignment():
            self._consumer.resume(place)

    def _read(self, record: "ConsumerRecord[bytes, bytes]") -> BrokerMessage:
        return read_message(
            dict(record.headers),
            record.value or b"",
            topic=self._subscription.topic,
            fallback_id=f"{record.topic}:{record.partition}:{record.offset}",
            key="" if record.key is None else record.key.decode(errors="replace"),
        )
