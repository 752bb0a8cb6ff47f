"""Sample values of each kind, from small to large, that show what a column type of the user's makes of its values."""

import datetime
import decimal
import uuid
from collections.abc import Mapping, Sequence
from typing import Any, Final

from fastapi_easy.domain.field import Kind

_DAY: Final = datetime.date(2024, 1, 2)
_NOON: Final = datetime.datetime(2024, 1, 2, 12, tzinfo=datetime.UTC)
_NUMBERS: Final = (-11, -2, 0, 1, 2, 3, 9, 10, 11, 99, 100, 1234)

SAMPLES: Final[Mapping[Kind, Sequence[Any]]] = {
    # Types that accept only some texts should find one of theirs: addresses, numbers, colours.
    Kind.TEXT: (
        "a",
        "Sample Text",
        "ada@example.com",
        "https://example.com/",
        "example.com",
        "+14155552671",
        "192.0.2.1",
        "12",
        "#aabbcc",
        "EUR",
        "en",
        "/tmp/a",  # noqa: S108 - never opened
        "0f8fad5b-d9cb-469f-a165-70867728950e",
    ),
    Kind.INTEGER: _NUMBERS,
    Kind.DECIMAL: tuple(decimal.Decimal(each) / 4 for each in _NUMBERS),
    Kind.FLOAT: tuple(each / 4 for each in _NUMBERS),
    Kind.BOOLEAN: (False, True),
    Kind.DATE: tuple(_DAY + datetime.timedelta(each) for each in (-20_000, -400, 0, 8, 9, 300, 4_000)),
    Kind.TIME: tuple(datetime.time(hour, minute) for hour in (0, 2, 9, 10, 23) for minute in (0, 5, 50)),
    Kind.DATETIME: tuple(
        _NOON + datetime.timedelta(days, hours=hour)
        for days in (-20_000, -400, 0, 8, 300, 4_000)
        for hour in (-5, 0, 9)
    ),
    Kind.DURATION: tuple(datetime.timedelta(minutes=each) for each in _NUMBERS),
    Kind.UUID: tuple(
        uuid.UUID(int=each << 120 | 77 + each, version=4) for each in (0, 1, 9, 10, 16, 154, 160, 255)
    ),
    Kind.BINARY: (b"", b"\x00\x01", b"sample", b"\xff" * 40),
    Kind.JSON: ({}, {"a": [1, "b", None]}, [], ["a", "b"]),
}
"""Times of day, dates and numbers have different lengths as texts, so that an order by text shows."""
