"""What declaring promises about fields that callers never write, about upserts, and about `stored_as`."""

from typing import Any

import pytest

from fastapi_easy.domain.changes.row import Row
from fastapi_easy.domain.field import Field, Kind
from fastapi_easy.domain.queries.specification import AnyOf, Everything, Operator, Where
from fastapi_easy.domain.resources.declaration import Declaration, declare
from fastapi_easy.domain.resources.options import EVERY_OPERATION, Fields, Operation, Version
from fastapi_easy.domain.resources.resource import Resource, Shape


class Book:
    """A book."""


class BookRow:
    """How it is stored."""


SHAPE = Shape(
    fields=(
        Field(name="id", kind=Kind.INTEGER, generated=True),
        Field(name="title", kind=Kind.TEXT),
        Field(name="isbn", kind=Kind.TEXT, unique=True),
        Field(name="shelf", kind=Kind.TEXT, nullable=True),
        Field(name="place", kind=Kind.INTEGER, nullable=True),
        Field(name="version", kind=Kind.INTEGER),
        Field(name="deleted_at", kind=Kind.DATETIME, nullable=True),
        Field(name="printed_at", kind=Kind.DATETIME),
    ),
    key=("id",),
    unique=(("isbn",), ("shelf", "place")),
)
WRITABLE = ("title", "isbn", "shelf", "place", "version", "deleted_at", "printed_at")


def declared(**options: Any) -> Resource[Book]:
    resource, mistakes = declare("books", Declaration(entity=Book, **options), SHAPE)
    assert mistakes == ()
    assert resource is not None
    return resource


def mistakes_of(**options: Any) -> list[str]:
    resource, mistakes = declare("books", Declaration(entity=Book, **options), SHAPE)
    assert resource is None
    return list(mistakes)


def without(*names: str) -> tuple[str, ...]:
    return tuple(name for name in WRITABLE if name not in names)


def test_unless_it_is_said_otherwise_nothing_is_kept():
    book = declared()

    assert (book.version, book.requires_version, book.soft_delete, book.upsert_by) == (None, False, None, ())
    assert (book.entity, book.stored, book.writable) == (Book, Book, WRITABLE)


@pytest.mark.parametrize(
    ("version", "field", "required"),
    [
        pytest.param("version", "version", False, id="a name"),
        pytest.param(Version(field="version"), "version", False, id="all about it"),
        pytest.param(Version(field="version", required=True), "version", True, id="required"),
        pytest.param(Version(required=True), None, True, id="required of a fingerprint"),
    ],
)
def test_a_version_is_kept_by_the_store(version, field, required):
    book = declared(version=version)

    assert (book.version, book.requires_version) == (field, required)
    assert book.writable == book.changeable == without(str(field))
    assert all(name in book.readable for name in ("version", "title"))
    assert book.fields["version"].generated is (field is not None)


def test_with_a_field_the_version_of_a_row_is_what_it_holds():
    row = Row(id=1, title="a", version=7)

    assert declared(version="version").version_of(row) == "7"


def test_without_a_field_the_version_of_a_row_is_a_fingerprint_of_what_is_readable():
    book = declared(fields=Fields(read=("id", "title")))

    assert len(book.version_of(Row(id=1, title="a", version=7))) == 24
    assert book.version_of(Row(id=1, title="a", version=7)) == book.version_of(
        Row(id=1, title="a", version=8)
    )
    assert book.version_of(Row(id=1, title="a")) != book.version_of(Row(id=1, title="b"))


def test_deletion_is_marked_by_the_store():
    book = declared(soft_delete="deleted_at")

    assert book.soft_delete == "deleted_at"
    assert book.writable == book.changeable == without("deleted_at")
    assert book.alive == Where("deleted_at", Operator.IS_NULL, True)
    assert book.deleted == Where("deleted_at", Operator.IS_NULL, False)


