"""The keys of entities as documents show them."""

from typing import Any

from fastapi_easy.domain import Key
from fastapi_easy.domain.values.unexpected import UnexpectedValue
from fastapi_easy.domain.values.value_parsing import to_json_value


def shown_key(key: Key) -> Any:
    """Return *key* as items of a bulk name it: JSON, and a list when it has several parts."""
    return [_part(part) for part in key] if isinstance(key, tuple) else _part(key)


def _part(part: object) -> Any:
    return part.shown if isinstance(part, UnexpectedValue) else to_json_value(part)
