"""Placeholders that know their field, and what they become for one caller."""

from collections.abc import Iterable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from typing import Any, TypeAlias, assert_never

from fastapi_easy.domain.field import UNSET, Field, Kind
from fastapi_easy.domain.policies.placeholders import Placeholder
from fastapi_easy.domain.principal import Principal, Tenant
from fastapi_easy.domain.queries.specification import (
    AllOf,
    AnyOf,
    Everything,
    Not,
    Related,
    Specification,
    Where,
)
from fastapi_easy.domain.queries.words import HoldsWords
from fastapi_easy.domain.values.kind_format import ParseError
from fastapi_easy.domain.values.value_parsing import can_hold, format_text, parse_value, read_text


@dataclass(frozen=True, slots=True)
class CallerValue:
    """A placeholder in the place of a value of one field.

    Attributes:
        placeholder: What it stands for.

        owner: The resource of the field.

        name: The name of the field.

        is_list: Whether it stands for several values.

        field: The field that a single value is read as.
    """

    placeholder: Placeholder
    owner: str
    name: str
    is_list: bool
    field: Field = field(compare=False, repr=False)

    def __str__(self) -> str:
        return str(self.placeholder)

    def resolve(self, principal: Principal, tenant: Tenant | None) -> Any:
        """Return the value for *principal*; `UNSET` where there is none, or none that the field could hold."""
        found = self.placeholder.resolve(principal, tenant)
        if found is UNSET:
            return UNSET
        if not self.is_list:
            return _value_of(self.field, found)
        several = found if isinstance(found, list | tuple | AbstractSet) else (found,)
        values = tuple(_value_of(self.field, each) for each in several)
        return UNSET if any(each is UNSET for each in values) else values


CallerValues: TypeAlias = Mapping[CallerValue, Any]
"""What each placeholder is for one caller."""


def fill(specification: Specification, values: CallerValues) -> Specification:
    """Return *specification* with *values* in the places of its placeholders."""
    match specification:
        case Where(name, operator, CallerValue() as value):
            return Where(name, operator, values[value])
        case Everything() | Where() | HoldsWords():
            return specification
        case Not(inner):
            return Not(fill(inner, values))
        case AllOf(parts):
            return AllOf(tuple(fill(each, values) for each in parts))
        case AnyOf(parts):
            return AnyOf(tuple(fill(each, values) for each in parts))
        case Related(relation, inner):
            return Related(relation, fill(inner, values))
        case _:
            assert_never(specification)


def fill_stamps(stamps: Mapping[str, Any], values: CallerValues) -> Mapping[str, Any]:
    """Return *stamps* with *values* in the places of their placeholders."""
    return {
        name: values[value] if isinstance(value, CallerValue) else value for name, value in stamps.items()
    }


def caller_values_in(values: Iterable[object]) -> tuple[CallerValue, ...]:
    """Return the placeholders among *values*, each once."""
    return tuple(dict.fromkeys(each for each in values if isinstance(each, CallerValue)))


def _value_of(field: Field, given: object) -> Any:
    try:
        value = parse_value(field, given)
    except ParseError:
        value = _spelt_value_of(field, given)
    return value if value is not None and can_hold(field, value) else UNSET


def _spelt_value_of(field: Field, given: object) -> Any:
    """Return the value that a text of a token spells, like the number of a user."""
    if not isinstance(given, str):
        return UNSET
    try:
        value = read_text(field, given)
    except ParseError:
        return UNSET
    # Two callers with different ids must not be the same one to a store: 7 is spelt `7` alone.
    return value if field.kind is Kind.UUID or format_text(value) == given else UNSET
