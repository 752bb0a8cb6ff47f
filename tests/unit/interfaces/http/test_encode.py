"""Rows are written byte for byte as pydantic writes the read schema."""

import dataclasses
import datetime
import enum
import json
import math
import uuid
from collections.abc import Callable
from decimal import Decimal
from typing import Any, TypeAlias

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, TypeAdapter, computed_field
from pydantic_core import from_json

from fastapi_easy.domain import Field, Json, Kind, Resource, Row, Rows, Schemas, Shape, Success
from fastapi_easy.infrastructure.validation import PydanticValidator
from fastapi_easy.interfaces.formats.encode import dumps, encoder_of
from fastapi_easy.interfaces.formats.schemas import answer_of
from fastapi_easy.testing.resources import resource_from
from tests.unit.interfaces.http.library import READABLE, VALUES, Colour, book_resource

ROW = Row({"id": 1, "secret": "hidden", **VALUES})

TEXT = st.text(st.characters(exclude_categories=["Cs"]))
FLOATS = st.floats(allow_nan=False, allow_infinity=False)
DECIMALS = st.decimals(allow_nan=False, allow_infinity=False)
JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=6,
)


class Size(enum.IntEnum):
    SMALL = 1
    LARGE = 2


class Mood(enum.StrEnum):
    GOOD = "gööd"


KINDS: dict[str, tuple[Field, st.SearchStrategy[Any]]] = {
    each.name: (each, values)
    for each, values in [
        (Field(name="text", kind=Kind.TEXT), TEXT),
        (Field(name="integer", kind=Kind.INTEGER), st.integers()),
        (Field(name="decimal", kind=Kind.DECIMAL), DECIMALS),
        (Field(name="float", kind=Kind.FLOAT), FLOATS),
        (Field(name="boolean", kind=Kind.BOOLEAN), st.booleans()),
        (Field(name="date", kind=Kind.DATE), st.dates()),
        (Field(name="time", kind=Kind.TIME), st.times()),
        (Field(name="datetime", kind=Kind.DATETIME), st.datetimes(timezones=st.just(datetime.UTC))),
        (Field(name="duration", kind=Kind.DURATION), st.timedeltas()),
        (Field(name="uuid", kind=Kind.UUID), st.uuids()),
        (Field(name="binary", kind=Kind.BINARY), st.binary()),
        (Field(name="colour", kind=Kind.ENUM, enumeration=Colour), st.sampled_from(Colour)),
        (Field(name="size", kind=Kind.ENUM, enumeration=Size), st.sampled_from(Size)),
        (Field(name="mood", kind=Kind.ENUM, enumeration=Mood), st.sampled_from(Mood)),
        (Field(name="json", kind=Kind.JSON), JSON),
        (
            Field(name="array", kind=Kind.ARRAY, item=Kind.DECIMAL),
            st.lists(DECIMALS),
        ),
        (Field(name="null", kind=Kind.DECIMAL, nullable=True), st.none()),
    ]
}
RESOURCE = resource_from(
    Shape(fields=tuple(field for field, _ in KINDS.values()), key=("text",)), "things", object
)
Texts: TypeAlias = dict[str, Callable[[str], Any]]
TEXTS: Texts = {"json": json.loads, "decimal": Decimal, "null": Decimal}
READ: TypeAdapter[Any] = TypeAdapter(answer_of(RESOURCE, "Thing"))


@given(st.fixed_dictionaries({name: values for name, (_, values) in KINDS.items()}))
def test_is_what_pydantic_writes(values: dict[str, Any]) -> None:
    assert encoder_of(RESOURCE).row(Row(values)) == READ.dump_json({name: values[name] for name in KINDS})


@given(st.lists(st.fixed_dictionaries({name: values for name, (_, values) in KINDS.items()}), max_size=3))
def test_a_page_holds_what_pydantic_writes(rows: list[dict[str, Any]]) -> None:
    page = encoder_of(RESOURCE).page([Row(row) for row in rows], None, None, None)

    items = b",".join(READ.dump_json({name: row[name] for name in KINDS}) for row in rows)
    assert page == b'{"items":[' + items + b'],"total":null,"next_cursor":null}'


