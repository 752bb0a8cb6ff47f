"""Failures of the store in memory, as errors that a caller can act on."""

from collections.abc import Iterable, Sequence
from typing import Any

from returns.result import Failure

from fastapi_easy.domain.errors import (
    AlreadyExists,
    Error,
    Fault,
    Invalid,
    Key,
    NotFound,
    ReferenceBroken,
    Stale,
    TooLarge,
)
from fastapi_easy.domain.resources.resource import Resource


def not_found(resource: Resource[Any], key: Key) -> Failure[Error]:
    """Return the failure that no entity has *key*."""
    return Failure(NotFound(resource.name, key))


def already_exists(resource: Resource[Any], rule: Sequence[str]) -> Failure[Error]:
    """Return the failure that another entity has the same values in the fields of *rule*."""
    return Failure(AlreadyExists(resource.name, tuple(rule)))


def reference_broken(resource: Resource[Any], fields: Sequence[str]) -> Failure[Error]:
    """Return the failure that what *fields* refer to is missing; without fields, that others still refer to it."""
    return Failure(ReferenceBroken(resource.name, tuple(fields)))


def stale(resource: Resource[Any], key: Key, current: str) -> Failure[Error]:
    """Return the failure that the entity with *key* has version *current* by now."""
    return Failure(Stale(resource.name, key, current))


def null_not_allowed(fields: Iterable[str]) -> Failure[Error]:
    """Return the failure that each of *fields* was null and must not be."""
    return Failure(
        Invalid(tuple(Fault(f"/{field}", "A value is needed", "null_not_allowed") for field in fields))
    )


def too_many(max_affected: int) -> Failure[Error]:
    """Return the failure that a change would reach more than *max_affected* entities."""
    return Failure(TooLarge("affected", max_affected, "entities"))
