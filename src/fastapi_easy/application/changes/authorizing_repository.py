"""Authorization before a caller's write, and its recording afterwards."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final, TypeVar

from returns.result import Failure, Success

from fastapi_easy.application.access import Access
from fastapi_easy.application.changes.granted_writes import (
    scope_to_grant,
    stamp,
    stays_in_sight,
    surely_allowed,
)
from fastapi_easy.application.changes.recorder import Recorder
from fastapi_easy.application.changes.references import (
    ReferencedEntity,
    complete_references,
    find_hidden_reference,
    may_refer_to_hidden,
)
from fastapi_easy.application.changes.rule_checking_repository import RuleCheckingRepository
from fastapi_easy.application.changes.visibility import are_all_visible
from fastapi_easy.application.changes.writes import CREATE_STORED, RESTORE, UPDATE, Write
from fastapi_easy.domain.changes.events import DomainEvent
from fastapi_easy.domain.changes.journal import ValuePlaceholder
from fastapi_easy.domain.changes.patch import Values
from fastapi_easy.domain.changes.row import Row
from fastapi_easy.domain.errors import (
    Error,
    Forbidden,
    Key,
    Outcome,
    Stale,
)
from fastapi_easy.domain.ports.repository import EVERYTHING, Repository
from fastapi_easy.domain.ports.unit_of_work import UnitOfWork
from fastapi_easy.domain.queries.query import Query
from fastapi_easy.domain.queries.specification import Specification
from fastapi_easy.domain.resources.resource import Resource
from fastapi_easy.domain.resources.secret_fields import find_passwords
from fastapi_easy.domain.scoped_repository import ScopedRepository, deleted_entities, with_journal_rows
from fastapi_easy.domain.unavailable import SerializationConflict

E = TypeVar("E")
T = TypeVar("T")

_MAX_ATTEMPTS: Final = 20
"""Attempts to read and change an entity while concurrent callers change it in between."""

_WRITES_ACROSS_DELETION: Final = (CREATE_STORED, RESTORE)
"""The writes whose entities may be marked as deleted before or after them."""


class AuthorizingRepository(ScopedRepository[E]):
    """A repository whose writes are authorized and recorded; `CallerRepository` adds the write methods.

    Args:
        resource: The resource of the entities.

        inner: The repository of the store, inside *work*.

        work: The caller's unit of work.

        access: The permissions of the caller.

        recorder: Records every change.

        is_single_write: There will be one write only, which *inner* commits by itself, without a transaction around it.

        deleted_only: Whether the entities are those marked as deleted.
    """

    def __init__(
        self,
        resource: Resource[Any],
        inner: Repository[E],
        work: UnitOfWork,
        access: Access,
        recorder: Recorder,
        *,
        is_single_write: bool = False,
        deleted_only: bool = False,
    ) -> None:
        self._resource = resource
        super().__init__(inner, access.read_grant(resource).rows if access.is_limited else EVERYTHING)
        self._work = work
        self._access = access
        self._recorder = recorder
        self._is_single_write = is_single_write
        self._is_deleted_only = deleted_only

    def _scope(self, specification: Specification) -> Specification:
        if not self._access.is_limited:
            return specification
        return super()._scope(self._access.restrict_relations(specification))

    def _scope_query(self, query: Query) -> Query:
        restricted = super()._scope_query(query)
        order = self._access.restrict_order(query.order)
        return restricted if order is query.order else replace(restricted, order=order)

    def _needs_check(self, write: Write) -> bool:
        """Return whether *write* must be authorized or announced before it is made."""
        return self._is_limited(write) or self._recorder.has_before_handlers(
            write.before_change, self._resource
        )

    def _is_unobserved(self, write: Write) -> bool:
        """Return whether *write* can go straight to the store: no limits, no subscribers, no journal."""
        return not (self._is_limited(write) or self._recorder.is_observed(write, self._resource))

    def _find_unobserved(self, write: Write, values: Values) -> Values | None:
        """Return what to store of *values* where *write* can go straight to the store, by the grant of the caller.

        Nothing observes it, and the store has to be asked for nothing: the entity surely stays in sight, and refers to
        none that may be hidden. `None` where that is not so, or not known, or the caller may not.
        """
        if self._recorder.is_observed(write, self._resource):
            return None
        return surely_allowed(write, values, self._resource, self._access, self._visible)

    def _is_limited(self, write: Write) -> bool:
        """Return whether *write* may be refused: the system, too, has to say for which tenant it creates."""
        return self._access.is_limited or (write.creates and self._resource.tenant is not None)

    def _stays_in_sight(self, write: Write, values: Values) -> bool:
        """Return whether an entity that the caller sees, or creates, is in their sight after *write* sets *values*."""
        return stays_in_sight(write, values, self._resource, self._access, self._visible)

    def _is_one_statement(self, write: Write, values: Values) -> bool:
        """Return whether *write* with *values* can be made of all entities of a specification at once.

        Nothing observes the single changes, and all entities of the caller's tenant may be changed, and stay theirs.
        """
        access, resource = self._access, self._resource
        granted = access.grant(resource, write.operation)
        return (
            granted is not None
            and access.sees_tenant(resource)
            and granted.rows == access.read_grant(resource).rows
            and self._stays_in_sight(write, values)
            and not self._recorder.is_observed(write, resource)
            and not may_refer_to_hidden(resource, values, access)
        )

    async def _authorize(
        self, write: Write, values: Values, key: Key = None, visible: set[ReferencedEntity] | None = None
    ) -> Outcome[Values]:
        """Authorize *write*; return the values to store, as stamps and before-change handlers leave them.

        Writes that share *visible* check each referenced entity once.

        Fails with:
            Forbidden: The caller may not do this.

            ReferenceBroken: An entity is referred to that the caller may not see.
        """
        resource, access = self._resource, self._access
        stamped = stamp(write, values, resource, access)
        if isinstance(stamped, Failure):
            return stamped
        values = stamped
        if self._recorder.has_before_handlers(write.before_change, resource):
            # What the handlers write must be committed or rolled back together with this write.
            _ = self._join_transaction()
            details: dict[str, object] = {} if write.creates else {"key": key}
            withheld: Values = {}
            if write.creates or write is UPDATE:
                withheld = find_passwords(resource.secrets, values)
                details["values"] = {name: each for name, each in values.items() if name not in withheld}
            with self._recorder.unfinished_change():
                asked = await self._recorder.ask(write.before_change, resource, self._work, **details)
            if isinstance(asked, Failure):
                return asked
            values = {**getattr(asked.unwrap(), "values", values), **withheld}
        if access.is_limited and may_refer_to_hidden(resource, values, access):
            # A single write uses a connection of its own. Queries inside the transaction could wait for its locks while
            # it waits for them, so the write joins the transaction first.
            inner = self._scope_to_grant(self._join_transaction(), write)
            known = set[ReferencedEntity]() if visible is None else visible
            with self._recorder.unfinished_change():
                referring = (
                    await complete_references(resource, key, values, inner) if write is UPDATE else values
                )
                if isinstance(referring, Failure):
                    return referring
                hidden = await find_hidden_reference(resource, referring, access, self._work, known)
            if hidden is not None:
                return hidden
        return Success(values)

    def _scope_to_grant(self, inner: Repository[E], write: Write) -> Repository[E]:
        """Return *inner* limited to the entities the caller may access, and of these to those they may *write*."""
        return scope_to_grant(inner, write, self._resource, self._access, self._visible)

    async def _change_and_record(
        self,
        write: Write,
        key: Key,
        expected_version: str | None,
        scope: Specification,
        change: Callable[[Repository[E], str | None], Awaitable[Outcome[T]]],
        details: Mapping[str, object],
        values: Values,
    ) -> Outcome[T]:
        """Perform *change*, which sets *values*, record it, and return its outcome."""
        draft: DomainEvent | None = None
        stays: bool | None = None
        if write.has_before_values and self._recorder.needs_before_values(write.event, self._resource):
            known = await self._change_with_before(write, key, expected_version, scope, change, details)
            if isinstance(known, Failure):
                return known
            before, answer, draft = known.unwrap()
            details = {**details, "before": dict(self._resource.recorded_row(before))}
            done: Outcome[T] = Success(answer)
        else:
            if write.has_values:
                stays = self._join_unless_in_sight(write, values)
            inner, draft = self._drafted(write, key, details)
            done = await change(self._scope_to_grant(inner, write), expected_version)
            if isinstance(done, Failure):
                return done
            answer = done.unwrap()
        row = answer if isinstance(answer, Row) else None
        if stays is None:
            stays = row is None or not self._access.is_limited or self._stays_in_sight(write, values)
        denied = await self._record_change(write, key, row, details, draft, stays=stays)
        return done if denied is None else denied

    async def _change_with_before(
        self,
        write: Write,
        key: Key,
        expected_version: str | None,
        scope: Specification,
        change: Callable[[Repository[E], str | None], Awaitable[Outcome[T]]],
        details: Mapping[str, object],
    ) -> Outcome[tuple[Row, T, DomainEvent | None]]:
        """Perform *change*; return the entity as it was just before, the result, and the draft of its event if any.

        The entity is read first and changed only at the version that was read (optimistic concurrency), so that the
        event tells of the values this very change has replaced.
        """
        reading = self._scope_to_grant(self._join_transaction(), write)
        for _ in range(_MAX_ATTEMPTS):
            seen = await reading.read(key, scope=scope)
            if isinstance(seen, Failure):
                return seen
            row = seen.unwrap()
            version = self._resource.version_of(row)
            if expected_version is not None and version != expected_version:
                return Failure(Stale(self._resource.name, key, version))
            told = {**details, "before": dict(self._resource.recorded_row(row))}
            inner, draft = self._drafted(write, key, told)
            done = await change(self._scope_to_grant(inner, write), version)
            if not isinstance(done, Failure):
                return Success((row, done.unwrap(), draft))
            if expected_version is not None or not isinstance(done.failure(), Stale):
                return done
        return Failure(SerializationConflict(self._resource.database))

    def _drafted(
        self, write: Write, key: Key, details: Mapping[str, object]
    ) -> tuple[Repository[E], DomainEvent | None]:
        """Return a repository that inserts the journal rows in the statement of a write, and the draft of its event.

        Without an event they come later, in the transaction; or there is no journal.
        """
        if self._recorder.journal_of(self._resource) is None:
            return self._inner, None
        journal = self._recorder.drafting_journal(self._resource)
        if journal is not None:
            if write.has_values:
                counted = None if self._resource.version is None else ValuePlaceholder.VERSION
                details = {**details, "values": ValuePlaceholder.VALUES, "version": counted}
            draft = self._recorder.event_factory(write.event, self._resource)(key, **details)
            with_rows = with_journal_rows(self._inner, journal.rows(draft))
            if with_rows is not None:
                return with_rows, draft
        return self._join_transaction(), None

    def _join_unless_in_sight(self, write: Write, values: Values) -> bool:
        """Make a single write that may take an entity out of the caller's sight one that can be undone.

        Returns whether none can be taken out of it.
        """
        stays = not self._access.is_limited or self._stays_in_sight(write, values)
        if not stays:
            _ = self._join_transaction()
        return stays

    def _join_transaction(self) -> Repository[E]:
        """Return the repository inside the transaction, which is used from now on."""
        if self._is_single_write:
            inside = self._recorder.work.repository(self._resource)
            if self._resource.rules is not None or self._resource.mergeable:
                inside = RuleCheckingRepository(self._resource, inside)
            self._inner = deleted_entities(inside) if self._is_deleted_only else inside
            self._is_single_write = False
        return self._inner

    async def _record_change(
        self,
        write: Write,
        key: Key,
        row: Row | None,
        details: Mapping[str, Any],
        draft: DomainEvent | None = None,
        *,
        stays: bool,
    ) -> Failure[Error] | None:
        """Record the change, or refuse it when the caller could no longer see the entity, unless it surely *stays*."""
        resource, recorder = self._resource, self._recorder
        if row is not None and not stays:
            hidden = await self._reject_hidden([row], write)
            if hidden is not None:
                return hidden
        if draft is None and not recorder.is_wanted(write.event, resource):
            return None
        if row is not None:
            version = None if resource.version is None else str(row[resource.version])
            details = {**details, "values": dict(resource.recorded_row(row)), "version": version}
        if draft is None:
            made = recorder.event_factory(write.event, resource)(key, **details)
            recorder.record([made], resource=resource)
        else:
            # The rows of the journal were written with the change; subscribers get the event with its actual values.
            written: Any = replace(draft, key=key, **details)
            recorder.record([written], is_written=True, resource=resource)
        return None

    async def _reject_hidden(self, rows: Sequence[Row], write: Write) -> Failure[Error] | None:
        """Return a `Forbidden` failure, and prevent the commit, when the caller could no longer see all *rows*."""
        forbidden = Failure[Error](Forbidden(self._resource.name, str(write.operation)))
        for repository, some in self._split_deleted(rows, write):
            seen = await are_all_visible(self._resource, some, repository)
            if isinstance(seen, Failure):
                return seen
            if not seen.unwrap():
                return self._recorder.prevent_commit(forbidden)
        return None

    def _split_deleted(
        self, rows: Sequence[Row], write: Write
    ) -> Sequence[tuple[Repository[E], Sequence[Row]]]:
        """Return the repositories that show *rows*: those that are marked as deleted are shown by another one."""
        mark = self._resource.soft_delete
        if write not in _WRITES_ACROSS_DELETION or mark is None:
            return [(self, rows)]
        living: Repository[E] = self._work.repository(self._resource) if self._is_deleted_only else self
        deleted = [row for row in rows if row[mark] is not None]
        alive = [row for row in rows if row[mark] is None]
        return [(where, some) for where, some in ((living, alive), (deleted_entities(self), deleted)) if some]
