"""The stored form of an encrypted value: `fe1:<key id>:<base64url of nonce, ciphertext and tag>`."""

import base64
import binascii
import re
from dataclasses import dataclass
from typing import Final

MAX_KEY_ID: Final = 32
"""Characters of the id of a key."""

KEY_ID: Final = re.compile(rf"[A-Za-z0-9_.-]{{1,{MAX_KEY_ID}}}", re.ASCII)

DIGEST_LENGTH: Final = 43
"""Characters of a keyed hash: 32 bytes in base64url without padding."""

_PREFIX: Final = "fe1"
_OVERHEAD: Final = 28
"""Bytes of the nonce and the tag of AES-GCM."""

_UTF8: Final = 4
"""Bytes of one character at most."""


@dataclass(frozen=True, slots=True)
class SealedText:
    """An encrypted value as it is stored.

    Attributes:
        key_id: The key it is encrypted with.

        data: Nonce, ciphertext and tag.
    """

    key_id: str
    data: bytes

    def __str__(self) -> str:
        """Return the stored form."""
        return f"{_PREFIX}:{self.key_id}:{encode_digest(self.data)}"


def read_sealed(stored: object) -> SealedText | None:
    """Return what is *stored*; `None` when that is no encrypted value."""
    if not isinstance(stored, str):
        return None
    prefix, _, rest = stored.partition(":")
    key_id, _, text = rest.partition(":")
    if prefix != _PREFIX or KEY_ID.fullmatch(key_id) is None:
        return None
    try:
        data = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        return None
    return SealedText(key_id, data)


def encode_digest(data: bytes) -> str:
    """Return *data* in base64url without padding."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode("ascii")


def sealed_length(characters: int) -> int:
    """Return how many characters the stored form of a text of so many *characters* has at most."""
    data = _OVERHEAD + _UTF8 * characters
    return len(_PREFIX) + MAX_KEY_ID + 2 + -(-data * 4 // 3)


def sealable_characters(length: int) -> int:
    """Return how many characters a text may have whose stored form has *length* at most; none, or less, if 0."""
    data = (length - len(_PREFIX) - MAX_KEY_ID - 2) * 3 // 4
    return (data - _OVERHEAD) // _UTF8
