"""Kafka: its topics, groups of consumers, and the cluster they belong to."""

import asyncio
import logging
from typing import Any, Final
from urllib.parse import unquote, urlsplit

from aiokafka import AIOKafkaConsumer
from aiokafka.errors import KafkaError
from faststream.kafka.security import parse_security
from faststream.security import BaseSecurity, SASLPlaintext
from returns.result import Failure, Success

from fastapi_easy.domain.errors import Outcome, Unavailable
from fastapi_easy.domain.ports.broker import BrokerMessage, Subscription
from fastapi_easy.infrastructure.brokers.kafka.group_member import GroupMember
from fastapi_easy.infrastructure.brokers.kafka.producer import TIMEOUT, TOO_LARGE, Producer
from fastapi_easy.infrastructure.brokers.refusals import message_too_large
from fastapi_easy.infrastructure.brokers.stopping import Members
from fastapi_easy.infrastructure.brokers.topics import refuse_name

_logger = logging.getLogger(__name__)

SILENCE: Final = 10.0
"""Seconds without a sign of life after which a member counts as dead; most clusters want at least six."""

_LONGEST_PAUSE: Final = 300.0
"""Seconds beside the handling of one message after which Kafka takes a member for dead."""

_FAILURES: Final = (KafkaError, OSError, TimeoutError)


class KafkaBroker:
    """Implements `Broker` with topics of Kafka, whose partitions and retention are the server's.

    Args:
        url: `kafka://host:9092,other:9092`, or `kafka+ssl://…`; with a user and a password it logs in (SASL PLAIN).

        silence: Seconds without a sign of life after which a member counts as dead.
    """

    name = "kafka"

    def __init__(self, url: str, *, silence: float = SILENCE) -> None:
        servers, security = parse_kafka_url(url)
        self._connection: dict[str, Any] = {"bootstrap_servers": servers, **parse_security(security)}
        self._silence = silence
        self._producer: Producer | None = None
        self._group_members: list[GroupMember] = []
        self._members = Members()
        self._opening = asyncio.Lock()

    async def open(self) -> Outcome[None]:
        """Connect."""
        async with self._opening:
            if self._producer is not None:
                return Success(None)
            producer = Producer(self._connection)
            try:
                await producer.open()
            except _FAILURES:
                return Failure(Unavailable("broker"))
            self._producer = producer
            return Success(None)

    async def publish(self, message: BrokerMessage, /) -> Outcome[None]:
        """Publish *message*, and wait until every replica in step has stored it."""
        if refusal := refuse_name("topic", message.topic):
            return Failure(refusal)
        if self._producer is None:
            return Failure(Unavailable("broker"))
        try:
            await self._producer.publish(message)
        except TOO_LARGE:
            return Failure(message_too_large())
        except _FAILURES:
            return Failure(Unavailable("broker"))
        return Success(None)

    async def subscribe(self, subscription: Subscription, /) -> Outcome[None]:
        """Deliver to *subscription* from now on, one message at a time."""
        refusal = refuse_name("topic", subscription.topic) or refuse_name("consumer", subscription.consumer)
        if refusal is not None:
            return Failure(refusal)
        if self._producer is None:
            return Failure(Unavailable("broker"))
        consumer = self._make_consumer(subscription)
        try:
            async with asyncio.timeout(TIMEOUT):
                await consumer.start()
        except _FAILURES:
            await consumer.stop()
            return Failure(Unavailable("broker"))
        member = GroupMember(consumer, subscription, self._members, self.publish)
        # Not before the start, which would wait for the group: its members may be busy for long.
        consumer.subscribe([subscription.topic], listener=member)
        self._group_members.append(member)
        self._members.start(member.take_one)
        return Success(None)

    async def check(self) -> Outcome[None]:
        """Ask whether the cluster answers."""
        if self._producer is None:
            return Failure(Unavailable("broker"))
        try:
            await self._producer.ping()
        except _FAILURES:
            return Failure(Unavailable("broker"))
        return Success(None)

    async def close(self, grace: float = 10.0) -> None:
        """Give no further delivery, wait for those under way, leave the groups, and disconnect."""
        await self._members.stop(grace)
        members, self._group_members = self._group_members, []
        producer, self._producer = self._producer, None
        try:
            async with asyncio.timeout(TIMEOUT):
                _ = await asyncio.gather(*(member.stop() for member in members))
                if producer is not None:
                    await producer.close()
        except _FAILURES:
            _logger.debug("the connection to Kafka was broken already", exc_info=True)

    def _make_consumer(self, subscription: Subscription) -> AIOKafkaConsumer:
        return AIOKafkaConsumer(
            # A group of Kafka spans topics: two subscriptions of one consumer would take its partitions in turns.
            group_id=f"{subscription.consumer}.{subscription.topic}",
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            isolation_level="read_committed",
            request_timeout_ms=round(TIMEOUT * 1000),
            session_timeout_ms=round(self._silence * 1000),
            heartbeat_interval_ms=round(self._silence * 1000 / 3),
            # So long the group waits for a member that finishes what it has, commits it or publishes a dead letter.
            rebalance_timeout_ms=round((subscription.timeout + 3 * TIMEOUT) * 1000),
            max_poll_interval_ms=round((subscription.timeout + _LONGEST_PAUSE) * 1000),
            **self._connection,
        )


def parse_kafka_url(url: str) -> tuple[list[str], BaseSecurity | None]:
    """Return the servers in *url*, and how to connect with them.

    Raises:
        ValueError: It names no server.
    """
    parts = urlsplit(url)
    user_info, _, hosts = parts.netloc.rpartition("@")
    servers = [each for each in hosts.split(",") if each]
    if not servers:
        raise ValueError("kafka:// needs a server: kafka://host:9092")
    encrypted = parts.scheme.lower() == "kafka+ssl"
    if user_info:
        user, _, password = user_info.partition(":")
        return servers, SASLPlaintext(unquote(user), unquote(password), use_ssl=encrypted)
    return servers, BaseSecurity(use_ssl=True) if encrypted else None
