"""Kafka: connected and published to through FastStream."""

import asyncio
import logging
from collections.abc import Callable
from typing import Any, Final
from urllib.parse import unquote, urlsplit

from aiokafka.client import AIOKafkaClient
from aiokafka.errors import KafkaError, MessageSizeTooLargeError, RecordTooLargeError
from faststream.exceptions import FastStreamException
from faststream.kafka import KafkaBroker as FastStreamBroker
from faststream.kafka.security import parse_security
from faststream.security import BaseSecurity, SASLPlaintext
from returns.result import Failure, Success

from fastapi_easy.domain.errors import Outcome, Unavailable
from fastapi_easy.domain.ports.broker import BrokerMessage, Subscription
from fastapi_easy.infrastructure.brokers.kafka.group_member import GroupMember
from fastapi_easy.infrastructure.brokers.refusals import message_too_large
from fastapi_easy.infrastructure.brokers.stopping import Members
from fastapi_easy.infrastructure.brokers.topics import refuse_name
from fastapi_easy.infrastructure.brokers.wire_headers import write_headers

_logger = logging.getLogger(__name__)

TIMEOUT: Final = 10.0
"""Seconds to connect, and to wait for a confirmation."""

_LONGEST_PAUSE: Final = 300.0
"""Seconds beside the handling of one message after which Kafka takes a member for dead."""

_FAILURES: Final = (KafkaError, FastStreamException, OSError, TimeoutError)


class KafkaBroker:
    """Implements `Broker` with topics of Kafka, whose partitions and retention are the server's.

    Args:
        url: `kafka://host:9092,other:9092`, or `kafka+ssl://…`; with a user and a password it logs in (SASL PLAIN).
    """

    name = "kafka"

    def __init__(self, url: str) -> None:
        self._servers, self._security = parse_kafka_url(url)
        self._broker: FastStreamBroker | None = None
        self._make_consumer: Callable[..., Any] | None = None
        self._group_members: list[GroupMember] = []
        self._members = Members()
        self._opening = asyncio.Lock()

    async def open(self) -> Outcome[None]:
        """Connect."""
        async with self._opening:
            return await self._open()

    async def _open(self) -> Outcome[None]:
        if self._broker is not None:
            return Success(None)
        try:
            await self._knock()
        except _FAILURES:
            return Failure(Unavailable("broker"))
        broker = FastStreamBroker(
            self._servers,
            security=self._security,
            acks="all",
            enable_idempotence=True,
            request_timeout_ms=round(TIMEOUT * 1000),
            logger=None,
        )
        try:
            async with asyncio.timeout(TIMEOUT):
                make_consumer = await broker.connect()
        except _FAILURES:
            await broker.stop()
            return Failure(Unavailable("broker"))
        self._broker, self._make_consumer = broker, make_consumer
        return Success(None)

    async def publish(self, message: BrokerMessage, /) -> Outcome[None]:
        """Publish *message*, and wait until every replica in step has stored it."""
        if refusal := refuse_name("topic", message.topic):
            return Failure(refusal)
        if self._broker is None:
            return Failure(Unavailable("broker"))
        try:
            async with asyncio.timeout(TIMEOUT):
                _ = await self._broker.publish(
                    message.body,
                    message.topic,
                    key=message.key.encode() or None,
                    headers=write_headers(message),
                )
        except (MessageSizeTooLargeError, RecordTooLargeError):
            return Failure(message_too_large())
        except _FAILURES:
            return Failure(Unavailable("broker"))
        return Success(None)

    async def subscribe(self, subscription: Subscription, /) -> Outcome[None]:
        """Deliver to *subscription* from now on, one message at a time."""
        refusal = refuse_name("topic", subscription.topic) or refuse_name("consumer", subscription.consumer)
        if refusal is not None:
            return Failure(refusal)
        if self._make_consumer is None:
            return Failure(Unavailable("broker"))
        consumer = self._make_consumer(
            subscription.topic,
            # A group of Kafka spans topics: two subscriptions of one consumer would take its partitions in turns.
            group_id=f"{subscription.consumer}.{subscription.topic}",
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            isolation_level="read_committed",
            max_poll_interval_ms=round((subscription.timeout + _LONGEST_PAUSE) * 1000),
        )
        try:
            async with asyncio.timeout(TIMEOUT):
                await consumer.start()
        except _FAILURES:
            await consumer.stop()
            return Failure(Unavailable("broker"))
        member = GroupMember(consumer, subscription, self._members, self.publish)
        self._group_members.append(member)
        self._members.start(member.take_one)
        return Success(None)

    async def check(self) -> Outcome[None]:
        """Ask whether the cluster answers."""
        if self._broker is not None and await self._broker.ping(TIMEOUT):
            return Success(None)
        return Failure(Unavailable("broker"))

    async def close(self, grace: float = 10.0) -> None:
        """Give no further delivery, wait for those under way, leave the groups, and disconnect."""
        await self._members.stop(grace)
        members, self._group_members = self._group_members, []
        broker, self._broker, self._make_consumer = self._broker, None, None
        try:
            for member in members:
                await member.stop()
            if broker is not None:
                await broker.stop()
        except _FAILURES:
            _logger.debug("the connection to Kafka was broken already", exc_info=True)

    async def _knock(self) -> None:
        """Connect once, and disconnect: FastStream leaves a producer behind that could not connect."""
        client = AIOKafkaClient(bootstrap_servers=self._servers, **parse_security(self._security))
        try:
            async with asyncio.timeout(TIMEOUT):
                await client.bootstrap()
        finally:
            await client.close()


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
