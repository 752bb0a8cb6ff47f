"""Keys as they are written in settings: 32 bytes in base64."""

import base64
import binascii
import secrets
from typing import Final

_KEY_BYTES: Final = 32


def generate_key() -> str:
    """Return a new key: 32 bytes of the system's randomness, in base64."""
    return base64.b64encode(secrets.token_bytes(_KEY_BYTES)).decode("ascii")


def decode_key(text: str) -> bytes | None:
    """Return the 32 bytes that *text* spells in base64, of either alphabet; `None` when it spells none."""
    try:
        key = base64.b64decode(text.strip().replace("-", "+").replace("_", "/"), validate=True)
    except (binascii.Error, ValueError):
        return None
    return key if len(key) == _KEY_BYTES else None
