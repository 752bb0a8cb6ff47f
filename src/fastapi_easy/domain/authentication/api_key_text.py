"""How an API key is spelled: `fek_<id>_<secret>_<checksum>`, recognised by secret scanners and without a store.

The checksum tells a typo, or a text that only looks like a key, from a key that is not known.
"""

import hashlib
import re
import secrets
import zlib
from dataclasses import dataclass, field
from typing import Final

PREFIX: Final = "fek_"
"""What every key begins with."""

_ALPHABET: Final = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_ID_LENGTH: Final = 8
_SECRET_BYTES: Final = 32
_SECRET_LENGTH: Final = 43
_CHECKSUM_LENGTH: Final = 6
_PATTERN: Final = re.compile(
    rf"{PREFIX}([0-9A-Za-z]{{{_ID_LENGTH}}})_[0-9A-Za-z]{{{_SECRET_LENGTH}}}_([0-9A-Za-z]{{{_CHECKSUM_LENGTH}}})"
)


@dataclass(frozen=True, slots=True)
class ApiKeyText:
    """A key as its owner has it.

    Attributes:
        id: Its public part.

        text: All of it, a secret.
    """

    id: str
    text: str = field(repr=False)

    @property
    def digest(self) -> str:
        """What is stored of it: 32 random bytes need no slow hash."""
        return hashlib.sha256(self.text.encode("ascii")).hexdigest()


def generate_key() -> ApiKeyText:
    """Return a new key of the system's random numbers."""
    identifier = "".join(secrets.choice(_ALPHABET) for _ in range(_ID_LENGTH))
    secret = _base62(secrets.randbits(8 * _SECRET_BYTES), _SECRET_LENGTH)
    body = f"{PREFIX}{identifier}_{secret}"
    return ApiKeyText(identifier, f"{body}_{_checksum(body)}")


def parse_key(text: str) -> ApiKeyText | None:
    """Return the key that *text* spells; `None` where it has another form or a wrong checksum."""
    match = _PATTERN.fullmatch(text)
    if match is None or _checksum(text[: -_CHECKSUM_LENGTH - 1]) != match[2]:
        return None
    return ApiKeyText(match[1], text)


def _checksum(body: str) -> str:
    return _base62(zlib.crc32(body.encode("ascii")), _CHECKSUM_LENGTH)


def _base62(number: int, length: int) -> str:
    digits = []
    for _ in range(length):
        number, digit = divmod(number, len(_ALPHABET))
        digits.append(_ALPHABET[digit])
    return "".join(reversed(digits))
