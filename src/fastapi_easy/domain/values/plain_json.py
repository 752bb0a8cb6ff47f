"""Values of any kind as JSON that says the same on every store."""

import base64
import datetime
import enum
import uuid
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any, Final

_MICROSECOND: Final = datetime.timedelta(microseconds=1)


def to_plain_json(value: object) -> Any:
    """Return *value* as JSON has it: numbers that floats would bend as text, times in UTC with microseconds.

    Decimals are texts without an exponent, times end with `+00:00`, durations are whole microseconds, bytes are base64,
    members of an enumeration are what they stand for.

    Raises:
        TypeError: JSON has nothing for it.
    """
    for kinds, encoder in _ENCODERS:
        if isinstance(value, kinds):
            return encoder(value)
    raise TypeError(f"{type(value).__name__} cannot be represented in JSON")


_ENCODERS: Final[tuple[tuple[Any, Callable[[Any], Any]], ...]] = (
    (enum.Enum, lambda value: to_plain_json(value.value)),  # first: it may be a text or a number as well
    ((str, bool, int, float, type(None)), lambda value: value),
    (Decimal, lambda value: format(value, "f")),
    (
        datetime.datetime,  # before dates: it is one
        lambda value: value.astimezone(datetime.UTC).isoformat(timespec="microseconds"),
    ),
    (datetime.date, datetime.date.isoformat),
    (datetime.time, lambda value: value.isoformat(timespec="microseconds")),
    (datetime.timedelta, lambda value: value // _MICROSECOND),
    (uuid.UUID, str),
    ((bytes, bytearray, memoryview), lambda value: base64.b64encode(bytes(value)).decode("ascii")),
    (Mapping, lambda value: {str(name): to_plain_json(each) for name, each in value.items()}),
    ((list, tuple, set, frozenset), lambda value: [to_plain_json(each) for each in value]),
)
