"""The entities of one resource as one caller sees them; every change is recorded."""

from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from typing import Any, Final, TypeVar

from returns.result import Failure, Success

from fastapi_easy.application.changes.authorizing_repository import AuthorizingRepository
from fastapi_easy.application.changes.references import ReferencedEntity, may_refer_to_hidden
from fastapi_easy.application.changes.writes import (
    CREATE,
    CREATE_STORED,
    DELETE,
    PURGE,
    RESTORE,
    UPDATE,
    Write,
)
from fastapi_easy.domain.changes.events import DomainEvent, EntityCreated
from fastapi_easy.domain.changes.journal import ValuePlaceholder
from fastapi_easy.domain.changes.patch import Patch, Values
from fastapi_easy.domain.changes.row import Row
from fastapi_easy.domain.errors import Error, Key, Outcome, TooLarge
from fastapi_easy.domain.field import Kind
from fastapi_easy.domain.ports.repository import EVERYTHING, Repository
from fastapi_easy.domain.queries.page import Page, PageRequest
from fastapi_easy.domain.queries.query import Query
from fastapi_easy.domain.queries.specification import Operator, Specification, Where
from fastapi_easy.domain.resources.addressable_keys import (
    reject_unaddressable,
    text_key_of,
    with_default_key,
)
from fastapi_easy.domain.scoped_repository import deleted_entities, select_held
from fastapi_easy.domain.unavailable import SerializationConflict

E = TypeVar("E")

_TOGETHER: Final = 500
"""Entities that one statement changes while their changes are observed; their keys are its parameters."""

_LISTED_KEYS: Final = ([Kind.INTEGER], [Kind.UUID], [Kind.TEXT])
"""The kinds of keys of which many are compared in one statement."""


