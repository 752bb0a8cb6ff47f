"""Specifications that are asked about values of which some are not known."""

from collections.abc import Mapping
from typing import Any, assert_never

from fastapi_easy.domain.queries.specification import (
    AllOf,
    AnyOf,
    Everything,
    Not,
    Related,
    Specification,
    Where,
    is_satisfied_by,
)
from fastapi_easy.domain.queries.words import HoldsWords


def tell(specification: Specification, values: Mapping[str, Any]) -> bool | None:
    """Return whether *specification* means an entity with *values*; `None` where these do not tell.

    Args:
        specification: The tree. What it asks of related entities is never known.

        values: By the name of the field; one that is missing is not known.
    """
    match specification:
        case Everything():
            return True
        case Where():
            return _compare(specification, (specification.holder,), values)
        case HoldsWords(fields):
            return _compare(specification, fields, values)
        case Related():
            return None
        case Not(inner):
            told = tell(inner, values)
            return None if told is None else not told
        case AllOf(parts):
            return _decide([tell(part, values) for part in parts], decisive=False)
        case AnyOf(parts):
            return _decide([tell(part, values) for part in parts], decisive=True)
        case _:
            assert_never(specification)


def _compare(specification: Specification, fields: tuple[str, ...], values: Mapping[str, Any]) -> bool | None:
    if not all(name in values for name in fields):
        return None
    try:
        return is_satisfied_by(specification, values)
    except TypeError:
        # A stored value that its field cannot hold: only the store compares it.
        return None


def compared_names(specification: Specification) -> tuple[str, ...]:
    """Return the fields and the relations that *specification* names, in its order."""
    match specification:
        case Everything():
            return ()
        case Where():
            return (specification.holder,)
        case HoldsWords(fields):
            return fields
        case Related(relation, _):
            return (relation.name,)
        case Not(inner):
            return compared_names(inner)
        case AllOf(parts) | AnyOf(parts):
            return tuple(name for each in parts for name in compared_names(each))
        case _:
            assert_never(specification)


def _decide(told: list[bool | None], *, decisive: bool) -> bool | None:
    if decisive in told:
        return decisive
    return None if None in told else not decisive
