"""Shapes with relations: a small bookshop with a theatre.

Authors write books and teach other authors, books are reviewed and lent, and tickets are for seats. Books count
their changes, and are marked when they are deleted.
"""

from collections.abc import Mapping
from typing import Final

from fastapi_easy.domain.field import Field, Kind
from fastapi_easy.domain.queries.document_path import DocumentPath
from fastapi_easy.domain.resources.reference import Reference, ReferentialAction
from fastapi_easy.domain.resources.relation import Link, to_many, to_one
from fastapi_easy.domain.resources.resource import Shape

AUTHORS: Final = Shape(
    fields=(
        Field(name="id", kind=Kind.INTEGER, generated=True),
        Field(name="name", kind=Kind.TEXT, max_length=200),
        Field(name="country", kind=Kind.TEXT, nullable=True, max_length=64),
        Field(name="born", kind=Kind.DATE, nullable=True),
        Field(name="mentor_id", kind=Kind.INTEGER, nullable=True),
    ),
    key=("id",),
    links={
        "mentor": to_one("authors", by="mentor_id"),
        "pupils": to_many("authors", by="mentor_id"),
        "books": to_many("books", by="author_id"),
    },
    references=(
        Reference(
            fields=("mentor_id",), target="authors", remote=("id",), on_delete=ReferentialAction.SET_NULL
        ),
    ),
    table="authors",
)
"""Leads to itself, both ways."""

BOOKS: Final = Shape(
    fields=(
        Field(name="id", kind=Kind.INTEGER, generated=True),
        Field(name="title", kind=Kind.TEXT, max_length=200),
        Field(name="isbn", kind=Kind.TEXT, nullable=True, unique=True, max_length=64),
        Field(name="shelf", kind=Kind.TEXT, nullable=True, max_length=64),
        Field(name="place", kind=Kind.INTEGER, nullable=True),
        Field(name="author_id", kind=Kind.INTEGER, nullable=True),
        Field(name="price", kind=Kind.DECIMAL, nullable=True, precision=15, scale=4),
        Field(name="pages", kind=Kind.INTEGER, nullable=True),
        Field(name="version", kind=Kind.INTEGER, generated=True, default=1),
        Field(name="deleted_at", kind=Kind.DATETIME, nullable=True, generated=True),
    ),
    key=("id",),
    unique=(("isbn",), ("shelf", "place")),
    links={"author": to_one("authors", by="author_id"), "reviews": to_many("reviews", by="book_id")},
    references=(Reference(fields=("author_id",), target="authors", remote=("id",)),),
    table="books",
)
"""With a version and a mark of deletion; its unique rules hold among the books that are not deleted."""

REVIEWS: Final = Shape(
    fields=(
        Field(name="id", kind=Kind.INTEGER, generated=True),
        Field(name="book_id", kind=Kind.INTEGER),
        Field(name="rating", kind=Kind.INTEGER),
        Field(name="text", kind=Kind.TEXT, nullable=True, max_length=200),
    ),
    key=("id",),
    links={"book": to_one("books", by="book_id")},
    references=(Reference(fields=("book_id",), target="books", remote=("id",)),),
)
"""Each leads to one book that is there, though it may be deleted."""

TICKETS: Final = Shape(
    fields=(
        Field(name="id", kind=Kind.INTEGER, generated=True),
        Field(name="hall", kind=Kind.TEXT, nullable=True, max_length=64),
        Field(name="number", kind=Kind.INTEGER, nullable=True),
        Field(name="price", kind=Kind.DECIMAL, nullable=True, precision=15, scale=4),
    ),
    key=("id",),
    links={"seat": to_one("seats", by=("hall", "number"))},
    references=(Reference(fields=("hall", "number"), target="seats", remote=("hall", "number")),),
)
"""Leads by two fields together; nowhere when one of them is null."""

LOANS: Final = Shape(
    fields=(
        Field(name="id", kind=Kind.INTEGER, generated=True),
        Field(name="book_id", kind=Kind.INTEGER),
        Field(name="reader_id", kind=Kind.INTEGER, nullable=True),
        Field(name="deposit_id", kind=Kind.TEXT, nullable=True, max_length=64),
    ),
    key=("id",),
    links={
        "book": to_one("books", by="book_id"),
        "reader": to_one("authors", by="reader_id"),
        "deposit": Link(target="notes", many=False, local=("deposit_id",), remote=("code",)),
    },
    references=(
        Reference(fields=("book_id",), target="books", remote=("id",), on_delete=ReferentialAction.CASCADE),
        Reference(
            fields=("reader_id",), target="authors", remote=("id",), on_delete=ReferentialAction.SET_NULL
        ),
        Reference(fields=("deposit_id",), target="notes", remote=("code",)),
    ),
)
"""Refers to others in three ways: goes with its book, outlives its reader, and keeps a note from losing its code."""

_PATHS: Final = {
    path.field.name: path
    for path in (
        DocumentPath("extra", ("colour",), Field(name="extra.colour", kind=Kind.TEXT, nullable=True)),
        DocumentPath("extra", ("size",), Field(name="extra.size", kind=Kind.INTEGER, nullable=True)),
        DocumentPath(
            "extra", ("box", "width"), Field(name="extra.box.width", kind=Kind.FLOAT, nullable=True)
        ),
        DocumentPath("extra", ("on",), Field(name="extra.on", kind=Kind.BOOLEAN, nullable=True)),
    )
}
"""Places inside of the JSON field of the notes, of every kind that there may be."""

OPTIONS: Final[Mapping[str, Mapping[str, object]]] = {
    "notes": {"paths": _PATHS},
    "books": {"version": "version", "soft_delete": "deleted_at"},
}
"""How those resources are declared that need more than their class, by name."""
