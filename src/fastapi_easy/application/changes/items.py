"""Single changes, as they come many at a time."""

from dataclasses import dataclass
from typing import TypeAlias, assert_never

from fastapi_easy.domain.changes.patch import Values
from fastapi_easy.domain.errors import Error, Key
from fastapi_easy.domain.queries.specification import Specification


@dataclass(frozen=True, slots=True)
class Create:
    """A new entity with *values*."""

    values: Values


@dataclass(frozen=True, slots=True)
class Upsert:
    """Other *values* for the entity that has those of `Resource.upsert_by`, or a new one."""

    values: Values


@dataclass(frozen=True, slots=True)
class Update:
    """Set the fields of *patch* on the entity with *key*, if it still has *expected_version*."""

    key: Key
    patch: Values
    expected_version: str | None = None


@dataclass(frozen=True, slots=True)
class Delete:
    """Away with the entity with *key*, if it still has *expected_version*."""

    key: Key
    expected_version: str | None = None


@dataclass(frozen=True, slots=True)
class UpdateWhere:
    """Set the fields of *patch* on every entity that *specification* means, which must not be all there are.

    Attributes:
        max_affected: When there are more, nothing is changed.
    """

    specification: Specification
    patch: Values
    max_affected: int


@dataclass(frozen=True, slots=True)
class DeleteWhere:
    """Away with every entity that *specification* means, which must not be all there are.

    Attributes:
        max_affected: When there are more, nothing is changed.
    """

    specification: Specification
    max_affected: int


@dataclass(frozen=True, slots=True)
class Malformed:
    """An item that an interface could not read, or whose values are refused: it fails, and nothing is tried.

    Attributes:
        error: What is wrong with it. What an interface puts here points into what it was sent.
    """

    error: Error


Change: TypeAlias = Create | Upsert | Update | Delete | UpdateWhere | DeleteWhere | Malformed


def pointer_to_values(item: Change) -> str:
    """Return where in an item of a bulk the values of a change are: what follows `/items/3/` in pointers."""
    match item:
        case Create():
            return "create"
        case Upsert():
            return "upsert"
        case Update() | UpdateWhere():
            return "update/set"
        case Delete() | DeleteWhere():
            return "delete"
        case Malformed():
            raise ValueError("an item that could not be read has no values")
        case _:
            assert_never(item)
