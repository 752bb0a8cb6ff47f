"""The conditions of rules, checked against their resource: every name there, every value of its field."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from difflib import get_close_matches
from typing import Any, Final, assert_never

from fastapi_easy.domain.field import UNSET, Field, Kind
from fastapi_easy.domain.policies.caller_values import CallerValue
from fastapi_easy.domain.policies.placeholders import Placeholder, read_placeholder
from fastapi_easy.domain.queries.specification import (
    LIST_OPERATORS,
    AllOf,
    AnyOf,
    Everything,
    Not,
    Operator,
    Related,
    Specification,
    Where,
    all_of,
    operators_for,
)
from fastapi_easy.domain.queries.words import HoldsWords
from fastapi_easy.domain.resources.resource import Resource
from fastapi_easy.domain.values.kind_format import ParseError
from fastapi_easy.domain.values.value_parsing import parse_value

_BOUNDS: Final = 2


class ConditionError(ValueError):
    """A condition says something that its resource does not have; the message is a sentence for people."""


def bind_rows(rows: Specification | Mapping[str, Any], resource: Resource[Any]) -> Specification:
    """Return *rows*, the condition of a rule about *resource*, with values of the right types.

    Placeholders become `CallerValue`s, and names that lead along relations ask for related entities.

    Raises:
        ConditionError: It names what is not there, or compares what cannot be compared.
    """
    return _bind(read_tree(rows) if isinstance(rows, Mapping) else rows, resource)


def read_tree(tree: object) -> Specification:
    """Return what a `where` tree means: `{"or": [{"owner_id": "$principal.id"}, {"state__in": ["open"]}]}`.

    Raises:
        ConditionError: It is no such tree.
    """
    if not isinstance(tree, Mapping):
        raise ConditionError(f'must be an object like {{"owner_id": "$principal.id"}}, not {tree!r}')
    return all_of(*(_member(str(name), value) for name, value in tree.items()))


def _member(name: str, value: Any) -> Specification:
    if name == "not":
        return Not(read_tree(value))
    if name in {"and", "or"}:
        if not isinstance(value, Sequence) or isinstance(value, str):
            raise ConditionError(f"{name!r} takes a list of objects")
        parts = tuple(read_tree(each) for each in value)
        return AllOf(parts) if name == "and" else AnyOf(parts)
    path, _, spelt = name.partition("__")
    if (spelt or "eq") not in set(Operator):
        raise ConditionError(f"{spelt!r} is not an operator{_suggestion(spelt, set(Operator))}")
    operator = Operator(spelt or "eq")
    return Where(path, operator, _from_file(value))


def _from_file(value: Any) -> Any:
    if isinstance(value, list | tuple):
        return tuple(_from_file(each) for each in value)
    try:
        return read_placeholder(value)
    except ValueError as error:
        raise ConditionError(str(error)) from None


def _bind(specification: Specification, resource: Resource[Any]) -> Specification:
    match specification:
        case Everything():
            return specification
        case Where(name, operator, value):
            return _bind_comparison(name, operator, value, resource)
        case HoldsWords():
            raise ConditionError("rules compare fields, and search for no words")
        case Not(inner):
            return Not(_bind(inner, resource))
        case AllOf(parts):
            return AllOf(tuple(_bind(each, resource) for each in parts))
        case AnyOf(parts):
            return AnyOf(tuple(_bind(each, resource) for each in parts))
        case Related():
            raise ConditionError("relations are written as names in rules, like Where('author.country')")
        case _:
            assert_never(specification)


def _bind_comparison(name: str, operator: Operator, value: Any, resource: Resource[Any]) -> Specification:
    head, dot, rest = name.partition(".")
    if name in resource.paths:
        raise ConditionError(
            f"{name!r} is inside of a JSON field, and rules compare whole fields: keep the value in a field of its own"
        )
    if dot:
        if head not in resource.relations:
            raise ConditionError(
                f"{resource.name} has no relation {head!r}{_suggestion(head, resource.relations)}"
            )
        relation = resource.relations[head]
        return relation.exists(_bind_comparison(rest, operator, value, relation.target))
    field = resource.fields.get(name)
    if field is None:
        raise ConditionError(f"{resource.name} has no field {name!r}{_suggestion(name, resource.fields)}")
    if operator is UNSET:
        raise ConditionError(f"Where({name!r}) compares nothing: write Where({name!r}) == …")
    if operator not in operators_for(field):
        raise ConditionError(
            f"{name!r} of kind {field.kind} cannot be compared by {operator.value!r}"
            f"{_suggestion(operator, operators_for(field))}"
        )
    return Where(name, operator, _bind_value(resource, field, operator, value))


def _bind_value(resource: Resource[Any], field: Field, operator: Operator, value: Any) -> Any:
    single = _single_value_field(field, operator)
    if operator not in LIST_OPERATORS:
        return bind_value(resource, single, value)
    if isinstance(value, Placeholder) and operator is not Operator.BETWEEN:
        return CallerValue(value, resource.name, field.name, True, single)
    if not isinstance(value, tuple | list):
        raise ConditionError(
            f"{field.name!r} is compared with several values by {operator.value!r}: give a list"
        )
    if operator is Operator.BETWEEN and len(value) != _BOUNDS:
        raise ConditionError(f"{field.name!r} is compared with two bounds by 'between'")
    bound = tuple(bind_value(resource, single, each) for each in value)
    if any(isinstance(each, CallerValue) for each in bound):
        raise ConditionError(
            f"{field.name!r}: a placeholder in a list is not supported: use several conditions"
        )
    return bound


def bind_value(resource: Resource[Any], field: Field, value: Any) -> Any:
    """Return *value* as one of *field*, or the placeholder of one.

    Raises:
        ConditionError: It is of another type.
    """
    if isinstance(value, Placeholder):
        return CallerValue(value, resource.name, field.name, False, field)
    if value is None and field.nullable:
        return None
    try:
        return parse_value(field, value)
    except ParseError as error:
        raise ConditionError(f"{field.name!r} cannot be {value!r}: {_lower(str(error))}") from None


def _single_value_field(field: Field, operator: Operator) -> Field:
    """Return the field that one value of a comparison is read as."""
    if operator is Operator.IS_NULL:
        return Field(name=field.name, kind=Kind.BOOLEAN)
    if field.kind is Kind.ARRAY:
        return Field(name=field.name, kind=field.item or Kind.TEXT, enumeration=field.enumeration)
    return replace(field, nullable=False, check=None if field.kind is Kind.TEXT else field.check)


def _suggestion(name: str, known: Any) -> str:
    names = [str(each) for each in known]
    near = get_close_matches(name, names, n=1)
    return f": did you mean {near[0]!r}?" if near else f": it has {', '.join(names) or 'none'}"


def _lower(sentence: str) -> str:
    return sentence[:1].lower() + sentence[1:]


def conditions_in(specification: Specification) -> Iterator[Any]:
    """Yield the value of every comparison in *specification*."""
    match specification:
        case Everything() | HoldsWords():
            return
        case Where(_, _, value):
            yield value
        case Not(inner) | Related(_, inner):
            yield from conditions_in(inner)
        case AllOf(parts) | AnyOf(parts):
            for each in parts:
                yield from conditions_in(each)
        case _:
            assert_never(specification)
