"""Authorization before a caller's write, and its recording afterwards."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final, TypeVar

from returns.result import Failure, Success

from fastapi_easy.application.access import Access
from fastapi_easy.application.changes.recorder import Recorder
from fastapi_easy.application.changes.references import (
    ReferencedEntity,
    complete_references,
    find_hidden_reference,
    may_refer_to_hidden,
)
from fastapi_easy.application.changes.visibility import are_all_visible
from fastapi_easy.application.changes.writes import CREATE, CREATE_STORED, UPDATE, Write
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
    Unavailable,
    UnavailableReason,
)
from fastapi_easy.domain.ports.repository import EVERYTHING, Repository
from fastapi_easy.domain.ports.unit_of_work import UnitOfWork
from fastapi_easy.domain.queries.specification import Specification
from fastapi_easy.domain.resources.resource import Resource
from fastapi_easy.domain.scoped_repository import ScopedRepository, deleted_entities, with_journal_rows

E = TypeVar("E")
T = TypeVar("T")

_MAX_ATTEMPTS: Final = 20
"""Attempts to read and change an entity while concurrent callers change it in between."""


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

    def _needs_check(self, write: Write) -> bool:
        """Return whether *write* must be authorized or announced before it is made."""
        return self._access.is_limited or self._recorder.has_before_handlers(
            write.before_change, self._resource
        )

    def _is_unobserved(self, write: Write) -> bool:
        """Return whether *write* can go straight to the store: no limits, no subscribers, no journal."""
        return not (self._access.is_limited or self._recorder.is_observed(write, self._resource))

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
        creates = write is CREATE or write is CREATE_STORED
        if access.is_limited:
            grant = access.grant(resource, write.operation)
            if grant is None:
                return Failure(Forbidden(resource.name, str(write.operation)))
            if creates and grant.stamps:
                values = {**values, **grant.stamps}
        if self._recorder.has_before_handlers(write.before_change, resource):
            # What the handlers write must be committed or rolled back together with this write.
            _ = self._join_transaction()
            details: dict[str, object] = {} if creates else {"key": key}
            if creates or write is UPDATE:
                details["values"] = dict(values)
            with self._recorder.unfinished_change():
                asked = await self._recorder.ask(write.before_change, resource, self._work, **details)
            if isinstance(asked, Failure):
                return asked
            values = getattr(asked.unwrap(), "values", values)
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
        """Return *inner* limited to the entities on which the caller may perform *write*."""
        return (
            self._access.scope_repository(self._resource, inner, write.operation)
            if self._access.is_limited
            else inner
        )

    async def _change_and_record(
        self,
        write: Write,
        key: Key,
        expected_version: str | None,
        scope: Specification,
        change: Callable[[Repository[E], str | None], Awaitable[Outcome[T]]],
        details: Mapping[str, object],
    ) -> Outcome[T]:
        """Perform *change*, record it, and return its outcome."""
        draft: DomainEvent | None = None
        if write.has_before_values and self._recorder.needs_before_values(write.event, self._resource):
            known = await self._change_with_before(write, key, expected_version, scope, change)
            if isinstance(known, Failure):
                return known
            before, answer = known.unwrap()
            details = {**details, "before": dict(self._resource.visible_row(before))}
            done: Outcome[T] = Success(answer)
        else:
            inner = self._inner
            if self._is_single_write and self._recorder.journal is not None:
                inner, draft = self._with_draft_event(write, key, details)
            done = await change(self._scope_to_grant(inner, write), expected_version)
            if isinstance(done, Failure):
                return done
            answer = done.unwrap()
        row = answer if isinstance(answer, Row) else None
        denied = await self._record_change(write, key, row, details, draft)
        return done if denied is None else denied

    async def _change_with_before(
        self,
        write: Write,
        key: Key,
        expected_version: str | None,
        scope: Specification,
        change: Callable[[Repository[E], str | None], Awaitable[Outcome[T]]],
    ) -> Outcome[tuple[Row, T]]:
        """Perform *change*; return the entity as it was just before, and the result.

        The entity is read first and changed only at the version that was read (optimistic concurrency), so that the
        event tells of the values this very change has replaced.
        """
        inner = self._scope_to_grant(self._join_transaction(), write)
        for _ in range(_MAX_ATTEMPTS):
            seen = await inner.read(key, scope=scope)
            if isinstance(seen, Failure):
                return seen
            version = self._resource.version_of(seen.unwrap())
            if expected_version is not None and version != expected_version:
                return Failure(Stale(self._resource.name, key, version))
            done = await change(inner, version)
            if not isinstance(done, Failure):
                return Success((seen.unwrap(), done.unwrap()))
            if expected_version is not None or not isinstance(done.failure(), Stale):
                return done
        return Failure(Unavailable(self._resource.database, reason=UnavailableReason.CONFLICT))

    def _with_draft_event(
        self, write: Write, key: Key, details: Mapping[str, object]
    ) -> tuple[Repository[E], DomainEvent | None]:
        """Return a repository that writes the journal rows together with a single write, and the draft of its event.

        Without an event they come later, in the transaction.
        """
        journal = self._recorder.journal
        if journal is not None and journal.supports_drafts:
            if write.has_values:
                counted = None if self._resource.version is None else ValuePlaceholder.VERSION
                details = {**details, "values": ValuePlaceholder.VALUES, "version": counted}
            draft = self._recorder.event_factory(write.event, self._resource)(key, **details)
            with_rows = with_journal_rows(self._inner, journal.rows(draft))
            if with_rows is not None:
                return with_rows, draft
        return self._join_transaction(), None

    def _join_transaction(self) -> Repository[E]:
        """Return the repository inside the transaction, which is used from now on."""
        if self._is_single_write:
            inside = self._recorder.work.repository(self._resource)
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
    ) -> Failure[Error] | None:
        """Record the change, or refuse it when the caller could no longer see the entity."""
        resource, recorder = self._resource, self._recorder
        if row is not None and self._access.is_limited:
            hidden = await self._reject_hidden([row], write)
            if hidden is not None:
                return hidden
        if draft is None and not recorder.is_wanted(write.event, resource):
            return None
        if row is not None:
            version = None if resource.version is None else str(row[resource.version])
            details = {**details, "values": dict(resource.visible_row(row)), "version": version}
        if draft is None:
            recorder.record([recorder.event_factory(write.event, resource)(key, **details)])
        else:
            # The rows of the journal were written with the change; subscribers get the event with its actual values.
            written: Any = replace(draft, key=key, **details)
            recorder.record([written], is_written=True)
        return None

    async def _reject_hidden(self, rows: Sequence[Row], write: Write) -> Failure[Error] | None:
        """Return a `Forbidden` failure, and prevent the commit, when the caller could no longer see all *rows*."""
        if self._access.sees_all(self._resource):
            return None
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
        """Return the repositories that show *rows*: only a restore stores entities that are marked as deleted."""
        mark = self._resource.soft_delete
        if write is not CREATE_STORED or mark is None:
            return [(self, rows)]
        deleted = [row for row in rows if row[mark] is not None]
        alive = [row for row in rows if row[mark] is None]
        return [(where, some) for where, some in ((self, alive), (deleted_entities(self), deleted)) if some]
