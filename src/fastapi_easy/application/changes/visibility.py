"""Checks that a caller can still see what they have written."""

from collections.abc import Sequence
from typing import Any, Final, assert_never

from returns.result import Failure, Success

from fastapi_easy.domain.changes.patch import Values
from fastapi_easy.domain.changes.row import Row
from fastapi_easy.domain.errors import Outcome
from fastapi_easy.domain.ports.repository import Repository
from fastapi_easy.domain.queries.specification import (
    AllOf,
    AnyOf,
    Everything,
    Not,
    Operator,
    Related,
    Specification,
    Where,
    all_of,
)
from fastapi_easy.domain.queries.words import HoldsWords
from fastapi_easy.domain.resources.resource import Resource

_CHUNK_SIZE: Final = 500
"""Entities in one query, of which each key is a parameter."""


async def are_all_visible(
    resource: Resource[object], rows: Sequence[Row], repository: Repository[Any]
) -> Outcome[bool]:
    """Return whether all of *rows* are in *repository*, the caller's view of *resource*."""
    for start in range(0, len(rows), _CHUNK_SIZE):
        part = rows[start : start + _CHUNK_SIZE]
        seen = await repository.count(_with_keys_of(resource.key, part))
        if isinstance(seen, Failure):
            return seen
        if seen.unwrap() < len(part):
            return Success(False)
    return Success(True)


def surely_satisfies(specification: Specification, values: Values) -> bool:
    """Return whether a new entity with *values* is one of *specification*, as far as the values alone tell."""
    if type(specification) is Where:
        value, given = specification.value, values.get(specification.field)
        return (
            specification.operator is Operator.EQUALS
            and value is not None
            and type(given) is type(value)
            and given == value
        )
    match specification:
        case Everything():
            return True
        case AllOf(parts):
            return all(surely_satisfies(each, values) for each in parts)
        case AnyOf(parts):
            return any(surely_satisfies(each, values) for each in parts)
        case _:
            return False


def is_left_alone(specification: Specification, resource: Resource[Any], changed: Values) -> bool:
    """Return whether an entity of *specification* stays one of it whatever the fields of *changed* are set to."""
    match specification:
        case Everything():
            return True
        case Where():
            name = specification.holder
            # What the store fills in may follow from other fields; a key never changes.
            return name not in changed and (
                name in resource.key or not resource.stored_fields[name].generated
            )
        case HoldsWords(fields):
            return all(
                is_left_alone(Where(name, Operator.IS_NULL, True), resource, changed) for name in fields
            )
        case Not(inner):
            return is_left_alone(inner, resource, changed)
        case AllOf(parts) | AnyOf(parts):
            return all(is_left_alone(each, resource, changed) for each in parts)
        case Related():
            return False
        case _:
            assert_never(specification)


def _with_keys_of(key: Sequence[str], rows: Sequence[Row]) -> Specification:
    """Return a specification of the entities with the keys of *rows*."""
    if len(key) == 1:
        return Where(key[0], Operator.IN, tuple(row[key[0]] for row in rows))
    return AnyOf(tuple(all_of(*(Where(name, Operator.EQUALS, row[name]) for name in key)) for row in rows))
