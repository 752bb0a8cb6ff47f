"""The record of what one unit of work did, for subscribers and the journal."""

import contextlib
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final, TypeVar

from returns.result import Failure, Success

from fastapi_easy.application.application_ports import ApplicationPorts
from fastapi_easy.application.cached_tables import Effect
from fastapi_easy.application.changes.writes import Write
from fastapi_easy.application.context import Context
from fastapi_easy.domain.changes.change import BeforeChange
from fastapi_easy.domain.changes.events import DomainEvent, EntityCreated
from fastapi_easy.domain.changes.journal import JournalRow
from fastapi_easy.domain.changes.lazy_sequence import LazySequence
from fastapi_easy.domain.changes.row import Row
from fastapi_easy.domain.errors import Error, Key, Outcome
from fastapi_easy.domain.ports.event_bus import Interest
from fastapi_easy.domain.ports.journal import Journal
from fastapi_easy.domain.ports.unit_of_work import UnitOfWork, UnitOfWorkMisuse
from fastapi_easy.domain.resources.resource import Resource

_SUCCESS: Final[Outcome[None]] = Success(None)

E = TypeVar("E", bound=DomainEvent)
B = TypeVar("B", bound=BeforeChange)


class Recorder:
    """Records the writes of *work* for the caller of *context*, and announces them to before-change handlers.

    Args:
        work: The unit of work of the store.

        ports: The ports of the application: event bus, journal, clock.

        context: The context of the call.

    Attributes:
        by_system: Whether the writes are made as the system, without the caller's limits.

        root: The recorder of the caller, which also keeps what is recorded as the system; `None` in that one.

        unwritten: The events not yet written to the journal; `None` when there are none.

        unaudited: The events not yet written to the audit trail; `None` when there are none.

        raised: The generations to raise with the commit, each with its database; `None` when there are none.

        commit_failures: The reasons that prevent the commit; `None` when there are none.

        unfinished: The number of changes that are being authorized or announced, and are made afterwards.
    """

    __slots__ = (
        "_ports",
        "_work",
        "by_system",
        "commit_failures",
        "context",
        "raised",
        "root",
        "unaudited",
        "unfinished",
        "unwritten",
    )

    def __init__(self, work: UnitOfWork, ports: ApplicationPorts, context: Context) -> None:
        self.context = context
        self.by_system = False
        self._work = work
        self._ports = ports
        # Lists are made only when needed: each container that lives as long as a call brings the next garbage
        # collection closer.
        self.root: Recorder | None = None
        self.unwritten: list[Sequence[DomainEvent]] | None = None
        self.unaudited: list[Sequence[DomainEvent]] | None = None
        self.raised: set[tuple[str, str]] | None = None
        self.commit_failures: list[Failure[Error]] | None = None
        self.unfinished = 0

    def for_system(self) -> "Recorder":
        """Return a recorder of the same unit of work, whose writes are the system's."""
        system = Recorder(self._work, self._ports, self.context)
        system.by_system = True
        system.root = self.root or self
        return system

    @property
    def has_pending(self) -> bool:
        """Whether something is to be written before the commit, or the commit is to be prevented."""
        root = self.root or self
        return (
            root.unwritten is not None
            or root.unaudited is not None
            or root.raised is not None
            or root.commit_failures is not None
        )

    @property
    def work(self) -> UnitOfWork:
        """The unit of work of the store."""
        return self._work

    def journal_of(self, resource: Resource[object]) -> Journal | None:
        """Return the journal written with every change of *resource*; `None` when there is none."""
        return self._ports.journal_of(resource)

    def drafting_journal(self, resource: Resource[object]) -> Journal | None:
        """Return the journal of *resource* whose rows may be drafted before the next change; `None` where none may.

        Nothing that was recorded before may be waiting to be written: rows about one entity are in the order of its
        changes. In a dry run nothing is written at all.
        """
        journal = self._ports.journal_of(resource)
        if journal is None or not journal.supports_drafts or self.context.dry_run is not None:
            return None
        return journal if (self.root or self).unwritten is None else None

    def is_observed(self, write: Write, resource: Resource[object]) -> bool:
        """Return whether *write* has before-change handlers, subscribers, records, or a dry run to report to."""
        interest, name = self._ports.event_bus.interest, resource.name
        return (
            self._ports.journal_of(resource) is not None
            or resource.audit is not None
            or self.context.dry_run is not None
            or interest(write.before_change, name) is not Interest.NONE
            or interest(write.event, name) is not Interest.NONE
        )

    def has_before_handlers(self, change: type[BeforeChange], resource: Resource[object]) -> bool:
        """Return whether handlers are subscribed to *change*, which is announced before it is made."""
        return self._ports.event_bus.interest(change, resource.name) is not Interest.NONE

    async def ask(
        self, kind: type[B], resource: Resource[object], work: UnitOfWork, **details: Any
    ) -> Outcome[B]:
        """Announce a change before it is made; return it as its handlers leave it.

        Fails with: the error of a `Veto`.
        """
        context = self.context
        change = kind(
            resource=resource.name,
            principal=context.principal,
            tenant=context.tenant,
            correlation_id=context.correlation_id,
            work=work,
            **details,
        )
        asked = await self._ports.event_bus.ask(change)
        return asked if isinstance(asked, Failure) else Success(change)

    def is_wanted(self, event: type[DomainEvent], resource: Resource[object]) -> bool:
        """Return whether *event* has subscribers, a journal, an audit trail, or a dry run to report to."""
        return (
            self._ports.journal_of(resource) is not None
            or resource.audit is not None
            or self.context.dry_run is not None
            or self._ports.event_bus.interest(event, resource.name) is not Interest.NONE
        )

    def needs_before_values(self, event: type[DomainEvent], resource: Resource[object]) -> bool:
        """Return whether *event* shall hold the values from before the change."""
        journal = self._ports.journal_of(resource)
        if resource.audit is not None or (journal is not None and journal.wants_before(resource)):
            return True
        return self._ports.event_bus.interest(event, resource.name) is Interest.BEFORE

    def event_factory(self, event: type[E], resource: Resource[object]) -> Callable[..., E]:
        """Return a function that makes events of one kind from a key and their details, all with the same time: now."""
        context, now = self.context, self._ports.clock.now()
        make: Any = event

        def made(key: Key, **details: object) -> E:
            happened: E = make(
                resource=resource.name,
                key=key,
                actor=context.principal.id,
                tenant=context.tenant,
                by_system=self.by_system,
                correlation_id=context.correlation_id,
                occurred_at=now,
                **details,
            )
            return happened

        return made

    def record(
        self,
        events: Sequence[DomainEvent],
        *,
        is_written: bool = False,
        resource: Resource[object] | None = None,
    ) -> None:
        """Publish *events* if the unit of work commits; tell the journal and the audit trail of them.

        Args:
            events: What happened.

            is_written: The journal holds them already.

            resource: To which it happened; `None` if that may be several.
        """
        self._work.record_all(events)
        if self._ports.audit is not None and (resource is None or resource.audit is not None):
            root = self.root or self
            if root.unaudited is None:
                root.unaudited = []
            root.unaudited.append(events)
        if self._ports.journal is not None and not is_written:
            root = self.root or self
            if root.unwritten is None:
                root.unwritten = []
            root.unwritten.append(events)

    def record_creations(self, resource: Resource[object], rows: Sequence[Row]) -> None:
        """Record the creation of *rows* at one time, now; their events are made lazily."""
        make, version = self.event_factory(EntityCreated, resource), resource.version
        shown = (
            resource.visible_rows(rows)
            if resource.secrets is None
            else [resource.recorded_row(row) for row in rows]
        )

        def creations() -> Sequence[DomainEvent]:
            return [
                make(
                    resource.key_of(row),
                    values=dict(values),
                    version=None if version is None else str(row[version]),
                )
                for row, values in zip(rows, shown, strict=True)
            ]

        self.record(LazySequence(len(rows), creations), resource=resource)

    def raise_generations(self, resource: Resource[object], effect: Effect) -> None:
        """Raise with the commit what kept answers know *resource* by, of whose entities some are written."""
        cached = self._ports.cached
        if cached is not None:
            # The system is bound to no tenant.
            tenant = None if self.by_system else self.context.tenant
            root = self.root or self
            if root.raised is None:
                root.raised = set()
            names = cached.names_for_change(resource, effect, tenant)
            root.raised.update((resource.database, name) for name in names)

    @contextlib.contextmanager
    def unfinished_change(self) -> Iterator[None]:
        """Mark a change as unfinished during the block, so that nobody commits what came before without it."""
        root = self.root or self
        root.unfinished += 1
        try:
            yield
        finally:
            root.unfinished -= 1

    def reject_unfinished_changes(self) -> None:
        """Reject to commit in the middle of a change, which would be made after the commit and be lost.

        Raises:
            UnitOfWorkMisuse: There is one: of another task, or of the handler that commits.
        """
        if (self.root or self).unfinished:
            raise UnitOfWorkMisuse(
                "a change is not finished yet: a unit of work belongs to one task; open a unit of work for each task, "
                "and commit after the change instead of in a handler before it"
            )

    def prevent_commit(self, refusal: Failure[Error]) -> Failure[Error]:
        """Prevent the unit of work from being committed, because of *refusal*; return that."""
        root = self.root or self
        if root.commit_failures is None:
            root.commit_failures = []
        root.commit_failures.append(refusal)
        return refusal

    async def write(self) -> Outcome[None]:
        """Write what was recorded to the journal, raise the generations, then write to the audit trail.

        Fails with: why nothing may become durable; what `UnitOfWork.keep`, `Generations.raise_in` and
        `AuditTrail.record_in` fail with.
        """
        root = self.root or self
        if root.commit_failures:
            return root.commit_failures[0]
        journal, unwritten, raised, unaudited = (
            self._ports.journal,
            root.unwritten,
            root.raised,
            root.unaudited,
        )
        root.unwritten = root.raised = root.unaudited = None
        rows = [row for events in unwritten or () for event in events for row in _rows(journal, event)]
        try:
            written = await self._work.keep(rows) if rows else _SUCCESS
            # Last, since whoever raises the same waits from here on until the commit; and so does whoever writes the
            # same chain.
            if raised and not isinstance(written, Failure):
                written = await self._raise(raised)
            if unaudited and not isinstance(written, Failure):
                written = await self._audit(unaudited)
        except UnitOfWorkMisuse:
            root.restore(unwritten or [], raised or set(), unaudited or [])
            raise
        if isinstance(written, Failure):
            _ = self.prevent_commit(written)
        return written

    async def _raise(self, raised: set[tuple[str, str]]) -> Outcome[None]:
        cached = self._ports.cached
        # In one order, so that no two transactions wait for each other. A unit of work is in one database.
        names = sorted(raised)
        if cached is None:
            return _SUCCESS
        return await cached.generations[names[0][0]].raise_in(self._work, [name for _, name in names])

    async def _audit(self, unaudited: Sequence[Sequence[DomainEvent]]) -> Outcome[None]:
        trail = self._ports.audit
        if trail is None:
            return _SUCCESS
        return await trail.record_in(self._work, [event for events in unaudited for event in events])

    def restore(
        self,
        events: list[Sequence[DomainEvent]],
        raised: set[tuple[str, str]],
        unaudited: list[Sequence[DomainEvent]],
    ) -> None:
        """Have *events* written, *raised* raised, and *unaudited* audited by the next commit: this one was refused."""
        self.unwritten = [*events, *(self.unwritten or ())] or None
        self.unaudited = [*unaudited, *(self.unaudited or ())] or None
        self.raised = {*raised, *(self.raised or ())} or None

    def clear(self) -> None:
        """Forget what was recorded: the unit of work was left."""
        root = self.root or self
        root.unwritten = root.raised = root.unaudited = root.commit_failures = None


def _rows(journal: Journal | None, event: DomainEvent) -> Sequence[JournalRow]:
    return () if journal is None else journal.rows(event)
