"""Records that are written column by column are those that are written one by one."""

import json
from typing import Any

import orjson
from hypothesis import given

from fastapi_easy.domain import Field, Kind, Resource, Rows, Shape
from fastapi_easy.interfaces.formats.csv_cells import record_writer
from fastapi_easy.interfaces.formats.csv_columns import ColumnWriter
from fastapi_easy.interfaces.formats.encode import encoder_of
from fastapi_easy.interfaces.http.operations.export_endpoint import columns_of
from fastapi_easy.testing.resources import resource_from
from tests.unit.interfaces.http.test_csv_text import read
from tests.unit.interfaces.http.test_encode import Texts, spelt, unseen

FIELDS = (
    Field(name="id", kind=Kind.INTEGER),
    Field(name="times", kind=Kind.ARRAY, item=Kind.TIME, nullable=True),
    Field(name="json", kind=Kind.JSON, nullable=True),
)
THINGS = resource_from(Shape(fields=FIELDS, key=("id",)), "things", object)


def one_by_one(resource: Resource[Any], shown: tuple[str, ...], rows: Rows) -> bytes:
    encoder, record = encoder_of(resource), record_writer(columns_of(resource, shown))
    return "".join(record(encoder.row(row, shown)) for row in rows).encode()


@given(unseen())
def test_records_are_those_of_rows_one_by_one(
    drawn: tuple[Resource[Any], tuple[str, ...], list[dict[str, Any]], Texts],
) -> None:
    resource, shown, rows, texts = drawn
    records = [
        (*(spelt(row[name]) if name in texts else row[name] for name in shown), "no part of it")
        for row in rows
    ]

    written = ColumnWriter(resource, shown)(Rows(shown, records, texts))

    if written is None:
        beyond = [
            row for row in rows if any(type(each) is int and abs(each) >= 2**63 for each in row.values())
        ]
        assert beyond or not rows
        return
    there = list(read(written, cut=1_000, longest=10**9))
    expected = list(read(one_by_one(resource, shown, Rows(shown, records, texts)), cut=1_000, longest=10**9))
    assert [_parsed(record.cells, shown, texts) for record in there] == [
        _parsed(record.cells, shown, texts) for record in expected
    ]
    if "json" not in texts:
        assert written == one_by_one(resource, shown, Rows(shown, records, texts))


def _parsed(cells: Any, shown: tuple[str, ...], texts: Texts) -> list[Any]:
    """*cells*, with what a store spelt read as JSON."""
    return [
        orjson.loads(cell) if name == "json" and name in texts and cell else cell
        for name, cell in zip(shown, cells, strict=True)
    ]


def test_what_a_store_spelt_is_passed_through() -> None:
    rows = Rows(("id", "json"), [(1, '{"b": 1.50,  "a": "x,y"}'), (2, None)], {"json": json.loads})

    written = ColumnWriter(THINGS, ("id", "json"))(rows)

    assert written == b'1,"{""b"": 1.50,  ""a"": ""x,y""}"\r\n2,\r\n'


def test_what_was_looked_at_or_holds_other_fields_is_not_written() -> None:
    write = ColumnWriter(THINGS, ("id",))
    seen = Rows(("id",), [(1,)])
    _ = list(seen)

    assert write(seen) is None
    assert write(Rows(("json",), [("{}",)])) is None
    assert write(Rows(("id",), [])) is None


def test_a_record_of_nothing_is_no_blank_line() -> None:
    written = ColumnWriter(THINGS, ("times",))(Rows(("times",), [(None,)]))

    assert written == b'""\r\n'
