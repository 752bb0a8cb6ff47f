"""JSON in the texts that databases store."""

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
        # The same for writing; for a value that is no JSON the standard library raises the usual error.
        return json.dumps(value)
