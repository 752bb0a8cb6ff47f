"""A check that a caller can still see what they have written."""

from collections.abc import Sequence
from typing import Any, Final

from returns.result import Failure, Success

from fastapi_easy.domain.changes.row import Row
from fastapi_easy.domain.errors import Outcome
from fastapi_easy.domain.ports.repository import Repository
from fastapi_easy.domain.queries.specification import AnyOf, Operator, Specification, Where, all_of
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


def _with_keys_of(key: Sequence[str], rows: Sequence[Row]) -> Specification:
    """Return a specification of the entities with the keys of *rows*."""
    if len(key) == 1:
        return Where(key[0], Operator.IN, tuple(row[key[0]] for row in rows))
    return AnyOf(tuple(all_of(*(Where(name, Operator.EQUALS, row[name]) for name in key)) for row in rows))
