"""JSON and Python objects become values of a field's type, and keys and cursors become text and JSON again."""

import enum
import json
import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final

from fastapi_easy.domain.field import Field, Kind
from fastapi_easy.domain.values.formats import FORMATS, SCALAR_FORMATS
from fastapi_easy.domain.values.kind_format import JsonScalar, ParseError
from fastapi_easy.domain.values.unexpected import UnexpectedValue

_DECIMAL_OF_ANY_LENGTH: Final = re.compile(r"-?[0-9]+(\.[0-9]+)?", re.ASCII)
_JSON_SCALARS: Final = frozenset({str, int, float, bool, type(None)})
_UNEXPECTED: Final = "unexpected"
"""The one member of the object that stands for an `UnexpectedValue` in keys and cursors."""


def read_text(field: Field, text: str) -> Any:
    """Return the value of *field* that *text* spells in a path or a query string, an `UnexpectedValue` perhaps.

    Raises:
        ParseError: It spells none.
    """
    try:
        value = FORMATS[field.kind].read_text(field, text)
    except ParseError:
        if (other := other_value(field, text)) is None:
            raise
        return other
    if field.check is not None:
        field.check(value)
    return value


def parse_value(field: Field, value: object) -> Any:
    """Return the value of *field* that *value* is, or stands for as a JSON scalar: in a `where` tree, or in Python.

    Raises:
        ParseError: It is of another type, or out of range.
    """
    if isinstance(value, enum.Enum) and type(value) is not field.enumeration:
        return parse_value(field, value.value)
    try:
        read = FORMATS[field.kind].read_json(field, value)
    except ParseError:
        shown = value.shown if isinstance(value, UnexpectedValue) else value
        if (other := other_value(field, shown)) is None:
            raise
        return other
    if field.check is not None:
        field.check(read)
    return read


def can_hold(field: Field, value: object) -> bool:
    """Return whether *field* can store *value*, which was read as one of its type: no text is too long for it."""
    if isinstance(value, UnexpectedValue):
        return False
    if field.kind is not Kind.TEXT or field.max_length is None or not isinstance(value, str):
        return True
    return len(value) <= field.max_length


def other_value(field: Field, shown: object) -> UnexpectedValue | None:
    """Return the value that is shown as *shown*, if *field* may hold it though its kind does not."""
    if field.other_values is None or shown is None or isinstance(shown, list):
        return None
    text = spell(shown)
    return UnexpectedValue(text) if re.fullmatch(field.other_values, text, re.ASCII) else None


def spell(shown: object) -> str:
    """Return the text that names in a path or a query string what a document shows as *shown*."""
    return json.dumps(shown, default=float) if isinstance(shown, bool | dict | list) else str(shown)


def to_json_value(value: Any) -> JsonScalar | Mapping[str, Any]:
    """Return JSON from which `from_json_value` makes *value* again: a scalar, but for an `UnexpectedValue`."""
    if type(value) in _JSON_SCALARS:
        scalar: JsonScalar = value
        return scalar
    # First: a member of an enumeration may be an integer as well.
    if isinstance(value, enum.Enum):
        return FORMATS[Kind.ENUM].write_key(value)
    found = SCALAR_FORMATS.get(type(value))
    if found is not None:
        return found.write_key(value)
    if isinstance(value, UnexpectedValue):
        return {_UNEXPECTED: value.shown}
    for python_type, each in SCALAR_FORMATS.items():
        if isinstance(value, python_type):
            return each.write_key(value)
    return str(value)


def from_json_value(field: Field, value: JsonScalar | Mapping[str, Any]) -> Any:
    """Return the value of *field* from which `to_json_value` made *value*, also where callers may not write it.

    Raises:
        ParseError: It was made from a value of another type.
    """
    match field.kind, value:
        case _, Mapping():
            return UnexpectedValue(value[_UNEXPECTED])
        case _, bool():
            return parse_value(field, value)
        # Stored values may be out of the range, or longer, than what callers may say.
        case (_, None) | (Kind.TEXT, str()) | (Kind.INTEGER, int()) | (Kind.FLOAT, float()):
            return value
        case Kind.DECIMAL, str() if _DECIMAL_OF_ANY_LENGTH.fullmatch(value):
            return Decimal(value)
        case _:
            # Nor does the store refuse to compare what it has given.
            return FORMATS[field.kind].read_json(field, value)


def format_text(value: object) -> str:
    """Return text from which `read_text` makes *value* again."""
    if isinstance(value, UnexpectedValue):
        return str(value.shown)
    written = to_json_value(value)
    return ("true" if written else "false") if isinstance(written, bool) else str(written)
