"""Every change of one resource, as its callers may make it, inside a unit of work."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final, TypeVar, cast

from returns.result import Failure, Success

from fastapi_easy.application.context import Context
from fastapi_easy.application.sight import Sight
from fastapi_easy.domain.deferred import Deferred
from fastapi_easy.domain.errors import (
    DeclarationError,
    Error,
    Fault,
    Forbidden,
    Invalid,
    Key,
    NotFound,
    Outcome,
    PreconditionRequired,
)
from fastapi_easy.domain.events import (
    DomainEvent,
    EntityCreated,
    EntityDeleted,
    EntityPurged,
    EntityRestored,
    EntityUpdated,
)
from fastapi_easy.domain.narrowed import deleted_in
from fastapi_easy.domain.page import PageRequest
from fastapi_easy.domain.patch import Patch, Values, foreign_fields
from fastapi_easy.domain.ports.clock import Clock
from fastapi_easy.domain.ports.policy import Policy
from fastapi_easy.domain.ports.repository import Repository
from fastapi_easy.domain.ports.unit_of_work import UnitOfWork
from fastapi_easy.domain.query import Query
from fastapi_easy.domain.resource import Resource
from fastapi_easy.domain.row import Row
from fastapi_easy.domain.specification import AnyOf, Operator, Specification, Where, all_of

E = TypeVar("E", bound=DomainEvent)

_ASKED_FOR: Final = 500
"""Entities that one question is about."""


@dataclass(frozen=True, slots=True)
class Upserted:
    """What an upsert came to.

    Attributes:
        row: The readable fields as they are now.

        created: There was none before.
    """

    row: Row
    created: bool


class EntityWriter:
    """Changes the entities of *resource* for one caller and records what happened. Commits nothing.

    `upsert`, `restore` and `purge` raise a `DeclarationError` where the resource does not declare what they need.

    A change that fails leaves the unit of work as it was before, except for `upsert` and after `Forbidden`: then
    the unit of work is to be left without a commit.

    Args:
        resource: Whose entities.

        work: Where they are changed.

        context: For whom.

        clock: When.

        policy: What callers may see; everything when there is none.

        single: There will be one change, made by one call of the repository.
    """

    def __init__(
        self,
        resource: Resource[Any],
        work: UnitOfWork,
        context: Context,
        clock: Clock,
        policy: Policy | None,
        *,
        single: bool = False,
    ) -> None:
        self._resource = resource
        self._work = work
        self._context = context
        self._clock = clock
        self._single = single
        self._sight = Sight(policy, context)
        self._sees_all = self._sight.sees_all(resource)
        # Where what came of a change is looked at before it may stay, the change is not the last word.
        last = single and context.dry_run is None and self._sees_all
        self._whole = work.repository(resource, last=last)
        self._entities = self._sight.narrow(resource, self._whole)

    async def create(self, values: Values) -> Outcome[Row]:
        """A new entity; its readable fields as stored."""
        if (foreign := foreign_fields(values, _set_of(self._resource.writable))) is not None:
            return foreign
        added = await self._entities.add(values)
        return added if isinstance(added, Failure) else await self._created(added.unwrap())

    async def create_all(self, many: Sequence[Values]) -> Outcome[Sequence[Row]]:
        """Several new entities, all or none, in their order."""
        writable = _set_of(self._resource.writable)
        for values in many:
            if (foreign := foreign_fields(values, writable)) is not None:
                return foreign
        added = await self._entities.add_all(many)
        if isinstance(added, Failure):
            return added
        stored = added.unwrap()
        if (hidden := await self._any_hidden(stored)) is not None:
            return hidden
        shown = self._resource.all_shown(stored)
        self._work.record_all(Deferred(len(stored), self._creations(stored, shown)))
        return Success(shown)

    async def update(self, key: Key, patch: Patch, expected_version: str | None) -> Outcome[Row]:
        """Other values for some fields; the readable fields as they are now."""
        if (foreign := foreign_fields(patch, _set_of(self._resource.changeable))) is not None:
            return foreign
        return await self._change(key, patch, expected_version, versioned=True)

    async def upsert(self, values: Values) -> Outcome[Upserted]:
        """Change the entity that has the values of `Resource.upsert_by`, or make it when there is none."""
        resource = self._resource
        self._needs("upsert", "upsert", resource.upsert_by)
        if (foreign := foreign_fields(values, _set_of(resource.writable))) is not None:
            return foreign
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
            changed = await self._change(resource.key_of(row), patch, None, versioned=False)
            return (
                changed
                if isinstance(changed, Failure)
                else Success(Upserted(changed.unwrap(), created=False))
            )
        created = await self.create(values)
        return created if isinstance(created, Failure) else Success(Upserted(created.unwrap(), created=True))

    async def delete(self, key: Key, expected_version: str | None) -> Outcome[None]:
        """Away with an entity."""
        if expected_version is None and self._resource.requires_version:
            return Failure(PreconditionRequired(self._resource.name))
        removed = await self._entities.remove(key, expected_version=expected_version)
        if not isinstance(removed, Failure):
            self._record(EntityDeleted, key)
        return removed

    async def restore(self, key: Key, expected_version: str | None) -> Outcome[Row]:
        """A deleted entity is there again; its readable fields."""
        self._needs("restore", "soft_delete", self._resource.soft_delete)
        unmarked = Patch({str(self._resource.soft_delete): None})
        restored = await self._deleted().update(key, unmarked, expected_version=expected_version)
        if isinstance(restored, Failure):
            return restored
        row = self._resource.shown(restored.unwrap())
        self._record(EntityRestored, key, values=dict(row))
        return Success(row)

    async def purge(self, key: Key, expected_version: str | None) -> Outcome[None]:
        """Remove a deleted entity for good."""
        self._needs("purge", "soft_delete", self._resource.soft_delete)
        removed = await self._deleted().remove(key, expected_version=expected_version)
        if not isinstance(removed, Failure):
            self._record(EntityPurged, key)
        return removed

    async def keys(self, query: Query) -> Outcome[Sequence[Key]]:
        """The keys of the entities on the page that *query* asks for."""
        found = await self._entities.select(query)
        if isinstance(found, Failure):
            return found
        return Success([self._resource.key_of(row) for row in found.unwrap().items])

    async def _created(self, stored: Row) -> Outcome[Row]:
        key = self._resource.key_of(stored)
        if (hidden := await self._hidden(key, "create")) is not None:
            return hidden
        row = self._resource.shown(stored)
        self._record(EntityCreated, key, values=dict(row))
        return Success(row)

    async def _change(
        self, key: Key, patch: Patch, expected_version: str | None, *, versioned: bool
    ) -> Outcome[Row]:
        if versioned and expected_version is None and self._resource.requires_version:
            return Failure(PreconditionRequired(self._resource.name))
        changed = await self._entities.update(key, patch, expected_version=expected_version)
        if isinstance(changed, Failure):
            return changed
        if (hidden := await self._hidden(key, "update")) is not None:
            return hidden
        row = self._resource.shown(changed.unwrap())
        self._record(EntityUpdated, key, values=dict(row), changed=frozenset(patch))
        return Success(row)

    async def _hidden(self, key: Key, action: str) -> Failure[Error] | None:
        """The refusal of a change after which the caller could not see the entity any more."""
        if self._sees_all:
            return None
        seen = await self._entities.read(key, self._resource.key)
        if isinstance(seen, Failure) and isinstance(seen.failure(), NotFound):
            return Failure(Forbidden(self._resource.name, action))
        return seen if isinstance(seen, Failure) else None

    async def _any_hidden(self, stored: Sequence[Row]) -> Failure[Error] | None:
        """The refusal of new entities of which the caller could not see all."""
        if self._sees_all:
            return None
        for start in range(0, len(stored), _ASKED_FOR):
            part = stored[start : start + _ASKED_FOR]
            seen = await self._entities.count(self._these(part))
            if isinstance(seen, Failure):
                return seen
            if seen.unwrap() < len(part):
                return Failure(Forbidden(self._resource.name, "create"))
        return None

    def _these(self, rows: Sequence[Row]) -> Specification:
        """The entities that *rows* are."""
        names = self._resource.key
        if len(names) == 1:
            return Where(names[0], Operator.IN, tuple(row[names[0]] for row in rows))
        return AnyOf(
            tuple(all_of(*(Where(name, Operator.EQUALS, row[name]) for name in names)) for row in rows)
        )

    def _needs(self, operation: str, option: str, declared: object) -> None:
        """Refuse an *operation* that makes no sense without what *option* declares: it would change any entity."""
        if not declared:
            raise DeclarationError(
                [f"{self._resource.name}: {operation} needs the option {option!r}: declare it"]
            )

    def _deleted(self) -> Repository[Any]:
        return self._sight.narrow(self._resource, deleted_in(self._whole))

    def _creations(
        self, stored: Sequence[Row], shown: Sequence[Row]
    ) -> Callable[[], Sequence[EntityCreated]]:
        """Makes the events that tell of new entities, which all came into being now."""
        resource, context, now = self._resource, self._context, self._clock.now()
        return lambda: [
            EntityCreated(
                resource=resource.name,
                key=resource.key_of(row),
                actor=context.principal.id,
                correlation_id=context.correlation_id,
                occurred_at=now,
                values=dict(values),
            )
            for row, values in zip(stored, shown, strict=True)
        ]

    def _record(self, event: type[E], key: Key, **details: Mapping[str, Any] | frozenset[str]) -> None:
        resource, context, now, made = (
            self._resource.name,
            self._context,
            self._clock.now(),
            cast("Any", event),
        )

        def make() -> Sequence[DomainEvent]:
            return [
                made(
                    resource=resource,
                    key=key,
                    actor=context.principal.id,
                    correlation_id=context.correlation_id,
                    occurred_at=now,
                    **details,
                )
            ]

        self._work.record_all(Deferred(1, make) if self._single else make())


@lru_cache(maxsize=1024)
def _set_of(names: tuple[str, ...]) -> frozenset[str]:
    return frozenset(names)
