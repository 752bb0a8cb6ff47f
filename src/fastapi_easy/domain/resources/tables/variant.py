"""Classes of which several share one table, told apart by a field."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from fastapi_easy.domain.field import Field
from fastapi_easy.domain.queries.specification import Everything, Operator, Specification, Where


@dataclass(frozen=True, slots=True, kw_only=True)
class Variant:
    """What tells the entities of a class from the others in its table.

    Attributes:
        field: The field that says of which class an entity is.

        own: What it holds for an entity of this very class; `None` for a class that has no entities of its own.

        known: What it holds for entities of this class and of those derived from it.

        is_whole: Whether every entity of the table is one of this class.
    """

    field: str
    own: Any
    known: tuple[Any, ...]
    is_whole: bool

    @property
    def condition(self) -> Specification:
        """What the entities of the class satisfy."""
        return Everything() if self.is_whole else Where(self.field, Operator.IN, self.known)


def fixed_field(variant: Variant | None, fields: dict[str, Field]) -> str | None:
    """Let new entities be of the class of *variant*; return the field that callers never write because of it."""
    if variant is None or variant.own is None or variant.field not in fields:
        return None
    fields[variant.field] = replace(
        fields[variant.field], default=variant.own, default_factory=None, store_default=False
    )
    return variant.field


def condition_of(variant: Variant | None, fields: Mapping[str, Field]) -> Specification:
    """Return what the entities of a class satisfy, among those of its table."""
    return Everything() if variant is None or variant.field not in fields else variant.condition
