"""NATS JetStream: connected and published to through FastStream."""

import asyncio
import logging
from typing import Final

from faststream.nats import NatsBroker as FastStreamBroker
from nats.aio.client import Client
from nats.errors import Error as NatsError
from nats.errors import MaxPayloadError
from nats.js import JetStreamContext
from nats.js.api import AckPolicy, ConsumerConfig, DeliverPolicy
from nats.js.errors import APIError, NoStreamResponseError
from returns.result import Failure, Success

from fastapi_easy.domain.errors import Outcome, Unavailable
from fastapi_easy.domain.ports.broker import BrokerMessage, Subscription
from fastapi_easy.infrastructure.brokers.nats.partition import PartitionConsumer
from fastapi_easy.infrastructure.brokers.nats.streams import Streams
from fastapi_easy.infrastructure.brokers.refusals import message_too_large, unfit_server
from fastapi_easy.infrastructure.brokers.stopping import Members
from fastapi_easy.infrastructure.brokers.topics import partition_name, partition_of, refuse_name
from fastapi_easy.infrastructure.brokers.wire_headers import write_headers

CONNECT_TIMEOUT: Final = 5
TIMEOUT: Final = 5.0
"""Seconds to wait for an answer."""

SILENCE: Final = 5.0
"""Seconds without a sign of life after which a member counts as dead, and another is given what it had."""

_MESSAGE_TOO_LARGE: Final = 10054
"""The server's number for a message that is larger than its stream takes."""

_FAILURES: Final = (NatsError, OSError, TimeoutError)


class NatsBroker:
    """Implements `Broker` with streams of NATS.

    Each topic is a subject, each partition after the first another one. Of each partition a consumer is given one
    message at a time, so that nothing overtakes what has to be delivered again.

    Args:
        url: `nats://…`, or several with commas between them.

        stream: The stream that keeps topics which no stream of the server keeps yet.

        partitions: Parts of a topic.

        retention: Seconds for which that stream keeps messages.

        silence: Seconds without a sign of life after which a member counts as dead.
    """

    name = "nats"

    def __init__(
        self, url: str, *, stream: str, partitions: int, retention: float, silence: float = SILENCE
    ) -> None:
        self._servers = url.split(",")
        self._stream = stream
        self._partitions = partitions
        self._retention = retention
        self._silence = silence
        self._broker: FastStreamBroker | None = None
        self._client: Client | None = None
        self._streams: Streams | None = None
        self._members = Members()
        self._opening = asyncio.Lock()

    async def open(self) -> Outcome[None]:
        """Connect, and look whether the stream keeps what it is given."""
        async with self._opening:
            return await self._open()

    async def _open(self) -> Outcome[None]:
        if self._client is not None:
            return Success(None)
        broker = FastStreamBroker(
            self._servers,
            connect_timeout=CONNECT_TIMEOUT,
            # For as long as the process lives: the relay and the consumers go on when the server is back.
            max_reconnect_attempts=-1,
            reconnect_time_wait=1,
            logger=None,
            error_cb=_log_error,
        )
        try:
            async with asyncio.timeout(CONNECT_TIMEOUT):
                client = await broker.connect()
            streams = Streams(_jetstream(client), self._stream, self._retention)
            mistake = await streams.find_mistake()
        except _FAILURES:
            await broker.stop()
            return Failure(Unavailable("broker"))
        if mistake is not None:
            await broker.stop()
            return Failure(unfit_server("stream", mistake))
        self._broker, self._client, self._streams = broker, client, streams
        return Success(None)

    async def publish(self, message: BrokerMessage, /) -> Outcome[None]:
        """Publish *message*, and wait until its stream has stored it."""
        if refusal := refuse_name("topic", message.topic):
            return Failure(refusal)
        partition = partition_of(message.key, self._partitions)
        subject = partition_name(message.topic, partition)
        try:
            try:
                await self._send(message, subject)
            except NoStreamResponseError:
                # Somebody has taken the subject out of its stream meanwhile.
                if self._streams is not None:
                    self._streams.forget(subject)
                await self._send(message, subject)
        except MaxPayloadError:
            return Failure(message_too_large())
        except APIError as error:
            return Failure(
                message_too_large() if error.err_code == _MESSAGE_TOO_LARGE else Unavailable("broker")
            )
        except _FAILURES:
            return Failure(Unavailable("broker"))
        return Success(None)

    async def subscribe(self, subscription: Subscription, /) -> Outcome[None]:
        """Deliver to *subscription* from now on, one message of each partition at a time."""
        refusal = refuse_name("topic", subscription.topic) or refuse_name("consumer", subscription.consumer)
        if refusal is not None:
            return Failure(refusal)
        client, streams = self._client, self._streams
        if client is None or streams is None:
            return Failure(Unavailable("broker"))
        try:
            for subject in self._subjects(subscription.topic):
                stream = await streams.name_of(subject, self._subjects(subscription.topic))
                await self._consume(_jetstream(client), stream, subject, subscription)
        except _FAILURES:
            return Failure(Unavailable("broker"))
        return Success(None)

    async def check(self) -> Outcome[None]:
        """Ask whether JetStream answers."""
        if self._client is None:
            return Failure(Unavailable("broker"))
        try:
            _ = await _jetstream(self._client).account_info()
        except _FAILURES:
            return Failure(Unavailable("broker"))
        return Success(None)

    async def close(self, grace: float = 10.0) -> None:
        """Give no further delivery, wait for those under way, and disconnect."""
        await self._members.stop(grace)
        broker, self._broker, self._client, self._streams = self._broker, None, None, None
        if broker is not None:
            try:
                await broker.stop()
            except _FAILURES:
                _logger.debug("the connection to NATS was broken already", exc_info=True)

    def _subjects(self, topic: str) -> list[str]:
        return [partition_name(topic, each) for each in range(self._partitions)]

    async def _send(self, message: BrokerMessage, subject: str) -> None:
        broker, streams = self._broker, self._streams
        if broker is None or streams is None:
            raise ConnectionError("the broker is closed")
        stream = await streams.name_of(subject, self._subjects(message.topic))
        headers = {**write_headers(message), "Nats-Msg-Id": message.id}
        # Without the name of a stream nobody confirms.
        _ = await broker.publish(message.body, subject, headers=headers, stream=stream, timeout=TIMEOUT)

    async def _consume(
        self, jetstream: JetStreamContext, stream: str, subject: str, subscription: Subscription
    ) -> None:
        durable = f"{subscription.consumer}~~{subject}".replace(".", "~")
        config = ConsumerConfig(
            durable_name=durable,
            filter_subject=subject,
            deliver_policy=DeliverPolicy.ALL,
            ack_policy=AckPolicy.EXPLICIT,
            ack_wait=self._silence,
            # The server would drop what it has delivered too often without a word: we park it.
            max_deliver=-1,
            max_ack_pending=1,
        )
        _ = await jetstream.add_consumer(stream, config)
        pull = await jetstream.pull_subscribe_bind(consumer=durable, stream=stream)
        consumer = PartitionConsumer(pull, subscription, self._members, self.publish, self._silence)
        self._members.start(consumer.take_one)


_logger = logging.getLogger(__name__)


async def _log_error(error: Exception) -> None:
    _logger.warning("NATS: %s", error)


def _jetstream(client: Client) -> JetStreamContext:
    return client.jetstream(timeout=TIMEOUT)
