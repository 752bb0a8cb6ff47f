"""JSON as databases keep it."""

import json
from typing import Any

from pydantic_core import PydanticSerializationError, from_json, to_json


def parse_json(text: str) -> Any:
    """Parse *text*."""
    try:
        return from_json(text)
    except ValueError:
        # Half a surrogate pair, which only the slower parser takes.
        return json.loads(text)


def write_json(value: Any) -> str:
    """Write *value* as JSON."""
    try:
        return to_json(value, inf_nan_mode="constants").decode()
    except (PydanticSerializationError, UnicodeEncodeError):
        # Likewise; what nobody can write is refused in the words of the standard library.
        return json.dumps(value)
