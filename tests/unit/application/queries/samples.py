"""Values of every kind, as text, as JSON and as Python; and strategies for any of them."""

import datetime
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

from hypothesis import strategies as st

from fastapi_easy.domain.field import Kind
from tests.unit.application.fakes import Colour

UTC: Final = datetime.UTC


@dataclass(frozen=True)
class Sample:
    """One value in its three spellings."""

    text: str
    json: Any
    value: Any


SAMPLES: Final[Mapping[Kind, tuple[Sample, Sample]]] = {
    Kind.TEXT: (Sample("a%_b", "a%_b", "a%_b"), Sample("", "", "")),
    Kind.INTEGER: (Sample("-7", -7, -7), Sample("042", 42, 42)),
    Kind.DECIMAL: (
        Sample("9.50", "9.50", Decimal("9.50")),
        Sample("-0.25", Decimal("-0.25"), Decimal("-0.25")),
    ),
    Kind.FLOAT: (Sample("-1.5e3", Decimal("-1.5e3"), -1500.0), Sample("2", 2, 2.0)),
    Kind.BOOLEAN: (Sample("true", True, True), Sample("0", False, False)),
    Kind.DATE: (
        Sample("2026-11-23", "2026-11-23", datetime.date(2026, 11, 23)),
        Sample("0001-01-01", "0001-01-01", datetime.date.min),
    ),
    Kind.TIME: (
        Sample("08:30", "08:30", datetime.time(8, 30)),
        Sample("08:30:00.25", "08:30:00.25", datetime.time(8, 30, 0, 250_000)),
    ),
    Kind.DATETIME: (
        Sample(
            "2026-11-23T08:30:00Z",
            "2026-11-23T08:30:00Z",
            datetime.datetime(2026, 11, 23, 8, 30, tzinfo=UTC),
        ),
        Sample(
            "2026-11-23 08:30:00.5+01:00",
            "2026-11-23t08:30:00.5+01:00",
            datetime.datetime(2026, 11, 23, 7, 30, 0, 500_000, tzinfo=UTC),
        ),
    ),
    Kind.DURATION: (
        Sample("P1DT2H", "P1DT2H", datetime.timedelta(days=1, hours=2)),
        Sample("-PT0.5S", "-PT0.5S", datetime.timedelta(milliseconds=-500)),
    ),
    Kind.UUID: (
        Sample(
            "6b6bafa8-7d3a-4d0f-8f0c-3f4a6a1f4a10",
            "6b6bafa8-7d3a-4d0f-8f0c-3f4a6a1f4a10",
            uuid.UUID("6b6bafa8-7d3a-4d0f-8f0c-3f4a6a1f4a10"),
        ),
        Sample(
            "6B6BAFA87D3A4D0F8F0C3F4A6A1F4A10",
            "6B6BAFA87D3A4D0F8F0C3F4A6A1F4A10",
            uuid.UUID("6b6bafa8-7d3a-4d0f-8f0c-3f4a6a1f4a10"),
        ),
    ),
    Kind.ENUM: (Sample("red", "red", Colour.RED), Sample("green", "green", Colour.GREEN)),
}
"""Two values of each kind that can be compared."""


def values_of(kind: Kind) -> st.SearchStrategy[Any]:
    """Every value of *kind* that a store may hold."""
    return _VALUES[kind]


_STORABLE_TEXT: Final = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"))
_VALUES: Final[Mapping[Kind, st.SearchStrategy[Any]]] = {
    Kind.TEXT: _STORABLE_TEXT,
    Kind.INTEGER: st.integers(-(2**63), 2**63 - 1),
    Kind.DECIMAL: st.decimals(
        allow_nan=False, allow_infinity=False, places=4, min_value=-1e10, max_value=1e10
    ),
    Kind.FLOAT: st.floats(allow_nan=False, allow_infinity=False),
    Kind.BOOLEAN: st.booleans(),
    Kind.DATE: st.dates(),
    Kind.TIME: st.times(),
    Kind.DATETIME: st.datetimes(timezones=st.just(UTC)),
    Kind.DURATION: st.timedeltas(),
    Kind.UUID: st.uuids(),
    Kind.ENUM: st.sampled_from(Colour),
}


def any_text() -> st.SearchStrategy[str]:
    """Any text at all, half characters included."""
    return st.text(st.characters(exclude_categories=()))


def any_json() -> st.SearchStrategy[Any]:
    """Whatever a parser of JSON may answer, exact numbers included."""
    scalars = (
        st.none()
        | st.booleans()
        | st.integers()
        | st.floats()
        | st.decimals(allow_nan=False)
        | any_text()
        | st.sampled_from(_WORDS)
    )
    names = any_text() | st.sampled_from(_WORDS)
    return st.recursive(
        scalars,
        lambda inner: st.lists(inner, max_size=4) | st.dictionaries(names, inner, max_size=4),
        max_leaves=12,
    )


_WORDS: Final = (
    *("where", "q", "sort", "fields", "include", "limit", "offset", "cursor", "count", "and", "or", "not"),
    *(kind.value for kind in Kind),
    *(
        "integer__in",
        "text__icontains",
        "datetime__between",
        "array__has_all",
        "json__isnull",
        "size",
        "-text",
    ),
    *("1", "-1", "true", "null", "NaN", "1e999", "9" * 40, "2026-02-30", "P", "{}", "[]", "{", '{"and": []}'),
)


def any_word() -> st.SearchStrategy[str]:
    """Text that now and then means something in a query."""
    return st.sampled_from(_WORDS) | any_text()
