"""What identifies an entity within its resource, in a text of one length."""

import decimal
import hashlib
import json

from fastapi_easy.domain.errors import Key
from fastapi_easy.domain.values.plain_json import to_plain_json


def entity_of(key: Key) -> str:
    """Return 64 hexadecimal digits that stand for *key*: SHA-256 of its plain JSON.

    PostgreSQL makes the same of a key that it has only just generated: its `jsonb` is written as `json.dumps` does.
    """
    plain = to_plain_json([_normal(each) for each in key] if isinstance(key, tuple) else _normal(key))
    return hashlib.sha256(json.dumps(plain, ensure_ascii=False).encode()).hexdigest()


def _normal(part: object) -> object:
    # Callers may write 1.5 for what is stored as 1.50.
    return part.normalize() if isinstance(part, decimal.Decimal) else part