class CallerRepository(AuthorizingRepository[E]):
    """Implements `Repository`: the entities that are there for the caller, recording every change.

    A change after which the caller could not see the entity any more is `Forbidden`, and keeps the whole unit of work
    from being committed.
    """

    @property
    def deleted(self) -> Repository[E]:
        """The entities that are marked as deleted."""
        return self._view_of_deleted(CallerRepository)

    def _view_of_deleted(self, kind: "type[CallerRepository[E]]") -> Repository[E]:
        return kind(
            self._resource,
            deleted_entities(self._inner),
            self._work,
            self._access,
            self._recorder,
            is_single_write=self._is_single_write,
            deleted_only=True,
        )

    def add(self, values: Values) -> Coroutine[Any, Any, Outcome[Row]]:
        """Store a new entity."""
        if text_key_of(self._resource) is None:
            allowed = self._find_unobserved(CREATE, values)
            if allowed is not None:
                return self._inner.add(allowed)
        return self._add_and_record(values)

    async def _add_and_record(self, values: Values) -> Outcome[Row]:
        if self._needs_check(CREATE):
            authorized = await self._authorize(CREATE, values)
            if isinstance(authorized, Failure):
                return authorized
            values = authorized.unwrap()
        text_key = text_key_of(self._resource)
        values = with_default_key(text_key, values)
        if (refused := reject_unaddressable(text_key, (values,))) is not None:
            return refused
        stays = self._join_unless_in_sight(CREATE, values)
        inner, draft = self._drafted(CREATE, ValuePlaceholder.KEY, {})
        added = await inner.add(values)
        if isinstance(added, Failure):
            return added
        row = added.unwrap()
        key = self._resource.key_of(row)
        denied = await self._record_change(CREATE, key, row, {}, draft, stays=stays)
        return added if denied is None else denied

    async def add_all(self, many: Sequence[Values]) -> Outcome[Sequence[Row]]:
        """Store several new entities, all or none."""
        return await self._add_all(CREATE, many)

    async def add_stored(self, many: Sequence[Values]) -> Outcome[Sequence[Row]]:
        """Store several entities as a store held them before, all or none."""
        return await self._add_all(CREATE_STORED, many)

    async def _add_all(self, write: Write, many: Sequence[Values]) -> Outcome[Sequence[Row]]:
        if self._needs_check(write):
            every = []
            visible: set[ReferencedEntity] = set()
            for values in many:
                authorized = await self._authorize(write, values, visible=visible)
                if isinstance(authorized, Failure):
                    return authorized
                every.append(authorized.unwrap())
            many = every
        if (text_key := text_key_of(self._resource)) is not None:
            many = [with_default_key(text_key, values) for values in many]
            if (refused := reject_unaddressable(text_key, many)) is not None:
                return refused
        inner = self._inner
        added = await (inner.add_all(many) if write is CREATE else inner.add_stored(many))
        if isinstance(added, Failure):
            return added
        rows = added.unwrap()
        if self._access.is_limited and not all(self._stays_in_sight(write, each) for each in many):
            hidden = await self._reject_hidden(rows, write)
            if hidden is not None:
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
        scope: Specification = EVERYTHING,
    ) -> Coroutine[Any, Any, Outcome[Row]]:
        """Set the fields of *patch* on the entity with *key*. An empty one changes nothing and is not recorded."""
        write = RESTORE if self._is_deleted_only else UPDATE
        if self._find_unobserved(write, patch) is not None:
            inner = self._scope_to_grant(self._inner, write) if self._access.is_limited else self._inner
            return inner.update(key, patch, expected_version=expected_version, scope=scope)
        return self._update_and_record(write, key, patch, expected_version, scope)

    async def _update_and_record(
        self, write: Write, key: Key, patch: Patch, expected_version: str | None, scope: Specification
    ) -> Outcome[Row]:
        if not patch:
            return await self._scope_to_grant(self._inner, write).update(
                key, patch, expected_version=expected_version, scope=scope
            )
        if self._needs_check(write):
            authorized = await self._authorize(write, patch, key)
            if isinstance(authorized, Failure):
                return authorized
            patch = Patch(authorized.unwrap())
        return await self._change_and_record(
            write,
            key,
            expected_version,
            scope,
            lambda inner, version: inner.update(key, patch, expected_version=version, scope=scope),
            {} if self._is_deleted_only else {"changed": frozenset(patch)},
            patch,
        )

    async def remove(
        self, key: Key, *, expected_version: str | None = None, scope: Specification = EVERYTHING
    ) -> Outcome[None]:
        """Remove the entity with *key*."""
        write = PURGE if self._is_deleted_only else DELETE
        if self._is_unobserved(write):
            return await self._inner.remove(key, expected_version=expected_version, scope=scope)
        if self._needs_check(write):
            authorized = await self._authorize(write, {}, key)
            if isinstance(authorized, Failure):
                return authorized
        return await self._change_and_record(
            write,
            key,
            expected_version,
            scope,
            lambda inner, version: inner.remove(key, expected_version=version, scope=scope),
            {},
            {},
        )

    async def update_where(
        self, specification: Specification, patch: Patch, *, max_affected: int
    ) -> Outcome[int]:
        """Set the fields of *patch* on every match of *specification*; one by one where changes are observed."""
        write = RESTORE if self._is_deleted_only else UPDATE
        if not patch or self._is_unobserved(write):
            return await self._inner.update_where(specification, patch, max_affected=max_affected)
        if self._is_one_statement(write, patch):
            return await super().update_where(specification, patch, max_affected=max_affected)
        return await self._change_observed(
            write, specification, patch, max_affected, lambda key: self.update(key, patch)
        )

    async def remove_where(self, specification: Specification, *, max_affected: int) -> Outcome[int]:
        """Remove every entity that matches *specification*; one by one where changes are observed."""
        write = PURGE if self._is_deleted_only else DELETE
        if self._is_unobserved(write):
            return await self._inner.remove_where(specification, max_affected=max_affected)
        if self._is_one_statement(write, {}):
            return await super().remove_where(specification, max_affected=max_affected)
        return await self._change_observed(write, specification, Patch({}), max_affected, self.remove)

    async def _change_observed(
        self,
        write: Write,
        specification: Specification,
        patch: Patch,
        max_affected: int,
        change: Callable[[Key], Awaitable[Outcome[object]]],
    ) -> Outcome[int]:
        """Set *patch* on each match of *specification*, or remove it, and record that; together where that can be."""
        if self._can_change_together(write, patch):
            inner = self._join_transaction()
            query = self._query_of_matches(specification, max_affected)
            held = select_held(self._scope_to_grant(inner, write), query)
            if held is not None:
                return await self._change_held(write, await held, patch, max_affected, inner)
        return await self._change_one_by_one(write, specification, max_affected, change)

    def _can_change_together(self, write: Write, patch: Patch) -> bool:
        """Return whether nothing looks at each entity before *write*, so that all are changed in a few statements."""
        resource, access = self._resource, self._access
        return (
            write in {UPDATE, DELETE}
            and [resource.stored_fields[name].kind for name in resource.key] in _LISTED_KEYS
            and resource.rules is None
            and not resource.mergeable
            and resource.secrets is None
            and not self._recorder.has_before_handlers(write.before_change, resource)
            and (
                not access.is_limited
                or (
                    access.grant(resource, write.operation) is not None
                    and self._stays_in_sight(write, patch)
                    and not may_refer_to_hidden(resource, patch, access)
                )
            )
        )

    async def _change_held(
        self,
        write: Write,
        found: Outcome[Page[Row]],
        patch: Patch,
        max_affected: int,
        inner: Repository[E],
    ) -> Outcome[int]:
        """Set *patch* on the entities that were *found* and are held, or remove them, and record that."""
        if isinstance(found, Failure):
            return found
        rows = list(found.unwrap().items)
        if len(rows) > max_affected:
            return Failure(TooLarge("affected", max_affected, "entities"))
        for first in range(0, len(rows), _TOGETHER):
            failed = await self._change_part(write, rows[first : first + _TOGETHER], patch, inner)
            if failed is not None:
                return failed
        return Success(len(rows))

    async def _change_part(
        self, write: Write, rows: Sequence[Row], patch: Patch, inner: Repository[E]
    ) -> Failure[Error] | None:
        resource, recorder = self._resource, self._recorder
        (name,) = resource.key
        those = Where(name, Operator.IN, tuple(row[name] for row in rows))
        after: Mapping[Key, Row] = {}
        if write is UPDATE:
            changed = await inner.update_where(those, patch, max_affected=len(rows))
            if isinstance(changed, Failure):
                return changed
            read = await inner.select(Query(specification=those, page=PageRequest(limit=len(rows))))
            if isinstance(read, Failure):
                return read
            after = {row[name]: row for row in read.unwrap().items}
        else:
            changed = await inner.remove_where(those, max_affected=len(rows))
            if isinstance(changed, Failure):
                return changed
        if changed.unwrap() != len(rows) or (write is UPDATE and len(after) != len(rows)):
            # They were held; whatever has come between them and this change, not everything would be recorded.
            return Failure(SerializationConflict(resource.database))
        if not recorder.is_wanted(write.event, resource):
            return None
        make = recorder.event_factory(write.event, resource)
        tells_before = recorder.needs_before_values(write.event, resource)
        events: list[DomainEvent] = []
        for row in rows:
            details: dict[str, object] = {"before": dict(resource.recorded_row(row))} if tells_before else {}
            if write is UPDATE:
                now = after[row[name]]
                details["changed"] = frozenset(patch)
                details["values"] = dict(resource.recorded_row(now))
                details["version"] = None if resource.version is None else str(now[resource.version])
            events.append(make(row[name], **details))
        recorder.record(events, resource=resource)
        return None

    def _query_of_matches(self, specification: Specification, max_affected: int) -> Query:
        """Return the query of the matches of *specification*, and of one more than may be changed."""
        return Query(
            specification=self._access.restrict_relations(specification),
            page=PageRequest(limit=max_affected + 1),
        )

    async def _change_one_by_one(
        self,
        write: Write,
        specification: Specification,
        max_affected: int,
        change: Callable[[Key], Awaitable[Outcome[object]]],
    ) -> Outcome[int]:
        """Apply *change* to each match of *specification* that the caller may *write*; return their number."""
        query = self._query_of_matches(specification, max_affected)
        found = await self._scope_to_grant(self._inner, write).select(query)
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
