"""Queries that name places inside of JSON fields → queries that know them."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, assert_never

from fastapi_easy.domain.queries.ordering import Sort
from fastapi_easy.domain.queries.path_where import PathWhere
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


def bind_paths(specification: Specification, resource: Resource[Any]) -> Specification:
    """Return *specification* with each comparison that names a declared path of *resource* as one of its value."""
    match specification:
        case Where(name, operator, value):
            path = resource.paths.get(name)
            return specification if path is None else PathWhere(name, operator, value, path)
        case Not(inner):
            return Not(bind_paths(inner, resource))
        case AllOf(parts) | AnyOf(parts):
            return type(specification)(tuple(bind_paths(part, resource) for part in parts))
        case Related(relation, inner):
            related: Relation = relation
            return Related(related, bind_paths(inner, related.target))
        case Everything() | HoldsWords():
            return specification
        case _:
            assert_never(specification)


def bind_order(order: Sequence[Sort], resource: Resource[Any]) -> tuple[Sort, ...]:
    """Return *order*, of entities of *resource*, with each sort by a declared path as one of the value there."""
    return tuple(
        sort if path is None else replace(sort, inside=path)
        for sort in order
        for path in ((sort.path[-1].target if sort.path else resource).paths.get(sort.field),)
    )
