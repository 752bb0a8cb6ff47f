"""What publishes to Kafka, and is replaced when it cannot go on."""

import asyncio
from collections.abc import Mapping
from typing import Any, Final

from aiokafka import AIOKafkaProducer
from aiokafka.errors import (
    MessageSizeTooLargeError,
    RecordTooLargeError,
    TopicAuthorizationFailedError,
    UnknownTopicOrPartitionError,
)

from fastapi_easy.domain.ports.broker import BrokerMessage
from fastapi_easy.infrastructure.brokers.kafka.aiokafka_internals import drop_producer
from fastapi_easy.infrastructure.brokers.wire_headers import write_headers

TIMEOUT: Final = 10.0
"""Seconds to connect, and to wait for a confirmation."""

TOO_LARGE: Final = (MessageSizeTooLargeError, RecordTooLargeError)
"""What is raised for a message that the cluster never takes."""

_OF_ONE_MESSAGE: Final = (*TOO_LARGE, TopicAuthorizationFailedError, UnknownTopicOrPartitionError)
"""What says nothing about the next message."""


class Producer:
    """Publishes with `acks=all` and sequence numbers, so that what is sent again is stored once and in its order.

    An idempotent producer of aiokafka never gives up: what was not confirmed in time would be sent whenever the cluster
    is there again, maybe hours after somebody else has published it and what follows it. One that does not confirm is
    therefore dropped with all that it holds, and the next message is published by a new one.

    Args:
        connection: The servers, and how to connect with them, in aiokafka's words.
    """

    def __init__(self, connection: Mapping[str, Any]) -> None:
        self._connection = connection
        self._current: AIOKafkaProducer | None = None
        self._connecting = asyncio.Lock()

    async def open(self) -> None:
        """Connect, if it is not connected.

        Raises:
            KafkaError: Nobody answers, or refuses the login.
            OSError, TimeoutError: Nobody answers in time.
        """
        async with asyncio.timeout(TIMEOUT):
            _ = await self._connected()

    async def publish(self, message: BrokerMessage) -> None:
        """Publish *message*, and wait until every replica in step has stored it.

        Raises:
            KafkaError: The cluster refuses it, or the login.
            OSError, TimeoutError: It was not confirmed in time; it may have been stored.
        """
        async with asyncio.timeout(TIMEOUT):
            producer = await self._connected()
            try:
                _ = await producer.send_and_wait(
                    message.topic,
                    message.body,
                    key=message.key.encode() or None,
                    headers=[(name, value.encode()) for name, value in write_headers(message).items()],
                )
            except _OF_ONE_MESSAGE:
                raise
            except BaseException:
                await self._drop(producer)
                raise

    async def ping(self) -> None:
        """Ask for the brokers of the cluster.

        Raises:
            KafkaError, OSError, TimeoutError: Nobody answers.
        """
        async with asyncio.timeout(TIMEOUT):
            _ = await (await self._connected()).client.fetch_all_metadata()

    async def close(self) -> None:
        """Disconnect; what was not confirmed is not sent any more."""
        if self._current is not None:
            await self._drop(self._current)

    async def _connected(self) -> AIOKafkaProducer:
        async with self._connecting:
            if self._current is None:
                producer = AIOKafkaProducer(
                    acks="all",
                    enable_idempotence=True,
                    request_timeout_ms=round(TIMEOUT * 1000),
                    **self._connection,
                )
                try:
                    await producer.start()
                except BaseException:
                    await drop_producer(producer)
                    raise
                self._current = producer
            return self._current

    async def _drop(self, producer: AIOKafkaProducer) -> None:
        # Others that were waiting for the same one may have dropped it already.
        if self._current is producer:
            self._current = None
            await drop_producer(producer)
