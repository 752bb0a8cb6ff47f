"""JSON and Python objects become values of a field's type, and keys and cursors become text and JSON again."""

import enum
import re
from decimal import Decimal
from typing import Any, Final

from fastapi_easy.domain.field import Field, Kind
from fastapi_easy.domain.values.formats import FORMATS, SCALAR_FORMATS
from fastapi_easy.domain.values.kind_format import JsonScalar

_DECIMAL_OF_ANY_LENGTH: Final = re.compile(r"-?[0-9]+(\.[0-9]+)?", re.ASCII)
_JSON_SCALARS: Final = frozenset({str, int, float, bool, type(None)})


def parse_value(field: Field, value: object) -> Any:
    """Return the value of *field* that *value* is, or stands for as a JSON scalar: in a `where` tree, or in Python.

    Raises:
        ParseError: It is of another type, or out of range.
    """
    if isinstance(value, enum.Enum) and type(value) is not field.enumeration:
        return parse_value(field, value.value)
    return FORMATS[field.kind].read_json(field, value)


def to_json_value(value: Any) -> JsonScalar:
    """Return a JSON scalar from which `parse_value` makes *value* again."""
    if type(value) in _JSON_SCALARS:
        scalar: JsonScalar = value
        return scalar
    # First: a member of an enumeration may be an integer as well.
    if isinstance(value, enum.Enum):
        return FORMATS[Kind.ENUM].write_key(value)
    found = SCALAR_FORMATS.get(type(value))
    if found is not None:
        return found.write_key(value)
    for python_type, each in SCALAR_FORMATS.items():
        if isinstance(value, python_type):
            return each.write_key(value)
    return str(value)


def from_json_value(field: Field, value: JsonScalar) -> Any:
    """Return the value of *field* from which `to_json_value` made *value*, also where callers may not write it.

    Raises:
        ParseError: It was made from a value of another type.
    """
    match field.kind, value:
        case _, bool():
            return parse_value(field, value)
        # Stored values may be out of the range, or longer, than what callers may say.
        case (_, None) | (Kind.TEXT, str()) | (Kind.INTEGER, int()) | (Kind.FLOAT, float()):
            return value
        case Kind.DECIMAL, str() if _DECIMAL_OF_ANY_LENGTH.fullmatch(value):
            return Decimal(value)
        case _:
            return parse_value(field, value)


def format_text(value: object) -> str:
    """Return text from which `read_text` of its kind makes *value* again."""
    written = to_json_value(value)
    return ("true" if written else "false") if isinstance(written, bool) else str(written)
