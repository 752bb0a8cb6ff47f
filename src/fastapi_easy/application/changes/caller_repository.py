"""The entities of one resource as one caller sees them, each of whose changes is recorded."""

from collections.abc import Awaitable, Callable, Coroutine, Sequence
from typing import Any, TypeVar

from returns.result import Failure, Success

from fastapi_easy.application.changes.authorizing_repository import GovernedRepository
from fastapi_easy.application.changes.entity_values import key_in, values_in, with_values
from fastapi_easy.application.changes.references import Target
from fastapi_easy.application.changes.writes import CREATE, DELETE, PURGE, RESTORE, UPDATE, Write
from fastapi_easy.domain.changes.events import EntityCreated, EntityUpdated
from fastapi_easy.domain.changes.journal import Awaited
from fastapi_easy.domain.changes.patch import Patch, Values
from fastapi_easy.domain.changes.row import Row
from fastapi_easy.domain.errors import Key, NotFound, Outcome, TooLarge
from fastapi_easy.domain.ports.repository import EVERYTHING, Repository
from fastapi_easy.domain.queries.page import PageRequest
from fastapi_easy.domain.queries.query import Query
from fastapi_easy.domain.queries.specification import Specification
from fastapi_easy.domain.scoped_repository import deleted_in

E = TypeVar("E")


