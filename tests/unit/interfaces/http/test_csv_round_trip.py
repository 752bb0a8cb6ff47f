"""What is exported as CSV is imported as it was, value by value."""

import dataclasses
import datetime
import functools
import json
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from fastapi_easy.domain import Field, Kind, Resource, Row, Rows, Shape
from fastapi_easy.infrastructure.validation import PydanticValidator
from fastapi_easy.interfaces.formats.csv_cells import RecordReader, record_columns, record_writer
from fastapi_easy.interfaces.formats.csv_columns import ColumnWriter
from fastapi_easy.interfaces.formats.encode import encoder_of
from fastapi_easy.interfaces.http.operations.export_endpoint import columns_of
from fastapi_easy.testing.resources import resource_from
from tests.unit.interfaces.http.library import Colour
from tests.unit.interfaces.http.test_csv_text import read
from tests.unit.interfaces.http.test_encode import Mood, Size

TEXT = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), max_size=8) | st.sampled_from(
    ["", " ", '""', "null", "true", "1", "[]", ",", "\r\n"]
)
INTEGER = st.integers(-(2**63), 2**63 - 1)
FLOAT = st.floats(allow_nan=False, allow_infinity=False)
DECIMAL = st.decimals(allow_nan=False, allow_infinity=False, places=2, min_value=-999, max_value=999)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | FLOAT | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=6,
)
KINDS: dict[str, tuple[Field, st.SearchStrategy[Any]]] = {
    each.name: (dataclasses.replace(each, nullable=True), values)
    for each, values in [
        (Field(name="text", kind=Kind.TEXT), TEXT),
        (Field(name="integer", kind=Kind.INTEGER), INTEGER),
        (Field(name="decimal", kind=Kind.DECIMAL, precision=5, scale=2), DECIMAL),
        (Field(name="float", kind=Kind.FLOAT), FLOAT),
        (Field(name="boolean", kind=Kind.BOOLEAN), st.booleans()),
        (Field(name="date", kind=Kind.DATE), st.dates()),
        (Field(name="time", kind=Kind.TIME), st.times()),
        (Field(name="datetime", kind=Kind.DATETIME), st.datetimes(timezones=st.just(datetime.UTC))),
        (Field(name="duration", kind=Kind.DURATION), st.timedeltas()),
        (Field(name="uuid", kind=Kind.UUID), st.uuids()),
        (Field(name="binary", kind=Kind.BINARY), st.binary(max_size=5)),
        (Field(name="colour", kind=Kind.ENUM, enumeration=Colour), st.sampled_from(Colour)),
        (Field(name="size", kind=Kind.ENUM, enumeration=Size), st.sampled_from(Size)),
        (Field(name="mood", kind=Kind.ENUM, enumeration=Mood), st.sampled_from(Mood)),
        (Field(name="json", kind=Kind.JSON), JSON),
        (Field(name="texts", kind=Kind.ARRAY, item=Kind.TEXT), st.lists(TEXT, max_size=3)),
        (Field(name="decimals", kind=Kind.ARRAY, item=Kind.DECIMAL), st.lists(DECIMAL, max_size=3)),
        (Field(name="times", kind=Kind.ARRAY, item=Kind.TIME), st.lists(st.times(), max_size=3)),
    ]
}


@functools.cache
def resource_of(*names: str) -> Resource[Any]:
    key = Field(name="key", kind=Kind.INTEGER, generated=True)
    return resource_from(
        Shape(fields=(key, *(KINDS[name][0] for name in names)), key=("key",)), "things", object
    )


THINGS = resource_of(*KINDS)


def written(resource: Resource[Any], names: tuple[str, ...], row: dict[str, Any], way: str) -> bytes:
    """The record of *row*, as one of the ways to write it has it."""
    if way == "a row":
        record = record_writer(columns_of(resource, names))
        return record(encoder_of(resource).row(Row(row), names)).encode()
    spells_json = way == "columns, JSON as the store spells it"
    texts = {"json": json.loads} if spells_json and "json" in names else {}
    values = [
        json.dumps(row[name], ensure_ascii=False) if name in texts and row[name] is not None else row[name]
        for name in names
    ]
    body = ColumnWriter(resource, names)(Rows(names, [tuple(values)], texts))
    assert body is not None
    return body


def imported(resource: Resource[Any], names: tuple[str, ...], body: bytes) -> Any:
    """The values that an import makes of the record *body*."""
    (record,) = read(body, longest=10**9)
    document = RecordReader(names, record_columns(resource))(record.cells).unwrap()
    return validator_of(resource).create(document).unwrap()


@functools.cache
def validator_of(resource: Resource[Any]) -> PydanticValidator:
    return PydanticValidator(resource)


EMPTY = {"text": "", "binary": b""}
WAYS = ("a row", "columns", "columns, JSON as the store spells it")


@pytest.mark.parametrize("way", WAYS)
@given(row=st.fixed_dictionaries({name: st.none() | values for name, (_, values) in KINDS.items()}))
@example(row=dict.fromkeys(KINDS))
@example(row=dict.fromkeys(KINDS) | {"json": "", "text": "", "binary": b"", "texts": [""]})
@example(row=dict.fromkeys(KINDS) | {"json": "null", "text": "null", "texts": ["null"], "times": []})
@example(row=dict.fromkeys(KINDS) | {"json": {"": [None, "", "null", {}, []]}, "decimals": []})
@example(row=dict.fromkeys(KINDS) | {"json": False, "float": -0.0, "integer": 0})
def test_values_of_every_kind_come_back(way: str, row: dict[str, Any]) -> None:
    names = tuple(KINDS)

    values = imported(THINGS, names, written(THINGS, names, row, way))

    assert {name: values[name] for name in names} == row


@pytest.mark.parametrize("name", KINDS)
@given(way=st.sampled_from(WAYS), data=st.data())
def test_the_only_value_of_a_record_comes_back(way: str, name: str, data: st.DataObject) -> None:
    resource, row = resource_of(name), {name: data.draw(st.none() | KINDS[name][1])}

    values = imported(resource, (name,), written(resource, (name,), row, way))

    # A record is never a blank line, so null alone is `""`, which is an empty text where there are any.
    assert values[name] == (EMPTY.get(name) if row[name] is None else row[name])
