"""Streams of Redis or Valkey: connected and published to through FastStream."""

import asyncio
import logging
import time
from collections.abc import Mapping
from typing import Any, Final, cast

from faststream.redis import RedisBroker as FastStreamBroker
from redis.exceptions import RedisError
from returns.result import Failure, Success

from fastapi_easy.domain.errors import Outcome, Unavailable
from fastapi_easy.domain.ports.broker import BrokerMessage, Subscription
from fastapi_easy.infrastructure.brokers.redis.partition import PartitionConsumer
from fastapi_easy.infrastructure.brokers.refusals import unfit_server
from fastapi_easy.infrastructure.brokers.stopping import Members
from fastapi_easy.infrastructure.brokers.topics import partition_name, partition_of, refuse_name
from fastapi_easy.infrastructure.brokers.wire_headers import write_headers

_logger = logging.getLogger(__name__)

TIMEOUT: Final = 5.0
"""Seconds to connect, and to wait for an answer."""

SILENCE: Final = 5.0
"""Seconds without a sign of life after which a member counts as dead, and another is given what it had."""

_TRIM_EVERY: Final = 60.0
_FAILURES: Final = (RedisError, OSError, TimeoutError)


class RedisBroker:
    """Implements `Broker` with streams of Redis.

    Each topic is a stream, each partition after the first another one, each consumer a group. A member of a group
    reads a stream only while it holds a lease, so that nothing overtakes what has to be delivered again. A message
    survives the server as far as its persistence goes (`appendonly yes`).

    Args:
        url: `redis://…`, `rediss://…` or `unix://…`.

        partitions: Parts of a topic.

        retention: Seconds for which messages are kept, consumed or not.

        silence: Seconds without a sign of life after which a member counts as dead.
    """

    name = "redis"

    def __init__(self, url: str, *, partitions: int, retention: float, silence: float = SILENCE) -> None:
        self._url = url
        self._partitions = partitions
        self._retention = retention
        self._silence = silence
        self._broker: FastStreamBroker | None = None
        self._client: Any = None
        self._consumers: list[PartitionConsumer] = []
        self._trimmed: dict[str, float] = {}
        self._members = Members()
        self._opening = asyncio.Lock()

    async def open(self) -> Outcome[None]:
        """Connect, and look whether the server would throw streams away."""
        async with self._opening:
            return await self._open()

    async def _open(self) -> Outcome[None]:
        if self._client is not None:
            return Success(None)
        broker = FastStreamBroker(
            self._url,
            socket_connect_timeout=TIMEOUT,
            socket_timeout=TIMEOUT + self._silence,
            logger=cast("Any", None),
        )
        try:
            async with asyncio.timeout(TIMEOUT):
                client: Any = await broker.connect()
                memory = await client.info("memory")
        except _FAILURES:
            await broker.stop()
            return Failure(Unavailable("broker"))
        if evicts_streams(memory):
            await broker.stop()
            return Failure(unfit_server("broker_url", _EVICTION))
        self._broker, self._client = broker, client
        return Success(None)

    async def publish(self, message: BrokerMessage, /) -> Outcome[None]:
        """Append *message* to its stream, and wait until the server has done so."""
        if refusal := refuse_name("topic", message.topic):
            return Failure(refusal)
        broker = self._broker
        if broker is None:
            return Failure(Unavailable("broker"))
        stream = partition_name(message.topic, partition_of(message.key, self._partitions))
        try:
            entry: Any = await broker.publish(message.body, stream=stream, headers=write_headers(message))
            await self._trim(stream, entry)
        except _FAILURES:
            return Failure(Unavailable("broker"))
        return Success(None)

    async def subscribe(self, subscription: Subscription, /) -> Outcome[None]:
        """Deliver to *subscription* from now on, one message of each partition at a time."""
        refusal = refuse_name("topic", subscription.topic) or refuse_name("consumer", subscription.consumer)
        if refusal is not None:
            return Failure(refusal)
        if self._client is None:
            return Failure(Unavailable("broker"))
        consumers = [
            PartitionConsumer(
                self._client,
                partition_name(subscription.topic, each),
                subscription,
                self._members,
                self.publish,
                self._silence,
            )
            for each in range(self._partitions)
        ]
        try:
            for consumer in consumers:
                await consumer.prepare()
        except _FAILURES:
            return Failure(Unavailable("broker"))
        for consumer in consumers:
            self._consumers.append(consumer)
            self._members.start(consumer.take_one)
        return Success(None)

    async def check(self) -> Outcome[None]:
        """Ask whether the server answers."""
        if self._client is None:
            return Failure(Unavailable("broker"))
        try:
            await self._client.ping()
        except _FAILURES:
            return Failure(Unavailable("broker"))
        return Success(None)

    async def close(self, grace: float = 10.0) -> None:
        """Give no further delivery, wait for those under way, let other members go on, and disconnect."""
        await self._members.stop(grace)
        consumers, self._consumers = self._consumers, []
        for consumer in consumers:
            await consumer.release()
        broker, self._broker, self._client = self._broker, None, None
        if broker is not None:
            try:
                await broker.stop()
            except _FAILURES:
                _logger.debug("the connection to Redis was broken already", exc_info=True)

    async def _trim(self, stream: str, entry: bytes) -> None:
        """Remove from *stream* what is older than the retention, now and then, by the clock of the server."""
        now = time.monotonic()
        if now < self._trimmed.get(stream, 0):
            return
        self._trimmed[stream] = now + min(_TRIM_EVERY, self._retention / 10)
        oldest = int(entry.partition(b"-")[0]) - round(self._retention * 1000)
        await self._client.xtrim(stream, minid=max(0, oldest), approximate=True)


def evicts_streams(memory: Mapping[str, object]) -> bool:
    """Return whether a server with this `INFO memory` removes any key, streams too, when its memory is full."""
    return bool(memory.get("maxmemory")) and str(memory.get("maxmemory_policy")).startswith("allkeys")


_EVICTION: Final = (
    "this Redis removes any key when its memory is full (maxmemory-policy allkeys-…), streams too: use noeviction, or "
    "another server"
)
