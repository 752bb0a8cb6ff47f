"""The order of entities: the same on every store, total, nulls last."""

import dataclasses
import enum
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from fastapi_easy.domain.queries.document_path import DocumentPath


class Direction(enum.StrEnum):
    """The direction of a sort. Nulls come last either way."""

    ASCENDING = "ascending"
    DESCENDING = "descending"


@dataclass(frozen=True, slots=True)
class Sort:
    """One field to order by. Text is compared code point by code point, a member of an enumeration by its place.

    Attributes:
        field: Its name.

        direction: Which end comes first.

        path: Relations, each to one entity at most, that lead to the entity whose field it is; where they lead
            nowhere its value is null.

        inside: The place inside of a JSON field that is sorted by, where `field` is the name of such a path.
    """

    field: str
    direction: Direction = Direction.ASCENDING
    path: tuple[Any, ...] = ()
    inside: DocumentPath | None = dataclasses.field(default=None, compare=False, repr=False)

    @property
    def name(self) -> str:
        """The name that callers write: `price`, `author.name`. Unique within an order."""
        return ".".join((*(relation.name for relation in self.path), self.field)) if self.path else self.field

    @property
    def holder(self) -> str:
        """The field whose values decide about the order."""
        return self.field if self.inside is None else self.inside.document

    def value_in(self, row: Mapping[str, Any]) -> Any:
        """Return the value of *row*, that of the entity at the end of `path`, which is sorted by."""
        return row[self.field] if self.inside is None else self.inside.value_in(row)

    @property
    def descending(self) -> bool:
        """Whether the largest value comes first."""
        return self.direction is Direction.DESCENDING


def total_order(order: Sequence[Sort], key: Sequence[str]) -> tuple[Sort, ...]:
    """Return *order* with the fields of *key* that it lacks appended, so that no two entities are equal in it."""
    named = {each.field for each in order if not each.path}
    return (*order, *(Sort(field) for field in key if field not in named))


@cache
def places_of(enumeration: type[enum.Enum]) -> Mapping[enum.Enum, int]:
    """Return the place of each member of *enumeration*, in the order in which the class declares them."""
    return {member: place for place, member in enumerate(enumeration)}


def sort_key(value: Any) -> Any:
    """Return what is compared where rows are sorted by *value*: of a member of an enumeration its place."""
    return places_of(type(value))[value] if isinstance(value, enum.Enum) else value
