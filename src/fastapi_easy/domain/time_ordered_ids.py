"""UUIDs of version 7, which grow with time (RFC 9562)."""

import secrets
import time
import uuid
from typing import Final

_RANDOM_BITS: Final = 74
_LOW_BITS: Final = 62


def new_id() -> uuid.UUID:
    """Return a UUID of the milliseconds since 1970 and 74 random bits: one of a later moment is larger."""
    moment = time.time_ns() // 1_000_000
    number = secrets.randbits(_RANDOM_BITS)
    high, low = number >> _LOW_BITS, number & (2**_LOW_BITS - 1)
    return uuid.UUID(int=(moment << 80) | (7 << 76) | (high << 64) | (2 << 62) | low)
