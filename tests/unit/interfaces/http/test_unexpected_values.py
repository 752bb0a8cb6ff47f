"""A stored value that its field cannot hold is shown as stored, and cursors and queries may name it."""

import dataclasses
import datetime
import json
from collections.abc import Mapping
from typing import Any, Final

import pytest
from pydantic import BaseModel

from fastapi_easy.application.queries.cursor_signer import CursorSigner
from fastapi_easy.application.queries.key_codec import KeyCodec
from fastapi_easy.domain import Cursor, Field, Kind, Query, Resource, Row, Rows, Schemas, Shape, Sort, Success
from fastapi_easy.domain.values.kind_format import ParseError
from fastapi_easy.domain.values.plain_json import to_plain_json
from fastapi_easy.domain.values.unexpected import UnexpectedValue
from fastapi_easy.domain.values.value_parsing import parse_value, read_text
from fastapi_easy.interfaces.formats.csv_cells import record_columns, record_writer
from fastapi_easy.interfaces.formats.csv_columns import ColumnWriter
from fastapi_easy.interfaces.formats.encode import encoder_of
from fastapi_easy.testing.resources import resource_from

FIELDS: Final = tuple(Field(name=kind.value, kind=kind) for kind in Kind if kind is not Kind.ENUM)
SHOWN: Final = ("infinity", "", 2.5, 7, True, [1, None], {"a": ["b"]})
OTHER: Final = Field(name="due", kind=Kind.DATE, other_values="-?infinity|[0-9]{5,}-[0-9]{2}-[0-9]{2}")


def resource_of(*fields: Field, **options: Any) -> Resource[Any]:
    key = Field(name="id", kind=Kind.INTEGER, other_values="[a-z]+")
    return resource_from(Shape(fields=(key, *fields), key=("id",)), "things", object, **options)


@pytest.mark.parametrize("shown", SHOWN, ids=repr)
def test_a_value_of_any_kind_is_shown_as_it_is_stored(shown: object) -> None:
    encoder = encoder_of(resource_of(*FIELDS))
    row = Row({"id": 1} | {field.name: UnexpectedValue(shown) for field in FIELDS})
    wanted = {"id": 1} | {field.name: shown for field in FIELDS}
    assert json.loads(encoder.row(row)) == wanted
    assert json.loads(encoder.page([row], None, None, None))["items"] == [wanted]
    assert json.loads(encoder.lines([row], None)) == wanted


@pytest.mark.parametrize("field", FIELDS, ids=lambda field: field.name)
def test_rows_as_the_store_gives_them_may_hold_one(field: Field) -> None:
    resource = resource_of(field)
    records = [(1, None), (2, UnexpectedValue("infinity"))]
    wanted = [{"id": 1, field.name: None}, {"id": 2, field.name: "infinity"}]
    encoder, cells = encoder_of(resource), ColumnWriter(resource, ("id", field.name))
    assert json.loads(encoder.page(Rows(("id", field.name), records), None, None, None))["items"] == wanted
    lines = encoder.lines(Rows(("id", field.name), records), None).splitlines()
    assert [json.loads(line) for line in lines] == wanted
    cell = b'"""infinity"""' if field.kind in {Kind.JSON, Kind.ARRAY} else b"infinity"
    # `None` is for the slower way, which makes a row of each record.
    assert cells(Rows(("id", field.name), records)) in {None, b"1,\r\n2," + cell + b"\r\n"}


def test_a_read_model_does_not_turn_a_page_into_an_error() -> None:
    class Shown(BaseModel):
        id: int
        due: datetime.date

    encoder = encoder_of(resource_of(OTHER, schemas=Schemas(read=Shown)))
    assert json.loads(encoder.row(Row(id=1, due=UnexpectedValue("infinity")))) == {"id": 1, "due": "infinity"}
    assert json.loads(encoder.row(Row(id=1, due=datetime.date(2026, 1, 2)))) == {"id": 1, "due": "2026-01-02"}


def test_a_cell_of_csv_holds_what_is_shown() -> None:
    resource = resource_of(OTHER, Field(name="count", kind=Kind.INTEGER))
    columns: Mapping[str, Field | None] = {name: resource.fields[name] for name in ("due", "count")}
    assert record_columns(resource)
    encoded = encoder_of(resource).row(Row(id=1, due=UnexpectedValue("infinity"), count=5))
    assert record_writer(columns)(encoded) == "infinity,5\r\n"


@pytest.mark.parametrize("number", ["1e400", "12345678901234567890123", "1.0", "-0", "0.10"])
def test_a_cell_of_csv_holds_numbers_of_documents_as_they_are_spelt(number: str) -> None:
    columns = {"document": Field(name="document", kind=Kind.JSON)}
    written = record_writer(columns)(b'{"document": {"a": [%b]}}' % number.encode())
    assert written == f'"{{""a"":[{number}]}}"\r\n'


@pytest.mark.parametrize("shown", SHOWN, ids=repr)
def test_a_cursor_carries_it(shown: object) -> None:
    signer = CursorSigner(resource_of(OTHER), b"s" * 32)
    query, cursor = Query(order=(Sort("due"),)), Cursor((UnexpectedValue(shown), 1))
    assert signer.verify(signer.sign(cursor, query, None), query, None) == Success(cursor)
    assert signer.check(cursor, query) == Success(cursor)


@pytest.mark.parametrize("text", ["infinity", "-infinity", "12000-01-01"])
def test_a_query_names_it_where_the_field_may_hold_it(text: str) -> None:
    assert read_text(OTHER, text) == parse_value(OTHER, text) == UnexpectedValue(text)
    assert parse_value(OTHER, UnexpectedValue(text)) == UnexpectedValue(text)


@pytest.mark.parametrize(
    "text", ["Infinity", "infinity ", "infinit", "2026-02-31", "", "\u0661" + "2000-01-01"]
)
def test_any_other_text_is_refused_as_before(text: str) -> None:
    plain = dataclasses.replace(OTHER, other_values=None)
    for field, value in ((OTHER, text), (plain, "infinity"), (plain, UnexpectedValue("infinity"))):
        with pytest.raises(ParseError):
            _ = parse_value(field, value)
    with pytest.raises(ParseError):
        _ = read_text(OTHER, text)


def test_a_key_may_be_one() -> None:
    codec = KeyCodec(resource_of())
    assert codec.read("abc") == Success(UnexpectedValue("abc"))
    assert codec.read("7") == Success(7)
    assert codec.write(UnexpectedValue("abc")) == "abc"


def test_a_journal_holds_what_is_shown() -> None:
    assert to_plain_json({"due": UnexpectedValue("infinity")}) == {"due": "infinity"}


def test_two_are_equal_when_the_same_is_shown() -> None:
    assert UnexpectedValue(1) == UnexpectedValue(1) != UnexpectedValue(True)
    assert UnexpectedValue("1") != UnexpectedValue(1)
    assert UnexpectedValue([1]) != [1]
    assert hash(UnexpectedValue([1])) == hash(UnexpectedValue([1]))
