"""Resources with rules, without a container."""

from dataclasses import dataclass
from typing import Any

from fastapi_easy.domain.field import Field, Kind
from fastapi_easy.domain.resources.resource import Resource, Shape
from fastapi_easy.testing.resources import resource_from


@dataclass
class Book:
    """What the resource is of."""

    title: str


SHAPE = Shape(
    fields=(
        Field(name="id", kind=Kind.INTEGER, generated=True),
        Field(name="title", kind=Kind.TEXT),
        Field(name="owner_id", kind=Kind.INTEGER, nullable=True),
        Field(name="department", kind=Kind.TEXT, nullable=True),
        Field(name="tags", kind=Kind.ARRAY, item=Kind.TEXT, nullable=True),
    ),
    key=("id",),
)


def books(*rules: Any, **replaced: Any) -> Resource[Any]:
    """A resource `books` with *rules*."""
    return resource_from(SHAPE, "books", Book, policy=tuple(rules), **replaced)