@st.composite
def unseen(draw: st.DrawFn) -> tuple[Resource[Any], tuple[str, ...], list[dict[str, Any]], Texts]:
    """Any derived read model, any choice of its fields, any rows, and which of it is still text."""
    names = draw(st.lists(st.sampled_from([*KINDS]), unique=True, min_size=1))
    shown = tuple(draw(st.permutations(draw(st.lists(st.sampled_from(names), unique=True, min_size=1)))))
    fields = [dataclasses.replace(KINDS[name][0], nullable=True) for name in names]
    key = Field(name="key", kind=Kind.INTEGER)
    readable = tuple(names) if draw(st.booleans()) else ("key", *names)
    resource = resource_from(Shape(fields=(key, *fields), key=("key",)), "things", object, readable=readable)
    if draw(st.booleans()):
        shown = readable
    values = {name: st.none() | KINDS[name][1] for name in names} | {"key": st.integers(0, 9)}
    rows = draw(st.lists(st.fixed_dictionaries({name: values[name] for name in shown}), max_size=4))
    texts = {name: read for name, read in TEXTS.items() if name in shown and draw(st.booleans())}
    return resource, shown, rows, texts


def spelt(value: Any) -> str | None:
    """As PostgreSQL spells it."""
    if isinstance(value, Decimal):
        return format(value, "f")
    return None if value is None else json.dumps(value, ensure_ascii=False)


@given(unseen())
def test_rows_nobody_has_looked_at_are_written_as_pydantic_writes_them(
    drawn: tuple[Resource[Any], tuple[str, ...], list[dict[str, Any]], Texts],
) -> None:
    resource, shown, rows, texts = drawn
    records = [
        (*(spelt(row[name]) if name in texts else row[name] for name in shown), "no part of it")
        for row in rows
    ]
    page = encoder_of(resource).page(Rows(shown, records, texts), shown, 3, "next")

    pieces = Shape(fields=tuple(resource.fields[name] for name in shown), key=shown[:1])
    read: TypeAdapter[Any] = TypeAdapter(answer_of(resource_from(pieces, "things", object), "Thing"))
    items = b",".join(read.dump_json({name: row[name] for name in shown}) for row in rows)
    expected = b'{"items":[' + items + b'],"total":3,"next_cursor":"next"}'
    if "json" in texts:
        # What the store spelt is passed through as it is.
        assert json.loads(page) == json.loads(expected)
    else:
        assert page == expected


@given(unseen(), st.booleans())
def test_lines_are_the_items_of_a_page(
    drawn: tuple[Resource[Any], tuple[str, ...], list[dict[str, Any]], Texts], looked_at: bool
) -> None:
    resource, shown, rows, texts = drawn
    records = [tuple(spelt(row[name]) if name in texts else row[name] for name in shown) for row in rows]
    given = Rows(shown, records, texts)
    if looked_at:
        _ = list(given)
    encoder = encoder_of(resource)

    lines = encoder.lines(given, shown)

    page = encoder.page(given, shown, None, None)
    assert b'{"items":[' + b",".join(lines.splitlines()) + b'],"total":null,"next_cursor":null}' == page
    assert lines.count(b"\n") == len(rows)
    assert (given.records is None) == looked_at or not rows or _is_beyond_orjson(rows)


def _is_beyond_orjson(rows: list[dict[str, Any]]) -> bool:
    return any(type(value) is int and not -(2**63) <= value < 2**64 for row in rows for value in row.values())


