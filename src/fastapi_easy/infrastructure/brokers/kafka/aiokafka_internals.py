"""Every name that aiokafka keeps to itself: what a producer holds, and what sends it."""

import asyncio
from typing import Final

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaTimeoutError

_STOP_LIMIT: Final = 2.0
"""Seconds until a producer without connections has ended."""


async def drop_producer(producer: AIOKafkaProducer) -> None:
    """Stop *producer*, and forget what it could not send: its own `stop` would wait until the cluster takes it.

    `_sender` owns the task that sends, `_message_accumulator` has what is not confirmed; version 0.14 has both, and the
    cap on the version keeps them. Without them a lost cluster would be sent old messages when it is there again.

    Who still waits for a confirmation is told `KafkaTimeoutError`. One that was not started is stopped as well.
    """
    sender = producer._sender
    if sender is not None and sender.sender_task is not None:
        producer._message_accumulator.fail_all(KafkaTimeoutError())
        await producer.client.close()
        _ = sender.sender_task.cancel()
        _ = await asyncio.wait({sender.sender_task}, timeout=_STOP_LIMIT)
    await producer.stop()
