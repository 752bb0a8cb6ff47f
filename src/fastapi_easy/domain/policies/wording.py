"""Specifications in words, as Python code would compare."""

import enum
from typing import Any, Final, assert_never

from fastapi_easy.domain.policies.caller_values import CallerValue
from fastapi_easy.domain.policies.placeholders import Placeholder
from fastapi_easy.domain.queries.specification import (
    AllOf,
    AnyOf,
    Everything,
    Not,
    Operator,
    Related,
    Specification,
    Where,
)
from fastapi_easy.domain.queries.words import HoldsWords

_SIGNS: Final = {
    Operator.EQUALS: "==",
    Operator.NOT_EQUALS: "!=",
    Operator.GREATER: ">",
    Operator.GREATER_OR_EQUAL: ">=",
    Operator.LESS: "<",
    Operator.LESS_OR_EQUAL: "<=",
    Operator.IN: "in",
    Operator.NOT_IN: "not in",
}


def describe_rows(specification: Specification) -> str:
    """Return *specification* for people: `owner_id == principal.id and state in ('open', 'new')`."""
    match specification:
        case Everything():
            return "every one"
        case Where(name, Operator.IS_NULL, value):
            return f"{name} is {'null' if value else 'not null'}"
        case Where(name, operator, value):
            return f"{name} {_SIGNS.get(operator, operator.value)} {_shown(value)}"
        case HoldsWords(fields, words):
            return f"{' or '.join(fields)} holds {' and '.join(map(repr, words))}"
        case Not(inner):
            return f"not ({describe_rows(inner)})"
        case Related(relation, inner):
            return f"{relation.name} with ({describe_rows(inner)})"
        case AllOf(parts):
            return " and ".join(map(_part, parts)) or "every one"
        case AnyOf(parts):
            return " or ".join(map(_part, parts)) or "none"
        case _:
            assert_never(specification)


def _part(specification: Specification) -> str:
    written = describe_rows(specification)
    return f"({written})" if isinstance(specification, AllOf | AnyOf) else written


def _shown(value: Any) -> str:
    if isinstance(value, CallerValue | Placeholder):
        return str(value)
    if isinstance(value, tuple):
        return f"({', '.join(map(_shown, value))})"
    return repr(value.value if isinstance(value, enum.Enum) else value)
