"""The book whose declaration the tests of this folder are about."""

from typing import Any

from fastapi_easy.domain.field import Field, Kind
from fastapi_easy.domain.resources.declaration import Declaration, declare
from fastapi_easy.domain.resources.resource import Resource, Shape


class Book:
    """A book in
    the shop.

    Everything else about it.
    """


FIELDS = (
    Field(name="id", kind=Kind.INTEGER, generated=True),
    Field(name="title", kind=Kind.TEXT),
    Field(name="isbn", kind=Kind.TEXT, nullable=True),
    Field(name="price", kind=Kind.DECIMAL, default=0),
    Field(name="sold", kind=Kind.BOOLEAN, default=False),
    Field(name="tags", kind=Kind.ARRAY, item=Kind.TEXT, default_factory=list),
    Field(name="extra", kind=Kind.JSON, default_factory=dict),
    Field(name="cover", kind=Kind.BINARY, nullable=True),
)
SHAPE = Shape(fields=FIELDS, key=("id",), unique=(("title", "isbn"),))
ALL = ("id", "title", "isbn", "price", "sold", "tags", "extra", "cover")
GIVEN = ALL[1:]


def declared(shape: Shape = SHAPE, **options: Any) -> Resource[Book]:
    resource, mistakes = declare("books", Declaration(entity=Book, **options), shape)
    assert resource is not None
    assert mistakes == ()
    return resource


def mistakes_of(name: str = "books", shape: Shape = SHAPE, **options: Any) -> list[str]:
    resource, mistakes = declare(name, Declaration(entity=Book, **options), shape)
    assert (resource is None) == bool(mistakes)
    return list(mistakes)
