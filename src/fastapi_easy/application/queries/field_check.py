"""A check that a specification made by Python code names existing fields."""

from typing import assert_never

from fastapi_easy.application.queries.allowed_comparisons import closest_match
from fastapi_easy.application.queries.comparisons import QueryError
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
from fastapi_easy.domain.resources.resource import Relation, Resource


def check_fields(specification: Specification, resource: Resource[object]) -> None:
    """Raise `QueryError` when *specification* names a field that *resource* does not have.

    Code may compare any stored field, also one that callers may not read.

    Raises:
        QueryError: It does.
    """
    match specification:
        case Everything():
            return
        case Where(field):
            if field not in resource.comparable:
                raise QueryError.bad_query(
                    field, "Is not a field here", closest_match(field, resource.comparable)
                )
        case HoldsWords(fields):
            for name in fields:
                check_fields(Where(name), resource)
        case Not(inner):
            check_fields(inner, resource)
        case AllOf(parts) | AnyOf(parts):
            for part in parts:
                check_fields(part, resource)
        case Related(relation, inner):
            related: Relation = relation
            check_fields(inner, related.target)
        case _:
            assert_never(specification)
