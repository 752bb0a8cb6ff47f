"""JSON ↔ documents and arrays. No name in it can be taken for an operator or a path."""

from collections.abc import Mapping
from typing import Any, Final

from bson.int64 import Int64

from fastapi_easy.domain.values.limits import INTEGER_LIMITS
from fastapi_easy.infrastructure.persistence.mongo.documents.scalars import Unstorable, text

_OWN: Final = frozenset({str, int, float, bool, type(None)})
_MAX_DEPTH: Final = 90
"""Levels of a JSON value; the server takes 100 for the whole document."""


def encode_json(value: Any, depth: int = 0) -> Any:
    """*value* as it is kept. Raises `Unstorable`."""
    if depth > _MAX_DEPTH:
        raise Unstorable(f"Is nested more than {_MAX_DEPTH} levels deep.")
    match value:
        case None | bool() | float():
            return value
        case int():
            if not INTEGER_LIMITS[0] <= value <= INTEGER_LIMITS[1]:
                raise Unstorable("Holds a number that cannot be stored.")
            return int(value)
        case str():
            return text(value)
        case Mapping():
            return {_name(name): encode_json(each, depth + 1) for name, each in value.items()}
        case list() | tuple():
            return [encode_json(each, depth + 1) for each in value]
        case _:
            raise Unstorable("Is not JSON.", "json")


def _name(name: Any) -> str:
    if not isinstance(name, str):
        raise Unstorable("Is not JSON.", "json")
    if name.startswith("$") or "." in name:
        raise Unstorable("Holds a name with '$' in front or '.' in it, which MongoDB reserves.", "name")
    return text(name)


def decode_json(kept: Any) -> Any:
    """The value that is kept so, in Python's own classes."""
    kind = type(kept)
    if kind is dict:
        return {
            name: each if type(each) in _OWN else decode_json(each)  # most are
            for name, each in kept.items()
        }
    if kind is list:
        return [each if type(each) in _OWN else decode_json(each) for each in kept]
    # A long is of the driver's own class.
    return int(kept) if kind is Int64 else kept
