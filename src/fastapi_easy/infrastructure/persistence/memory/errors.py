"""What a store in memory refuses, as the errors a caller can act on."""

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


def missing(resource: Resource[Any], key: Key) -> Failure[Error]:
    """No entity has *key*."""
    return Failure(NotFound(resource.name, key))


def taken(resource: Resource[Any], rule: Sequence[str]) -> Failure[Error]:
    """Another entity has the same values in the fields of *rule*."""
    return Failure(AlreadyExists(resource.name, tuple(rule)))


def dangling(resource: Resource[Any], fields: Sequence[str]) -> Failure[Error]:
    """Answer that what *fields* refer to is not there; without fields, that others refer to what would go."""
    return Failure(ReferenceBroken(resource.name, tuple(fields)))


def stale(resource: Resource[Any], key: Key, current: str) -> Failure[Error]:
    """The entity with *key* has version *current* by now."""
    return Failure(Stale(resource.name, key, current))


def nulls(fields: Iterable[str]) -> Failure[Error]:
    """Each of *fields* was null and must not be."""
    return Failure(
        Invalid(tuple(Fault(f"/{field}", "A value is needed.", "null_not_allowed") for field in fields))
    )


def too_many(max_affected: int) -> Failure[Error]:
    """A change would reach more than *max_affected* entities."""
    return Failure(TooLarge("affected", max_affected, "entities"))
