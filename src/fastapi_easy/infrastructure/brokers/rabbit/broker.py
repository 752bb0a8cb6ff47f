"""RabbitMQ: connected and published to through FastStream."""

import asyncio
import logging
from typing import Final

from aio_pika.abc import AbstractRobustConnection
from aio_pika.exceptions import AMQPError, ChannelPreconditionFailed
from aiormq.exceptions import ChannelInvalidStateError
from faststream.rabbit import Channel
from faststream.rabbit import RabbitBroker as FastStreamBroker
from returns.result import Failure, Success

from fastapi_easy.domain.errors import Outcome, Unavailable
from fastapi_easy.domain.ports.broker import BrokerMessage, Subscription
from fastapi_easy.infrastructure.brokers.rabbit.partition import PartitionConsumer
from fastapi_easy.infrastructure.brokers.rabbit.topology import Topology
from fastapi_easy.infrastructure.brokers.refusals import message_too_large, unfit_server
from fastapi_easy.infrastructure.brokers.stopping import Members
from fastapi_easy.infrastructure.brokers.topics import partition_name, partition_of, refuse_name
from fastapi_easy.infrastructure.brokers.wire_headers import write_headers

_logger = logging.getLogger(__name__)

TIMEOUT: Final = 5.0
"""Seconds to connect, and to wait for a confirmation."""

_RECONNECT: Final = 1.0
_FAILURES: Final = (AMQPError, ChannelInvalidStateError, OSError, TimeoutError)


class RabbitBroker:
    """Implements `Broker` with quorum queues of RabbitMQ, from version 3.10 on.

    Each topic is a routing key, each partition after the first another one; each consumer has a queue of its own for
    each. One member at a time is given a message, and holds it until it is settled, so that nothing overtakes what has
    to be delivered again.

    Args:
        url: `amqp://…` or `amqps://…`.

        exchange: Where everything is published.

        partitions: Parts of a topic.

        retention: Seconds for which messages that nobody has subscribed to are kept.
    """

    name = "rabbit"

    def __init__(self, url: str, *, exchange: str, partitions: int, retention: float) -> None:
        self._url = url
        self._exchange = exchange
        self._partitions = partitions
        self._retention = retention
        self._broker: FastStreamBroker | None = None
        self._connection: AbstractRobustConnection | None = None
        self._topology: Topology | None = None
        self._members = Members()
        self._opening = asyncio.Lock()

    async def open(self) -> Outcome[None]:
        """Connect, and declare the exchange."""
        async with self._opening:
            return await self._open()

    async def _open(self) -> Outcome[None]:
        if self._connection is not None:
            return Success(None)
        broker = FastStreamBroker(
            self._url,
            timeout=TIMEOUT,
            reconnect_interval=_RECONNECT,
            default_channel=Channel(publisher_confirms=True, on_return_raises=True),
            logger=None,
        )
        topology = Topology(broker, self._exchange, self._retention)
        try:
            async with asyncio.timeout(TIMEOUT):
                connection = await broker.connect()
                await topology.declare_exchange()
        except ChannelPreconditionFailed:
            await broker.stop()
            return Failure(unfit_server("stream", _OTHERWISE))
        except _FAILURES:
            await broker.stop()
            return Failure(Unavailable("broker"))
        self._broker, self._connection, self._topology = broker, connection, topology
        return Success(None)

    async def publish(self, message: BrokerMessage, /) -> Outcome[None]:
        """Publish *message*, and wait until every queue that it is for has stored it."""
        if refusal := refuse_name("topic", message.topic):
            return Failure(refusal)
        broker, topology = self._broker, self._topology
        if broker is None or topology is None:
            return Failure(Unavailable("broker"))
        headers = write_headers(message)
        content_type = headers.pop("content-type", None)
        try:
            async with asyncio.timeout(TIMEOUT):
                _ = await broker.publish(
                    message.body,
                    exchange=topology.exchange,
                    routing_key=partition_name(message.topic, partition_of(message.key, self._partitions)),
                    mandatory=True,
                    persist=True,
                    headers=dict(headers),
                    content_type=content_type,
                    message_id=message.id,
                )
        except ChannelPreconditionFailed:
            return Failure(message_too_large())
        except _FAILURES:
            return Failure(Unavailable("broker"))
        return Success(None)

    async def subscribe(self, subscription: Subscription, /) -> Outcome[None]:
        """Deliver to *subscription* from now on, one message of each partition at a time."""
        refusal = refuse_name("topic", subscription.topic) or refuse_name("consumer", subscription.consumer)
        if refusal is not None:
            return Failure(refusal)
        connection, topology = self._connection, self._topology
        if connection is None or topology is None:
            return Failure(Unavailable("broker"))
        try:
            for partition in range(self._partitions):
                async with asyncio.timeout(TIMEOUT):
                    queue = await topology.declare_queue(subscription.consumer, subscription.topic, partition)
                    channel = await connection.channel(publisher_confirms=False)
                    consumer = PartitionConsumer(channel, queue, subscription, self._members, self.publish)
                    await consumer.start()
                self._members.start(consumer.take_one)
        except _FAILURES:
            return Failure(Unavailable("broker"))
        return Success(None)

    async def check(self) -> Outcome[None]:
        """Ask whether the server answers."""
        if self._connection is None:
            return Failure(Unavailable("broker"))
        try:
            async with asyncio.timeout(TIMEOUT):
                channel = await self._connection.channel()
                await channel.close()
        except _FAILURES:
            return Failure(Unavailable("broker"))
        return Success(None)

    async def close(self, grace: float = 10.0) -> None:
        """Give no further delivery, wait for those under way, and disconnect: the rest is given to others."""
        await self._members.stop(grace)
        broker, self._broker, self._connection, self._topology = self._broker, None, None, None
        if broker is not None:
            try:
                await broker.stop()
            except _FAILURES:
                _logger.debug("the connection to RabbitMQ was broken already", exc_info=True)


_OTHERWISE: Final = (
    "this RabbitMQ has the exchange or its queue with other properties: remove them, or name another one in "
    "events.stream"
)
