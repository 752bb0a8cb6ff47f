"""The items of a bulk: single changes of one resource."""

from dataclasses import dataclass
from typing import TypeAlias, assert_never

from fastapi_easy.domain.changes.patch import Values
from fastapi_easy.domain.errors import Error, Key
from fastapi_easy.domain.queries.specification import Specification
from fastapi_easy.domain.values.json import JsonMergePatch


@dataclass(frozen=True, slots=True)
class Create:
    """Create an entity with *values*."""

    values: Values


@dataclass(frozen=True, slots=True)
class CreateStored:
    """Create an entity as a store held it before: with the key, the version and the other generated values it had."""

    values: Values


@dataclass(frozen=True, slots=True)
class Upsert:
    """Update the entity that has the values of `Resource.upsert_by`, or create it."""

    values: Values


@dataclass(frozen=True, slots=True)
class Update:
    """Set the fields of *patch* on the entity with *key*, if it still has *expected_version*."""

    key: Key
    patch: Values
    expected_version: str | None = None


@dataclass(frozen=True, slots=True)
class Delete:
    """Remove the entity with *key*, if it still has *expected_version*."""

    key: Key
    expected_version: str | None = None


@dataclass(frozen=True, slots=True)
class UpdateWhere:
    """Set the fields of *patch* on every entity that matches *specification*, which must compare a field.

    Attributes:
        max_affected: The largest number of matches; with more, nothing is changed.
    """

    specification: Specification
    patch: Values
    max_affected: int


@dataclass(frozen=True, slots=True)
class DeleteWhere:
    """Remove every entity that matches *specification*, which must compare a field.

    Attributes:
        max_affected: The largest number of matches; with more, nothing is changed.
    """

    specification: Specification
    max_affected: int


@dataclass(frozen=True, slots=True)
class Malformed:
    """An item that an interface could not read, or whose values are invalid: it fails without being tried.

    Attributes:
        error: The error. Pointers that an interface puts here lead into the document it was sent.
    """

    error: Error


Change: TypeAlias = Create | CreateStored | Upsert | Update | Delete | UpdateWhere | DeleteWhere | Malformed


def pointer_to_values(item: Change) -> str:
    """Return the JSON pointer of the values inside a bulk item: the part that follows `/items/3/`."""
    match item:
        case Create() | CreateStored():
            return "create"
        case Upsert():
            return "upsert"
        case Update(patch=patch) | UpdateWhere(patch=patch):
            return "update/merge" if isinstance(patch, JsonMergePatch) else "update/set"
        case Delete() | DeleteWhere():
            return "delete"
        case Malformed():
            raise ValueError("an item that could not be read has no values")
        case _:
            assert_never(item)
