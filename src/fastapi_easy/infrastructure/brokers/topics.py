"""The names of topics, and the parts into which a topic may be divided."""

import re
import zlib
from typing import Final

from fastapi_easy.domain.errors import Fault, Invalid

DEAD_PREFIX: Final = "dead."
"""The dead letters of the consumer `stock` are the topic `dead.stock`."""

_NAME: Final = re.compile(r"[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*")
_LONGEST: Final = 120


def refuse_name(what: str, name: str) -> Invalid | None:
    """Return why *name* cannot be that of a topic or a consumer on some broker; `None` when it can.

    Args:
        what: `topic` or `consumer`.

        name: As given.
    """
    if _NAME.fullmatch(name) and len(name) <= _LONGEST:
        return None
    message = f"a {what} has letters, digits, _ and - in parts joined by dots, {_LONGEST} characters at most"
    return Invalid((Fault(f"/{what}", message, "name"),))


def dead_topic(consumer: str) -> str:
    """Return the topic that holds the dead letters of *consumer*."""
    return DEAD_PREFIX + consumer


def partition_of(key: str, partitions: int) -> int:
    """Return the partition, from 0 on, that messages with *key* go to; the same in every process."""
    return zlib.crc32(key.encode()) % partitions if partitions > 1 else 0


def partition_name(topic: str, partition: int) -> str:
    """Return the name of a partition: that of the topic for the first, so that others may publish to it as well."""
    return topic if partition == 0 else f"{topic}.p{partition}"
