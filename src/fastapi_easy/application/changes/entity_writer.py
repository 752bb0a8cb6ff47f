"""The changes that a caller may make to one resource inside a unit of work."""

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from returns.result import Failure, Success

from fastapi_easy.application.access import Access
from fastapi_easy.application.changes.restoring import check_stored
from fastapi_easy.application.queries.doubts import refuse_unheld
from fastapi_easy.domain.changes.answers import Upserted
from fastapi_easy.domain.changes.patch import Patch, Values, reject_unknown_fields
from fastapi_easy.domain.changes.row import Row
from fastapi_easy.domain.errors import (
    DeclarationError,
    Error,
    Fault,
    Invalid,
    Key,
    Outcome,
    PreconditionRequired,
)
from fastapi_easy.domain.ports.repository import Repository
from fastapi_easy.domain.queries.page import PageRequest
from fastapi_easy.domain.queries.query import Query
from fastapi_easy.domain.queries.specification import Operator, Specification, Where, all_of
from fastapi_easy.domain.resources.options import Operation
from fastapi_easy.domain.resources.replacing import complete_replacement
from fastapi_easy.domain.resources.resource import Resource
from fastapi_easy.domain.scoped_repository import deleted_entities


class EntityWriter:
    """Changes the entities of *resource* for one caller, who may only set certain fields. Commits nothing.

    A change that fails leaves the unit of work as it was before, except for `upsert` and after `Forbidden`: then
    the unit of work is to be left without a commit.

    Args:
        resource: The resource of the entities.

        entities: Those that are there for the caller.

        access: The permissions of the caller.
    """

    __slots__ = ("_access", "_entities", "_resource")

    def __init__(self, resource: Resource[object], entities: Repository[Any], access: Access) -> None:
        self._resource = resource
        self._access = access
        self._entities = entities

    async def create(self, values: Values) -> Outcome[Row]:
        """Store a new entity; return its readable fields as stored."""
        if (denied := self._check_values(Operation.CREATE, values)) is not None:
            return denied
        return self._visible(await self._entities.add(values))

    async def create_all(self, many: Sequence[Values]) -> Outcome[Sequence[Row]]:
        """Store several new entities, all or none; return them in their order."""
        for values in many:
            if (denied := self._check_values(Operation.CREATE, values)) is not None:
                return denied
        added = await self._entities.add_all(many)
        if isinstance(added, Failure):
            return added
        return Success(self._access.visible_rows(self._resource, added.unwrap()))

    async def create_stored(self, many: Sequence[Values]) -> Outcome[Sequence[Row]]:
        """Store several entities as a store held them before, all or none; return them in their order."""
        for values in many:
            if (denied := check_stored(self._resource, self._access, values)) is not None:
                return denied
        added = await self._entities.add_stored(many)
        if isinstance(added, Failure):
            return added
        return Success(self._access.visible_rows(self._resource, added.unwrap()))

    async def update(self, key: Key, patch: Values, expected_version: str | None) -> Outcome[Row]:
        """Set some fields of the entity with *key*; return its readable fields as they are now."""
        if (denied := self._check_values(Operation.UPDATE, patch)) is not None:
            return denied
        if expected_version is None and self._resource.requires_version:
            return Failure(PreconditionRequired(self._resource.name))
        whole = patch if isinstance(patch, Patch) else Patch(patch)
        return self._visible(await self._entities.update(key, whole, expected_version=expected_version))

    async def replace(
        self, key: Key, values: Values, expected_version: str | None, missing: Sequence[Fault] = ()
    ) -> Outcome[Row]:
        """Set *values* and, in all other fields that the caller may change, what a new entity gets there.

        Args:
            key: Of the entity.

            values: The fields to keep.

            expected_version: The version it is based on.

            missing: What is known of fields that were left out and have no default.
        """
        changeable = self._changeable()
        whole = complete_replacement(self._resource, values, changeable, missing)
        if isinstance(whole, Failure):
            return whole
        return await self.update(key, whole.unwrap(), expected_version)

    async def upsert(self, values: Values) -> Outcome[Upserted]:
        """Update the entity that has the values of `Resource.upsert_by`, or create it when there is none."""
        resource = self._resource
        self._require_option("upsert", "upsert", resource.upsert_by)
        if (unknown := reject_unknown_fields(values, _creatable_fields(resource))) is not None:
            return unknown
        if unnamed := [name for name in resource.upsert_by if values.get(name) is None]:
            return Failure(Invalid(tuple(Fault(f"/{name}", "Field required", "missing") for name in unnamed)))
        same = all_of(*(Where(name, Operator.EQUALS, values[name]) for name in resource.upsert_by))
        found = await self._entities.select(
            Query(specification=same, fields=resource.key, page=PageRequest(limit=1))
        )
        if isinstance(found, Failure):
            return found
        for row in found.unwrap().items:
            patch = Patch({name: value for name, value in values.items() if name in resource.changeable})
            if (denied := self._check_values(Operation.UPDATE, patch)) is not None:
                return denied
            changed = self._visible(await self._entities.update(resource.key_of(row), patch))
            return (
                changed
                if isinstance(changed, Failure)
                else Success(Upserted(changed.unwrap(), created=False))
            )
        created = await self.create(values)
        return created if isinstance(created, Failure) else Success(Upserted(created.unwrap(), created=True))

    async def delete(self, key: Key, expected_version: str | None) -> Outcome[None]:
        """Remove an entity."""
        if (denied := self._access.check_writable(self._resource, Operation.DELETE, {})) is not None:
            return denied
        if expected_version is None and self._resource.requires_version:
            return Failure(PreconditionRequired(self._resource.name))
        return await self._entities.remove(key, expected_version=expected_version)

    async def restore(self, key: Key, expected_version: str | None) -> Outcome[Row]:
        """Restore a deleted entity; return its readable fields."""
        self._require_option("restore", "soft_delete", self._resource.soft_delete)
        unmarked = Patch({str(self._resource.soft_delete): None})
        deleted = deleted_entities(self._entities)
        return self._visible(await deleted.update(key, unmarked, expected_version=expected_version))

    async def purge(self, key: Key, expected_version: str | None) -> Outcome[None]:
        """Remove a deleted entity for good."""
        self._require_option("purge", "soft_delete", self._resource.soft_delete)
        return await deleted_entities(self._entities).remove(key, expected_version=expected_version)

    async def update_where(
        self, specification: Specification, patch: Values, max_affected: int
    ) -> Outcome[int]:
        """Set the fields of *patch* on every entity that matches *specification*; return how many there are."""
        if (denied := self._check_values(Operation.UPDATE, patch)) is not None:
            return denied
        if (denied := await self._check_specification(specification)) is not None:
            return denied
        if self._resource.requires_version:
            # One call cannot name the versions of all the entities it changes.
            return Failure(PreconditionRequired(self._resource.name))
        whole = patch if isinstance(patch, Patch) else Patch(patch)
        return await self._entities.update_where(specification, whole, max_affected=max_affected)

    async def delete_where(self, specification: Specification, max_affected: int) -> Outcome[int]:
        """Remove every entity that matches *specification*; return how many there were."""
        if (denied := self._access.check_writable(self._resource, Operation.DELETE, {})) is not None:
            return denied
        if (denied := await self._check_specification(specification)) is not None:
            return denied
        if self._resource.requires_version:
            return Failure(PreconditionRequired(self._resource.name))
        return await self._entities.remove_where(specification, max_affected=max_affected)

    def _changeable(self) -> Sequence[str]:
        """Return the fields that this caller may change."""
        resource, access = self._resource, self._access
        writable = access.writable(resource, Operation.UPDATE) if access.is_limited else None
        if writable is None:
            return resource.changeable
        return tuple(name for name in resource.changeable if name in writable)

    def _require_option(self, operation: str, option: str, declared: object) -> None:
        """Raise `DeclarationError` unless *option* is declared: without it, *operation* would change any entity."""
        if not declared:
            raise DeclarationError(
                [f"{self._resource.name}: {operation} needs the option {option!r}: declare it"]
            )

    def _check_values(self, action: Operation, values: Values) -> Failure[Error] | None:
        """Return a failure when *values* name an unknown field, or one that this caller may not set."""
        resource = self._resource
        known = (_creatable_fields if action is Operation.CREATE else _settable_fields)(resource)
        if (unknown := reject_unknown_fields(values, known)) is not None:
            return unknown
        return self._access.check_writable(resource, action, values) if self._access.is_limited else None

    async def _check_specification(self, specification: Specification) -> Failure[Error] | None:
        """Return a failure when *specification* would disclose what the caller may not read, or names a mistake."""
        denied = self._access.check_query(self._resource, Query(specification=specification))
        return denied or await refuse_unheld(specification, self._resource, self._entities, self._access)

    def _visible(self, changed: Outcome[Row]) -> Outcome[Row]:
        if type(changed) is Failure:
            return changed
        row = changed.unwrap()
        resource, access = self._resource, self._access
        shown = access.visible_row(resource, row) if access.is_limited else resource.visible_row(row)
        return changed if shown is row else Success(shown)


@lru_cache(maxsize=1024)
def _settable_fields(resource: Resource[object]) -> frozenset[str]:
    """Return the fields that an update may set: all but the key and the tenant."""
    return _creatable_fields(resource).difference(resource.key)


@lru_cache(maxsize=1024)
def _creatable_fields(resource: Resource[object]) -> frozenset[str]:
    """Return the fields that a create may set: all but the tenant, which is the caller's."""
    return frozenset(name for name in resource.fields if name != resource.tenant)
