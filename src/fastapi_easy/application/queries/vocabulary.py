"""Which comparisons a resource allows, by the names callers write."""

import difflib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from fastapi_easy.domain.field import Field, Kind
from fastapi_easy.domain.resource import Resource
from fastapi_easy.domain.specification import LISTS, Operator, operators_of

CONNECTIVES: Final = frozenset({"and", "or", "not"})
"""The words of a `where` tree."""

RESERVED: Final = frozenset({"where", "q", "sort", "fields", "limit", "offset", "cursor", "count"})
"""The parameters that are not comparisons."""


@dataclass(frozen=True, slots=True)
class Parameter:
    """One comparison that callers may ask for.

    Attributes:
        name: What they write: the field, or the field and `__` and the operator.

        field: What is compared.

        operator: How.

        value: The field a single value is read as; differs from *field* for IS_NULL and for items of arrays.
    """

    name: str
    field: Field
    operator: Operator
    value: Field

    @property
    def takes_list(self) -> bool:
        """Several values may be given."""
        return self.operator in LISTS

    @property
    def splits_commas(self) -> bool:
        """A comma separates values, because no value can contain one."""
        return self.value.kind not in {Kind.TEXT, Kind.ENUM, Kind.JSON, Kind.BINARY}


def vocabulary(resource: Resource[Any]) -> dict[str, Parameter]:
    """Every allowed comparison of *resource* by name, in the order of its fields."""
    words: dict[str, Parameter] = {}
    for field_name in resource.filterable:
        field = resource.fields[field_name]
        for operator in operators_of(field.kind, nullable=field.nullable):
            name = field_name if operator is Operator.EQUALS else f"{field_name}__{operator}"
            words[name] = Parameter(name, field, operator, _value_field(field, operator))
    return words


def _value_field(field: Field, operator: Operator) -> Field:
    if operator is Operator.IS_NULL:
        return Field(name=field.name, kind=Kind.BOOLEAN)
    if field.kind is Kind.ARRAY:
        return Field(name=field.name, kind=field.item or Kind.TEXT)
    return replace(field, nullable=False) if field.nullable else field


def nearest(word: str, words: Iterable[str] | Mapping[str, Any]) -> str | None:
    """The one of *words* most like *word*, if any is like it."""
    near = difflib.get_close_matches(word[:64], list(words), n=1, cutoff=0.6)
    return near[0] if near else None
