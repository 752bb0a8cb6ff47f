"""The shapes every adapter is tested with: one with a field of each kind, and those of the shop.

An adapter's tests declare one class of their own for each shape, with fields of these names. A class that can
say how it leads to others says what the links of the shape say, under their names; one that can refer to others says
what its references say.
"""

import enum
import uuid
from collections.abc import Mapping
from typing import Final

from fastapi_easy.domain.field import Field, Kind
from fastapi_easy.domain.resources.relation import to_many
from fastapi_easy.domain.resources.resource import Shape
from fastapi_easy.testing.conformance.shop import AUTHORS, BOOKS, LOANS, REVIEWS, TICKETS


class Colour(enum.Enum):
    """An enumeration whose values are neither its names nor in their order."""

    RED = "r"
    GREEN = "g"
    BLUE = "b"


NOTES: Final = Shape(
    fields=(
        Field(name="id", kind=Kind.INTEGER, generated=True),
        Field(name="title", kind=Kind.TEXT, max_length=200),
        Field(name="body", kind=Kind.TEXT, default=""),
        Field(name="remark", kind=Kind.TEXT, nullable=True, max_length=200),
        Field(name="priority", kind=Kind.INTEGER, default=0),
        Field(name="rank", kind=Kind.INTEGER, nullable=True),
        Field(name="views", kind=Kind.INTEGER, default=0, minimum=-(2**63), maximum=2**63 - 1),
        Field(name="price", kind=Kind.DECIMAL, nullable=True, precision=15, scale=4),
        Field(name="score", kind=Kind.FLOAT, nullable=True),
        Field(name="done", kind=Kind.BOOLEAN, default=False),
        Field(name="due", kind=Kind.DATE, nullable=True),
        Field(name="alarm", kind=Kind.TIME, nullable=True),
        Field(name="seen_at", kind=Kind.DATETIME, nullable=True),
        Field(name="token", kind=Kind.UUID, default_factory=uuid.uuid4),
        Field(name="colour", kind=Kind.ENUM, enumeration=Colour, default=Colour.GREEN),
        Field(name="extra", kind=Kind.JSON, nullable=True),
        Field(name="code", kind=Kind.TEXT, nullable=True, unique=True, max_length=64),
        Field(name="shelf", kind=Kind.TEXT, nullable=True, max_length=64),
        Field(name="place", kind=Kind.INTEGER, nullable=True),
    ),
    key=("id",),
    unique=(("code",), ("shelf", "place")),
    table="notes",
)
"""A field of every kind. `views` has 64 bits; the other integers 32; `body` has no length."""

SEATS: Final = Shape(
    fields=(
        Field(name="hall", kind=Kind.TEXT, max_length=64),
        Field(name="number", kind=Kind.INTEGER),
        Field(name="guest", kind=Kind.TEXT, nullable=True, max_length=200),
    ),
    key=("hall", "number"),
    links={"tickets": to_many("tickets", by=("hall", "number"))},
    table="seats",
)
"""A key of two fields."""

TOKENS: Final = Shape(
    fields=(
        Field(name="id", kind=Kind.UUID, default_factory=uuid.uuid4),
        Field(name="label", kind=Kind.TEXT, max_length=200),
    ),
    key=("id",),
)
"""A key that is made by the application."""

LABELS: Final = Shape(
    fields=(
        Field(name="id", kind=Kind.INTEGER, generated=True),
        Field(name="tags", kind=Kind.ARRAY, item=Kind.TEXT, nullable=True),
    ),
    key=("id",),
)
"""A list of scalars, for stores with `Capability.ARRAYS`."""

SHAPES: Final[Mapping[str, Shape]] = {
    "notes": NOTES,
    "seats": SEATS,
    "tokens": TOKENS,
    "labels": LABELS,
    "authors": AUTHORS,
    "books": BOOKS,
    "reviews": REVIEWS,
    "tickets": TICKETS,
    "loans": LOANS,
}
"""By the name of the resource; `labels` only where the store has arrays. None refers to one further down."""
