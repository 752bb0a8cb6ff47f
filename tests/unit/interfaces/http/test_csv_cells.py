"""The cells of CSV are the values of fields: those of an export make the same entities again."""

import dataclasses
from collections.abc import Callable, Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel

from fastapi_easy.domain import (
    Failure,
    Fault,
    Field,
    Invalid,
    Kind,
    Outcome,
    Resource,
    Schemas,
    Success,
    Values,
)
from fastapi_easy.infrastructure.validation import PydanticValidator
from fastapi_easy.interfaces.formats.csv_cells import (
    RecordReader,
    find_header_faults,
    record_columns,
    record_writer,
)
from fastapi_easy.interfaces.formats.csv_text import Cell
from fastapi_easy.interfaces.formats.encode import encoder_of
from fastapi_easy.interfaces.http.operations.export_endpoint import columns_of
from fastapi_easy.testing.strategies.values import values as values_of
from tests.unit.interfaces.http.library import VALUES, book_resource
from tests.unit.interfaces.http.test_csv_text import read

BOOKS = book_resource(readable=book_resource().writable)
NAMES = BOOKS.writable


def reader(
    header: tuple[str, ...] = NAMES, resource: Resource[Any] = BOOKS
) -> Callable[[Sequence[Cell]], Outcome[Values]]:
    """Makes of a record what an import of it would store."""
    read = RecordReader(header, record_columns(resource))
    check = PydanticValidator(resource).create

    def values(cells: Sequence[Cell]) -> Outcome[Values]:
        document = read(cells)
        return document if isinstance(document, Failure) else check(document.unwrap())

    return values


def cells_of(row: dict[str, Any], resource: Resource[Any] = BOOKS) -> list[Cell]:
    """The cells of *row*, as they come back from a file."""
    answer = encoder_of(resource).row(row)
    (record,) = read(record_writer(columns_of(resource, NAMES))(answer).encode(), cut=7, longest=100_000)
    return list(record.cells)


def _any_value(field: Field) -> st.SearchStrategy[Any]:
    # The price has a rule that strategies do not know.
    made = values_of(field).map(abs) if field.name == "price" else values_of(field)
    return made | st.none() if field.nullable else made


@given(st.fixed_dictionaries({name: _any_value(BOOKS.fields[name]) for name in NAMES}))
def test_what_is_exported_is_imported_as_it_was(row: dict[str, Any]) -> None:
    assert reader()(cells_of(row)) == Success(row)


def test_a_cell_is_spelt_as_in_a_query_string() -> None:
    assert dict(zip(NAMES, cells_of(VALUES), strict=True)) == {
        "title": "Everything",
        "price": "12.50",
        "pages": "7",
        "note": "a note",
        "rating": "4.5",
        "in_print": "false",
        "published": "2026-11-23",
        "opens": "08:30:00",
        "added": "2026-11-23T08:30:00.000001Z",
        "reading_time": "P1DT2H",
        "code": "5f0c7c0d-9f9b-4f0f-8a7d-2f4b3c1e6a90",
        "cover": "AAH/",
        "colour": "blue",
        "extra": '{"a":[1,2.5,null]}',
        "tags": '["x","y"]',
    }


@pytest.mark.parametrize(
    ("name", "cell", "expected"),
    [
        pytest.param("note", None, {"note": None}, id="nothing, nullable text"),
        pytest.param("note", "", {"note": ""}, id="empty text, nullable text"),
        pytest.param("rating", None, {"rating": None}, id="nothing, nullable number"),
        pytest.param("rating", "", {"rating": None}, id="empty text, nullable number"),
        pytest.param("pages", None, {}, id="nothing, default"),
        pytest.param("colour", None, {}, id="nothing, enumeration with a default"),
        pytest.param("tags", None, {}, id="nothing, array with a default"),
        pytest.param("extra", "null", {"extra": None}, id="null in JSON"),
        pytest.param("in_print", "1", {"in_print": True}, id="one for true"),
        pytest.param("added", "2026-11-23T09:30:00+01:00", {}, id="another offset"),
    ],
)
def test_an_empty_cell_is_null_or_left_out(name: str, cell: Cell, expected: dict[str, Any]) -> None:
    given_values = reader(("title", "price", name))(["Ada", "1", cell]).unwrap()

    if expected or cell is None:
        assert {key: value for key, value in given_values.items() if key == name} == expected
    else:
        assert given_values["added"] == VALUES["added"].replace(microsecond=0)


def test_an_empty_cell_of_text_that_must_be_given_is_empty_text() -> None:
    label = Field(name="label", kind=Kind.TEXT)
    resource = dataclasses.replace(BOOKS, fields={**BOOKS.fields, "label": label}, writable=("label",))

    assert reader(("label",), resource)([None]) == Success({"label": ""})


@pytest.mark.parametrize(
    ("name", "cell", "code"),
    [
        ("pages", "7.0", "integer_parsing"),
        ("pages", str(2**63), "out_of_range"),
        ("rating", "inf", "float_parsing"),
        ("in_print", "yes", "boolean_parsing"),
        ("price", "1e3", "decimal_parsing"),
        ("price", "-1", "greater_than_equal"),
        ("published", "23.11.2026", "date_parsing"),
        ("added", "2026-11-23T08:30:00", "timezone_aware"),
        ("colour", "green", "enum"),
        ("code", "x", "uuid_parsing"),
        ("cover", "?", "base64"),
        ("extra", "{", "json_invalid"),
        ("tags", "[1]", "string_type"),
        ("note", "\x00", "unsafe_text"),
        ("note", "x" * 101, "string_too_long"),
    ],
)
def test_a_cell_that_cannot_be_read_is_named(name: str, cell: str, code: str) -> None:
    refused = reader(("title", name) if name == "price" else ("title", "price", name))(
        ["Ada", cell] if name == "price" else ["Ada", "1", cell]
    )

    assert isinstance(refused, Failure)
    error = refused.failure()
    assert isinstance(error, Invalid)
    assert [(each.pointer.split("/")[1], each.code) for each in error.faults] == [(name, code)]


def test_a_record_with_another_number_of_cells_is_refused() -> None:
    expected = Fault("", "Must have 2 cells, as many as the first line", "csv_cells")

    assert reader(("title", "price"))(["Ada"]) == Failure(Invalid((expected,)))


def test_the_first_line_names_fields_that_can_be_written_each_once() -> None:
    columns = record_columns(BOOKS)

    assert find_header_faults(("title", "price"), columns) == ()
    assert [
        (each.pointer, each.code)
        for each in find_header_faults(("id", "titel", None, "note", "note"), columns)
    ] == [
        ("/id", "extra_forbidden"),
        ("/titel", "extra_forbidden"),
        ("/", "extra_forbidden"),
        ("/note", "duplicate_name"),
    ]
    assert "did you mean 'title'" in find_header_faults(("titel",), columns)[0].message
    assert find_header_faults(("title;note",), columns) == (
        Fault("", "Cells must be separated by commas, not by ';'", "csv_header"),
    )


def test_a_model_of_ones_own_says_what_may_be_named() -> None:
    class NewBook(BaseModel):
        title: str
        pages: int = 3

    resource = dataclasses.replace(BOOKS, schemas=Schemas(create=NewBook))

    assert set(record_columns(resource)) == {"title", "pages"}
    assert reader(("pages", "title"), resource)([None, "Ada"]) == Success({"title": "Ada", "pages": 3})
