"""JSON ↔ documents and arrays. No name in it can be taken for an operator or a path.

Other programs keep more in documents than JSON has: those values are shown as Extended JSON, and accepted as such.
"""

from collections.abc import Mapping
from math import isfinite
from typing import Any, Final

from bson.int64 import Int64

from fastapi_easy.domain.values.limits import INTEGER_LIMITS
from fastapi_easy.infrastructure.persistence.mongo.documents.extended_json import (
    from_extended_json,
    is_extended,
    to_extended_json,
)
from fastapi_easy.infrastructure.persistence.mongo.documents.scalars import Unstorable, encode_text

_PLAIN_TYPES: Final = frozenset({str, int, bool, type(None)})
_MAX_DEPTH: Final = 90
"""Levels of a JSON value; the server takes 100 for the whole document."""


def encode_json(value: object, depth: int = 0) -> object:
    """Return the BSON for the JSON *value*. Raises `Unstorable`."""
    check_depth(depth)
    match value:
        case None | bool() | float():
            return value
        case int():
            if not INTEGER_LIMITS[0] <= value <= INTEGER_LIMITS[1]:
                raise Unstorable("Holds a number that cannot be stored")
            return int(value)
        case str():
            return encode_text(value)
        case Mapping():
            if is_extended(value):
                return _encode_extended(value, depth)
            return {check_name(name): encode_json(each, depth + 1) for name, each in value.items()}
        case list() | tuple():
            return [encode_json(each, depth + 1) for each in value]
        case _:
            raise Unstorable("Is not JSON.", "json")


def _encode_extended(document: Mapping[str, Any], depth: int) -> object:
    members = {
        name: each if name == "$date" else encode_json(each, depth + 1) for name, each in document.items()
    }
    try:
        return from_extended_json(document, members)
    except ValueError:
        raise Unstorable(
            "Holds a name with '$' in front, which MongoDB reserves, and is not Extended JSON", "name"
        ) from None


def check_depth(depth: int) -> None:
    """Raise `Unstorable` for what is nested too deeply."""
    if depth > _MAX_DEPTH:
        raise Unstorable(f"Is nested more than {_MAX_DEPTH} levels deep")


def check_name(name: object) -> str:
    """Return *name*, that of a member. Raises `Unstorable`."""
    if not isinstance(name, str):
        raise Unstorable("Is not JSON.", "json")
    if "." in name:
        raise Unstorable("Holds a name with '.' in it, which MongoDB reserves", "name")
    return encode_text(name)


def decode_json(kept: object) -> object:
    """Return the JSON value for what is *kept*, in Python's own classes."""
    if isinstance(kept, dict):
        # Most values are of these types: a look is cheaper than a call for each.
        return {
            name: each
            if (kind := type(each)) in _PLAIN_TYPES or (kind is float and isfinite(each))
            else decode_json(each)
            for name, each in kept.items()
        }
    if isinstance(kept, list):
        return [
            each
            if (kind := type(each)) in _PLAIN_TYPES or (kind is float and isfinite(each))
            else decode_json(each)
            for each in kept
        ]
    kind = type(kept)
    if kind in _PLAIN_TYPES or (isinstance(kept, float) and isfinite(kept)):
        return kept
    # A long is a subclass of `int` of the driver's own, which JSON encoders may not know.
    return int(kept) if isinstance(kept, Int64) else to_extended_json(kept)