class CallersRepository(GovernedRepository[E]):
    """Implements `Repository`: the entities that are there for the caller, recording every change.

    A change after which the caller could not see the entity any more is `Forbidden`, and keeps the whole unit of work
    from being committed.
    """

    @property
    def deleted(self) -> Repository[E]:
        """The entities that are marked as deleted."""
        return CallersRepository(
            self._resource,
            deleted_in(self._inner),
            self._work,
            self._access,
            self._recorder,
            alone=self._is_alone,
            of_deleted=True,
        )

    async def save(self, entity: E, *, among: Specification = EVERYTHING) -> Outcome[E]:
        """Store *entity*: insert it when its key is unset or unknown, else replace all its values."""
        resource = self._resource
        found = await self._found(key_in(resource, entity))
        if isinstance(found, Failure):
            return found
        before = found.unwrap()
        write, key = (CREATE, None) if before is None else (UPDATE, resource.key_of(before))
        given = values_in(resource, entity)
        admitted = await self._admit(write, given, key)
        if isinstance(admitted, Failure):
            return admitted
        entity = with_values(entity, given, admitted.unwrap())
        saved = await self._allowed(self._inner, write).save(entity, among=among)
        if isinstance(saved, Failure):
            return saved
        row = Row(values_in(resource, saved.unwrap()))
        details: dict[str, Any] = {}
        if before is not None:
            details["changed"] = frozenset(given) - frozenset(resource.key)
            if self._recorder.is_before_wanted(EntityUpdated, resource):
                details["before"] = dict(resource.shown(before))
        refused = await self._done(write, resource.key_of(row), row, details)
        return saved if refused is None else refused

    def add(self, values: Values) -> Coroutine[Any, Any, Outcome[Row]]:
        """Store a new entity."""
        return self._inner.add(values) if self._is_unobserved(CREATE) else self._added(values)

    async def _added(self, values: Values) -> Outcome[Row]:
        if self._is_asked(CREATE):
            admitted = await self._admit(CREATE, values)
            if isinstance(admitted, Failure):
                return admitted
            values = admitted.unwrap()
        inner, draft = self._inner, None
        if self._is_alone and self._recorder.journal is not None:
            inner, draft = self._placed(CREATE, Awaited.KEY, {})
        added = await inner.add(values)
        if isinstance(added, Failure):
            return added
        row = added.unwrap()
        refused = await self._done(CREATE, self._resource.key_of(row), row, {}, draft)
        return added if refused is None else refused

    async def add_all(self, many: Sequence[Values]) -> Outcome[Sequence[Row]]:
        """Store several new entities, all or none."""
        if self._is_asked(CREATE):
            every = []
            visible: set[Target] = set()
            for values in many:
                admitted = await self._admit(CREATE, values, visible=visible)
                if isinstance(admitted, Failure):
                    return admitted
                every.append(admitted.unwrap())
            many = every
        added = await self._inner.add_all(many)
        if isinstance(added, Failure):
            return added
        rows = added.unwrap()
        if self._access.is_limited and (hidden := await self._hidden(rows, CREATE)) is not None:
            return hidden
        if self._recorder.is_wanted(EntityCreated, self._resource):
            self._recorder.record_creations(self._resource, rows)
        return added

    def update(
        self,
        key: Key,
        patch: Patch,
        *,
        expected_version: str | None = None,
        among: Specification = EVERYTHING,
    ) -> Coroutine[Any, Any, Outcome[Row]]:
        """Set the fields of *patch* on the entity with *key*. An empty one changes nothing and is not recorded."""
        write = RESTORE if self._is_of_deleted else UPDATE
        if self._is_unobserved(write):
            return self._inner.update(key, patch, expected_version=expected_version, among=among)
        return self._updated(write, key, patch, expected_version, among)

    async def _updated(
        self, write: Write, key: Key, patch: Patch, expected_version: str | None, among: Specification
    ) -> Outcome[Row]:
        if not patch:
            return await self._allowed(self._inner, write).update(
                key, patch, expected_version=expected_version, among=among
            )
        if self._is_asked(write):
            admitted = await self._admit(write, patch, key)
            if isinstance(admitted, Failure):
                return admitted
            patch = Patch(admitted.unwrap())
        return await self._changed(
            write,
            key,
            expected_version,
            among,
            lambda inner, version: inner.update(key, patch, expected_version=version, among=among),
            {} if self._is_of_deleted else {"changed": frozenset(patch)},
        )

    async def remove(
        self, key: Key, *, expected_version: str | None = None, among: Specification = EVERYTHING
    ) -> Outcome[None]:
        """Remove the entity with *key*."""
        write = PURGE if self._is_of_deleted else DELETE
        if self._is_unobserved(write):
            return await self._inner.remove(key, expected_version=expected_version, among=among)
        if self._is_asked(write):
            admitted = await self._admit(write, {}, key)
            if isinstance(admitted, Failure):
                return admitted
        return await self._changed(
            write,
            key,
            expected_version,
            among,
            lambda inner, version: inner.remove(key, expected_version=version, among=among),
            {},
        )

    async def update_where(
        self, specification: Specification, patch: Patch, *, max_affected: int
    ) -> Outcome[int]:
        """Set the fields of *patch* on every entity that *specification* means: one by one where anybody is told."""
        write = RESTORE if self._is_of_deleted else UPDATE
        if not patch or self._is_unobserved(write):
            return await self._inner.update_where(specification, patch, max_affected=max_affected)
        return await self._each(specification, max_affected, lambda key: self.update(key, patch))

    async def remove_where(self, specification: Specification, *, max_affected: int) -> Outcome[int]:
        """Remove every entity that *specification* means: one by one where anybody is told of it."""
        if self._is_unobserved(PURGE if self._is_of_deleted else DELETE):
            return await self._inner.remove_where(specification, max_affected=max_affected)
        return await self._each(specification, max_affected, self.remove)

    async def _found(self, key: Key | None) -> Outcome[Row | None]:
        """The entity with *key*; `None` when there is none."""
        if key is None:
            return Success(None)
        read = await self._inner.read(key)
        if not isinstance(read, Failure):
            return Success(read.unwrap())
        return Success(None) if isinstance(read.failure(), NotFound) else read

    async def _each(
        self,
        specification: Specification,
        max_affected: int,
        change: Callable[[Key], Awaitable[Outcome[Any]]],
    ) -> Outcome[int]:
        """How many entities *change* was made to: one by one, so that each is recorded."""
        query = Query(specification=specification, page=PageRequest(limit=max_affected + 1))
        found = await self.select(query)
        if isinstance(found, Failure):
            return found
        keys = [self._resource.key_of(row) for row in found.unwrap().items]
        if len(keys) > max_affected:
            return Failure(TooLarge("affected", max_affected, "entities"))
        for key in keys:
            changed = await change(key)
            if isinstance(changed, Failure):
                return changed
        return Success(len(keys))
