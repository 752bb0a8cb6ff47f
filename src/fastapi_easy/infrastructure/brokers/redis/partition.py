"""One partition of a topic on Redis, of which one consumer is given one message at a time."""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from typing import Any, Final

from faststream.redis import BinaryMessageFormatV1
from redis.exceptions import RedisError, ResponseError
from returns.result import Failure

from fastapi_easy.domain.errors import Outcome
from fastapi_easy.domain.ports.broker import Accept, BrokerMessage, Delivery, Park, Redeliver, Subscription
from fastapi_easy.infrastructure.brokers.handling import dead_letter, handle
from fastapi_easy.infrastructure.brokers.redis.partition_lease import PartitionLease
from fastapi_easy.infrastructure.brokers.stopping import Members
from fastapi_easy.infrastructure.brokers.wire_headers import read_message

_logger = logging.getLogger(__name__)

_FASTSTREAM_FIELD: Final = b"__data__"
_BODY_FIELDS: Final = (b"body", b"data")
_PARK_AGAIN: Final = 1.0


class PartitionConsumer:
    """Takes one message after the other from a stream, while it holds the lease of its consumer.

    Args:
        redis: A client that is connected.

        stream: The stream.

        subscription: What handles the messages; its consumer is the group.

        members: Is told while one is being handled.

        publish: Publishes dead letters.

        silence: Seconds without a sign of life after which another member goes on.
    """

    def __init__(
        self,
        redis: Any,
        stream: str,
        subscription: Subscription,
        members: Members,
        publish: Callable[[BrokerMessage], Awaitable[Outcome[None]]],
        silence: float,
    ) -> None:
        self._redis = redis
        self._stream = stream
        self._subscription = subscription
        self._members = members
        self._publish = publish
        self._pulse = silence / 3
        self._lease = PartitionLease(redis, subscription.consumer, stream, silence)
        self._may_be_pending = True

    async def prepare(self) -> None:
        """Make the group, which begins with the oldest message, unless it is there."""
        try:
            await self._redis.xgroup_create(self._stream, self._subscription.consumer, id="0", mkstream=True)
        except ResponseError as error:
            if not str(error).startswith("BUSYGROUP"):
                raise

    async def release(self) -> None:
        """Let another member go on."""
        with contextlib.suppress(RedisError, OSError):
            await self._lease.release()

    async def take_one(self) -> None:
        """Wait a while for a message, and handle it if one comes."""
        is_held, was_held = await self._lease.hold()
        if not is_held:
            await asyncio.sleep(self._pulse)
            return
        self._may_be_pending |= not was_held
        found = await (self._claim_pending() if self._may_be_pending else self._read_next())
        if found is None:
            return
        async with self._members.busy():
            await self._handle(*found)

    async def _claim_pending(self) -> tuple[bytes, Mapping[bytes, bytes], int] | None:
        """Return the oldest message that was delivered and not accepted, and the number of its deliveries."""
        group = self._subscription.consumer
        pending = await self._redis.xpending_range(self._stream, group, "-", "+", 1)
        if not pending:
            self._may_be_pending = False
            return None
        if (left := await self._lease.postponed()) > 0:
            await asyncio.sleep(min(left, self._pulse))
            return None
        message_id, deliveries = pending[0]["message_id"], pending[0]["times_delivered"]
        claimed = await self._redis.xclaim(self._stream, group, self._lease.member, 0, [message_id])
        claimed = [each for each in claimed if each[0] is not None and each[1] is not None]
        if not claimed:
            _logger.error(
                "consumer %s: message %s of %s is not kept any more", group, message_id, self._stream
            )
            await self._redis.xack(self._stream, group, message_id)
            return None
        return message_id, claimed[0][1], deliveries + 1

    async def _read_next(self) -> tuple[bytes, Mapping[bytes, bytes], int] | None:
        # Whatever comes of it, until it is accepted there is a pending message.
        self._may_be_pending = True
        found = await self._redis.xreadgroup(
            self._subscription.consumer,
            self._lease.member,
            {self._stream: ">"},
            count=1,
            block=max(1, round(self._pulse * 1000)),
        )
        entries = [entry for _, entries in _streams(found) for entry in entries]
        if not entries:
            self._may_be_pending = False
            return None
        ((message_id, fields),) = entries
        return message_id, fields, 1

    async def _handle(self, message_id: bytes, fields: Mapping[bytes, bytes], attempts: int) -> None:
        delivery = Delivery(message=self._read(message_id, fields), attempts=attempts)
        async with self._signs_of_life():
            handling = await handle(self._subscription, delivery)
        match handling:
            case Accept():
                await self._settle(message_id)
            case Redeliver(delay):
                await self._lease.postpone(delay)
            case Park(reason):
                parked = await self._publish(dead_letter(self._subscription, delivery, reason))
                if isinstance(parked, Failure):
                    await self._lease.postpone(_PARK_AGAIN)
                else:
                    await self._settle(message_id)

    async def _settle(self, message_id: bytes) -> None:
        await self._redis.xack(self._stream, self._subscription.consumer, message_id)
        self._may_be_pending = False

    def _read(self, message_id: bytes, fields: Mapping[bytes, bytes]) -> BrokerMessage:
        """Return the message in *fields*: as FastStream writes it, or `body` and headers of somebody else."""
        wrapped = fields.get(_FASTSTREAM_FIELD)
        headers: Mapping[str, object]
        if wrapped is not None:
            body, headers = BinaryMessageFormatV1.parse(wrapped)
        else:
            name = next((each for each in _BODY_FIELDS if each in fields), None)
            body = b"" if name is None else fields[name]
            headers = {each.decode(errors="replace"): value for each, value in fields.items() if each != name}
        return read_message(
            headers,
            body,
            topic=self._subscription.topic,
            fallback_id=f"{self._stream}:{message_id.decode()}",
        )

    @contextlib.asynccontextmanager
    async def _signs_of_life(self) -> AsyncIterator[None]:
        async def signal() -> None:
            while True:
                await asyncio.sleep(self._pulse)
                with contextlib.suppress(RedisError, OSError):
                    _ = await self._lease.hold()

        signalling = asyncio.create_task(signal())
        try:
            yield
        finally:
            _ = signalling.cancel()


def _streams(found: Any) -> list[tuple[bytes, list[tuple[bytes, Mapping[bytes, bytes]]]]]:
    """Return what XREADGROUP answers, which is a mapping in the newer protocol and a list in the older."""
    if isinstance(found, Mapping):
        return [
            (name, [entry for group in groups for entry in (group if isinstance(group, list) else [group])])
            for name, groups in found.items()
        ]
    return found or []
