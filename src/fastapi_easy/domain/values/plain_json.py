"""Values of any kind as JSON that says the same on every store."""

import enum
from collections.abc import Callable, Mapping
from operator import attrgetter
from typing import Final

from fastapi_easy.domain.field import Kind
from fastapi_easy.domain.values.formats import FORMATS, SCALAR_FORMATS
from fastapi_easy.domain.values.unexpected import UnexpectedValue


def to_plain_json(value: object) -> object:
    """Return *value* as JSON has it: numbers that floats would bend as text, times in UTC with microseconds.

    Decimals are texts without an exponent, times end with `+00:00`, durations are whole microseconds, bytes are base64,
    members of an enumeration are what they stand for.

    Raises:
        TypeError: JSON has nothing for it.
    """
    # First: a member of an enumeration may be a text or a number as well.
    if isinstance(value, enum.Enum):
        return to_plain_json(value.value)
    if value is None:
        return None
    found = SCALAR_FORMATS.get(type(value))
    if found is not None:
        return found.write_journal(value)
    for kinds, write in _WRITERS:
        if isinstance(value, kinds):
            return write(value)
    if isinstance(value, Mapping):
        return {str(name): to_plain_json(each) for name, each in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [to_plain_json(each) for each in value]
    raise TypeError(f"{type(value).__name__} cannot be represented in JSON")


_WRITERS: Final[tuple[tuple[type | tuple[type, ...], Callable[[object], object]], ...]] = (
    *((python_type, each.write_journal) for python_type, each in SCALAR_FORMATS.items()),
    ((bytearray, memoryview), FORMATS[Kind.BINARY].write_journal),
    (UnexpectedValue, attrgetter("shown")),
)
