"""The rows of every store: the same number always gives the same row."""

import datetime
from collections.abc import Iterator
from decimal import Decimal
from typing import Any, Final

ROWS: Final = 100_000
PER_OWNER: Final = 250
"""Rows of each owner, so that every page of 100 is full."""

_BEGIN: Final = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)
_COLOURS: Final = ("red", "green", "blue", "white", "black")


def row(number: int) -> dict[str, Any]:
    """The row with the key *number*, which counts from 1."""
    return {
        "id": number,
        "title": f"Item {number} of a list that goes on",
        "price": Decimal(number * 37 % 1_000_000 + 100).scaleb(-2),
        "attributes": {
            "colour": _COLOURS[number % 5],
            "size": number % 50,
            "tags": [f"tag{number % 7}", f"tag{number % 11}"],
        },
        "created_at": _BEGIN + datetime.timedelta(seconds=number, milliseconds=number % 1000),
        "owner_id": (number - 1) // PER_OWNER + 1,
    }


def rows(count: int = ROWS) -> Iterator[dict[str, Any]]:
    """The first *count* rows."""
    return map(row, range(1, count + 1))
