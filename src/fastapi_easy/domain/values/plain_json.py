"""Values of any kind as JSON that says the same on every store."""

import enum
from collections.abc import Callable, Mapping
from operator import attrgetter
from typing import Any, Final

from fastapi_easy.domain.field import Field, Kind
from fastapi_easy.domain.values.formats import FORMATS, SCALAR_FORMATS
from fastapi_easy.domain.values.unexpected import UnexpectedValue


def to_plain_json(value: object) -> object:
    """Return *value* as JSON has it: numbers that floats would bend as text, times in UTC with microseconds.

    Decimals are texts without an exponent, times end with `+00:00`, durations are whole microseconds, bytes are base64,
    members of an enumeration are what they stand for.

    Raises:
        TypeError: JSON has nothing for it.
    """
    if value is None:
        return None
    found = SCALAR_FORMATS.get(type(value))
    if found is not None:
        return found.write_journal(value)
    # Before the types that it may be derived from: a member of an enumeration may be a text or a number as well.
    if isinstance(value, enum.Enum):
        return to_plain_json(value.value)
    for kinds, write in _WRITERS:
        if isinstance(value, kinds):
            return write(value)
    if isinstance(value, Mapping):
        return {str(name): to_plain_json(each) for name, each in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [to_plain_json(each) for each in value]
    raise TypeError(f"{type(value).__name__} cannot be represented in JSON")


def from_plain_json(field: Field, plain: Any) -> Any:
    """Return the value of *field* that `to_plain_json` has written as *plain*, an `UnexpectedValue` perhaps."""
    if plain is None:
        return None
    if field.kind is Kind.ARRAY and field.item is not None and isinstance(plain, list):
        item = Field(name=field.name, kind=field.item, enumeration=field.enumeration)
        return [from_plain_json(item, each) for each in plain]
    try:
        return FORMATS[field.kind].read_journal(field, plain)
    except (ArithmeticError, TypeError, ValueError):
        # Of a decimal that is none an arithmetic error.
        return UnexpectedValue(plain)


_WRITERS: Final[tuple[tuple[type | tuple[type, ...], Callable[[object], object]], ...]] = (
    *((python_type, each.write_journal) for python_type, each in SCALAR_FORMATS.items()),
    ((bytearray, memoryview), FORMATS[Kind.BINARY].write_journal),
    (UnexpectedValue, attrgetter("shown")),
)
