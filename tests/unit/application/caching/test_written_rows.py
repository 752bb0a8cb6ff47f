"""What is kept comes back as it was: the same values of the same types, and so the same version."""

import datetime
import decimal
import enum
import json
import uuid
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fastapi_easy.application.caching.uncacheable import Uncacheable
from fastapi_easy.application.caching.written_rows import read_rows, write_rows
from fastapi_easy.domain import Field, Kind, Row, Rows, Shape
from fastapi_easy.domain.changes.row import PartialRow
from fastapi_easy.domain.changes.version import version_of
from fastapi_easy.domain.values.unexpected import UnexpectedValue
from fastapi_easy.testing.resources import resource_from


class Colour(enum.Enum):
    RED = "r"
    BLUE = 2


class Other(enum.Enum):
    RED = "r"


OFFSETS = (
    st.integers(-1439, 1439)
    .filter(bool)
    .map(lambda minutes: datetime.timezone(datetime.timedelta(minutes=minutes)))
)
ZONES = st.one_of(st.none(), st.just(datetime.UTC), OFFSETS)
JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False), st.text()),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)
VALUES: dict[Kind, st.SearchStrategy[Any]] = {
    Kind.TEXT: st.text(),
    Kind.INTEGER: st.integers(),
    Kind.DECIMAL: st.decimals(allow_nan=False),
    Kind.FLOAT: st.floats(allow_nan=False),
    Kind.BOOLEAN: st.booleans(),
    Kind.DATE: st.dates(),
    Kind.TIME: st.times().map(lambda time: time.replace(fold=0)),
    Kind.DATETIME: st.datetimes(timezones=ZONES).map(lambda moment: moment.replace(fold=0)),
    Kind.DURATION: st.timedeltas(),
    Kind.UUID: st.uuids(),
    Kind.BINARY: st.binary(),
    Kind.ENUM: st.sampled_from(Colour),
    Kind.JSON: JSON,
    Kind.ARRAY: st.lists(st.decimals(allow_nan=False), max_size=3),
}
FIELDS = [
    Field(name=f"a_{kind}", kind=kind, nullable=True, enumeration=Colour if kind is Kind.ENUM else None)
    for kind in Kind
]
ANYTHING = st.one_of(
    *(each for kind, each in VALUES.items() if kind is not Kind.ENUM), JSON.map(UnexpectedValue)
)
RESOURCE = resource_from(
    Shape(fields=(Field(name="id", kind=Kind.INTEGER), *FIELDS), key=("id",)), "things", dict
)


def moved(rows: Any) -> list[Row]:
    """The rows, after they were bytes."""
    return list(read_rows(json.loads(json.dumps(write_rows(rows, RESOURCE)).encode()), RESOURCE))


@pytest.mark.parametrize("kind", Kind)
@settings(max_examples=25)
@given(data=st.data())
def test_values_come_back_with_their_types_and_versions(kind: Kind, data: st.DataObject) -> None:
    name = f"a_{kind}"
    values = data.draw(st.lists(st.none() | VALUES[kind], max_size=3))
    rows = [Row({"id": number, name: value}) for number, value in enumerate(values)]

    back = moved(rows)

    assert repr(back) == repr(rows)
    assert [version_of(row, ("id", name)) for row in back] == [version_of(row, ("id", name)) for row in rows]


@settings(max_examples=50)
@given(st.lists(ANYTHING, max_size=4))
def test_values_of_many_types_in_one_column_come_back_as_they_were(values: list[Any]) -> None:
    rows = [Row(a_text=value) for value in values]

    assert repr(moved(rows)) == repr(rows)


@given(st.lists(st.tuples(st.integers(), st.decimals(allow_nan=False), st.text()), max_size=3))
def test_rows_that_nobody_has_looked_at_come_back_as_such(records: list[Any]) -> None:
    given_ = Rows(("a_integer", "a_decimal"), records)

    back = read_rows(json.loads(json.dumps(write_rows(given_, RESOURCE))), RESOURCE)

    assert isinstance(back, Rows)
    assert repr(back) == repr(Rows(("a_integer", "a_decimal"), records))


def test_a_row_of_which_its_caller_sees_a_part_keeps_the_version_of_the_whole() -> None:
    (back,) = moved([PartialRow({"id": 1}, "whole")])

    assert isinstance(back, PartialRow)
    assert (dict(back), back.full_version) == ({"id": 1}, "whole")


class Text(str):
    """A text of a library's own."""

    __slots__ = ()


@pytest.mark.parametrize(
    "value",
    [
        Text("x"),
        Other.RED,
        {1: "a name that is no text"},
        ("a", "tuple"),
        {"a set"},
        bytearray(b"x"),
        object(),
        datetime.datetime(2026, 1, 1, tzinfo=datetime.timezone(datetime.timedelta(0), "another UTC")),
        datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC, fold=1),
        [object()],
        UnexpectedValue(object()),
    ],
    ids=lambda value: type(value).__name__,
)
def test_what_would_come_back_as_something_else_is_not_kept(value: object) -> None:
    with pytest.raises(Uncacheable):
        _ = write_rows([Row(id=1, a_enum=value)], RESOURCE)


def test_rows_of_unlike_members_are_not_kept() -> None:
    with pytest.raises(Uncacheable):
        _ = write_rows([Row(id=1), Row(a_text="x")], RESOURCE)


def test_the_uuid_of_a_driver_comes_back_as_one_of_the_standard_library() -> None:
    class DriverUuid(uuid.UUID):
        pass

    made = DriverUuid(int=5)

    assert moved([Row(a_uuid=made)]) == [Row(a_uuid=uuid.UUID(int=5))]


def test_digits_of_decimals_are_kept() -> None:
    (back,) = moved([Row(a_decimal=decimal.Decimal("1.500"))])

    assert str(back.a_decimal) == "1.500"
