"""Single changes, as they come many at a time."""

from dataclasses import dataclass
from typing import TypeAlias

from fastapi_easy.domain.errors import Key
from fastapi_easy.domain.patch import Patch, Values
from fastapi_easy.domain.specification import Specification


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
    patch: Patch
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
    patch: Patch
    max_affected: int


@dataclass(frozen=True, slots=True)
class DeleteWhere:
    """Away with every entity that *specification* means, which must not be all there are.

    Attributes:
        max_affected: When there are more, nothing is changed.
    """

    specification: Specification
    max_affected: int


Change: TypeAlias = Create | Upsert | Update | Delete | UpdateWhere | DeleteWhere