def test_what_a_store_spelt_is_passed_through_byte_for_byte() -> None:
    fields = (Field(name="id", kind=Kind.INTEGER), Field(name="json", kind=Kind.JSON))
    resource = resource_from(Shape(fields=fields, key=("id",)), "things", object)
    rows = Rows(("id", "json"), [(1, '{"b": 1.50,  "a": [1E3]}'), (2, None)], {"json": json.loads})

    page = encoder_of(resource).page(rows, None, None, None)

    expected = b'[{"id":1,"json":{"b": 1.50,  "a": [1E3]}},{"id":2,"json":null}]'
    assert page == b'{"items":' + expected + b',"total":null,"next_cursor":null}'


def test_what_was_changed_in_rows_is_written() -> None:
    fields = (Field(name="id", kind=Kind.INTEGER), Field(name="json", kind=Kind.JSON))
    resource = resource_from(Shape(fields=fields, key=("id",)), "things", object)
    rows = Rows(("id", "json"), [(1, '{"a": 1}')], {"json": json.loads})
    rows[0]["json"]["a"] = 2

    page = encoder_of(resource).page(rows, None, None, None)

    assert from_json(page)["items"] == [{"id": 1, "json": {"a": 2}}]


@given(st.timedeltas())
def test_a_duration_is_read_back(length: datetime.timedelta) -> None:
    resource = resource_from(
        Shape(
            fields=(Field(name="id", kind=Kind.INTEGER), Field(name="length", kind=Kind.DURATION)),
            key=("id",),
        ),
        "things",
        object,
    )
    written = from_json(encoder_of(resource).row(Row({"id": 1, "length": length})))

    assert PydanticValidator(resource).create(Json(written)) == Success({"id": 1, "length": length})


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_a_float_that_is_no_number_is_null(value: float) -> None:
    assert dumps({"a": value}) == b'{"a":null}'


def test_nothing_outside_the_read_schema_leaves() -> None:
    encoder = encoder_of(book_resource())

    for body in (encoder.row(ROW), encoder.page([ROW], None, 1, "next"), encoder.row(ROW, ("title",))):
        assert b"hidden" not in body
    assert list(from_json(encoder.row(ROW))) == list(READABLE)


def test_chosen_fields_come_in_their_order() -> None:
    assert encoder_of(book_resource()).row(ROW, ("price", "id")) == b'{"price":"12.50","id":1}'


@pytest.mark.parametrize(
    ("value", "written"),
    [
        pytest.param(Decimal("1E+3"), '"1000"', id="no exponent"),
        pytest.param(Decimal("0.10"), '"0.10"', id="the zeros stay"),
        pytest.param(
            datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC), '"2026-01-01T00:00:00Z"', id="UTC is Z"
        ),
        pytest.param(b"\xff\xfe", '"//4="', id="the ordinary base64"),
        pytest.param(datetime.timedelta(days=-1), '"-P1D"', id="a duration back"),
        pytest.param(
            datetime.timedelta(days=3634, seconds=3661, microseconds=500_000),
            '"P3634DT1H1M1.5S"',
            id="no years",
        ),
        pytest.param(datetime.timedelta(), '"PT0S"', id="no time at all"),
        pytest.param(2**70, str(2**70), id="a large integer"),
        pytest.param(uuid.UUID(int=1), '"00000000-0000-0000-0000-000000000001"', id="UUID"),
    ],
)
def test_is_written_for_people_too(value: Any, written: str) -> None:
    assert dumps(value).decode() == written


class OwnRead(BaseModel):
    title: str
    price: Decimal

    @computed_field
    def label(self) -> str:
        return f"{self.title}: {self.price}"


def test_a_read_model_of_the_users_own_is_followed() -> None:
    encoder = encoder_of(book_resource(schemas=Schemas(read=OwnRead)))

    assert from_json(encoder.row(ROW)) == {
        "title": "Everything",
        "price": "12.50",
        "label": "Everything: 12.50",
    }
    assert encoder.row(ROW, ("title",)) == b'{"title":"Everything"}'
    assert encoder.page([Row({"title": "x"})], ("title",), None, None).startswith(b'{"items":[{"title":"x"}]')