def test_where_nothing_is_marked_everything_is_alive():
    book = declared()

    assert (book.alive, book.deleted) == (Everything(), AnyOf(()))


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        pytest.param(
            {"version": "versoin"},
            "books: version names 'versoin', which the entity does not have: did you mean 'version'?",
            id="a version that is not there",
        ),
        pytest.param(
            {"version": "title"},
            "books: version 'title' must be a whole number, not null and not in the key: change the field",
            id="a version that is text",
        ),
        pytest.param(
            {"version": "place"},
            "books: version 'place' must be a whole number, not null and not in the key: change the field",
            id="a version that may be null",
        ),
        pytest.param(
            {"version": "id"},
            "books: version 'id' must be a whole number, not null and not in the key: change the field",
            id="a version that is the key",
        ),
        pytest.param(
            {"version": "version", "fields": Fields(hidden=("version",))},
            "books: version 'version' must be readable: add it to fields.read, do not hide it",
            id="a version that is hidden",
        ),
        pytest.param(
            {"version": "version", "fields": Fields(read=("id",))},
            "books: version 'version' must be readable: add it to fields.read, do not hide it",
            id="a version that is not read",
        ),
        pytest.param(
            {"version": "version", "fields": Fields(write=("title", "isbn", "printed_at", "version"))},
            "books: fields.write names 'version', which callers cannot write: remove it",
            id="a version that callers write",
        ),
        pytest.param(
            {"soft_delete": "gone"},
            "books: soft_delete names 'gone', which the entity does not have: remove it",
            id="a mark that is not there",
        ),
        pytest.param(
            {"soft_delete": "shelf"},
            "books: soft_delete 'shelf' must be a time that may be null: change the field",
            id="a mark that is text",
        ),
        pytest.param(
            {"soft_delete": "printed_at"},
            "books: soft_delete 'printed_at' must be a time that may be null: change the field",
            id="a mark that may not be null",
        ),
        pytest.param(
            {"upsert": ("isbm",)},
            "books: upsert names 'isbm', which callers cannot write: did you mean 'isbn'?",
            id="upsert by what is not there",
        ),
        pytest.param(
            {"upsert": ("id",)},
            "books: upsert names 'id', which callers cannot write: remove it",
            id="upsert by what the store makes",
        ),
        pytest.param(
            {"upsert": ("title",)},
            "books: upsert names title, which has no unique constraint: declare it unique",
            id="upsert by what is not unique",
        ),
        pytest.param(
            {"upsert": ("shelf",)},
            "books: upsert names shelf, which has no unique constraint: declare it unique",
            id="upsert by half of what is unique",
        ),
        pytest.param(
            {"upsert": ("isbn", "title")},
            "books: upsert names isbn, title, which have no unique constraint together: declare them unique together",
            id="upsert by more than what is unique",
        ),
        pytest.param(
            {"operations": ("get", "restore")},
            "books: operations names 'restore', which needs soft_delete: declare it, or leave it out",
            id="restore without a mark",
        ),
        pytest.param(
            {"operations": ("get", "purge")},
            "books: operations names 'purge', which needs soft_delete: declare it, or leave it out",
            id="purge without a mark",
        ),
        pytest.param(
            {"operations": ("get", "upsert")},
            "books: operations names 'upsert', which needs upsert: declare it, or leave it out",
            id="upsert by nothing",
        ),
    ],
)
def test_contradictions(options, sentence):
    assert mistakes_of(**options) == [sentence]


@pytest.mark.parametrize("by", [("isbn",), ("shelf", "place"), ("place", "shelf")])
def test_an_upsert_goes_by_fields_that_are_unique_together(by):
    assert declared(upsert=by).upsert_by == by


WITHOUT_EVENTS = {*EVERY_OPERATION} - {Operation.CHANGES, Operation.HISTORY}
PLAIN = WITHOUT_EVENTS - {Operation.RESTORE, Operation.UPSERT}


@pytest.mark.parametrize(
    ("options", "operations"),
    [
        pytest.param({}, PLAIN, id="nothing"),
        pytest.param({"soft_delete": "deleted_at"}, WITHOUT_EVENTS - {Operation.UPSERT}, id="a mark"),
        pytest.param({"upsert": ("isbn",)}, WITHOUT_EVENTS - {Operation.RESTORE}, id="an upsert"),
        pytest.param({"events": True}, PLAIN | {Operation.CHANGES}, id="events"),
        pytest.param({"audit": True}, PLAIN | {Operation.HISTORY}, id="an audit trail"),
        pytest.param(
            {"soft_delete": "deleted_at", "operations": ("delete", "purge")},
            {Operation.DELETE, Operation.PURGE},
            id="a purge that was named",
        ),
    ],
)
def test_what_is_offered_follows_from_what_is_kept(options, operations):
    assert declared(**options).operations == operations


def test_an_entity_may_be_stored_as_another_class():
    book = declared(stored_as=BookRow)

    assert (book.entity, book.stored) == (Book, BookRow)
    assert book.description == "A book."
