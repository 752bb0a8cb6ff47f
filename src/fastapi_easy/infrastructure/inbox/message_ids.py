"""Texts that are short enough for the key of a table."""

import hashlib
from typing import Final

_LONGEST: Final = 200


def stored_text(text: str) -> str:
    """Return *text*, or the SHA-256 of one that is longer than a key may be."""
    return text if len(text) <= _LONGEST else hashlib.sha256(text.encode()).hexdigest()
