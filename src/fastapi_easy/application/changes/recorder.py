"""What was done in one unit of work, for those who want to know: subscribers, and the journal."""

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from returns.result import Failure, Success

from fastapi_easy.application.changes.writes import Write
from fastapi_easy.application.context import Context
from fastapi_easy.application.rules import Rules
from fastapi_easy.domain.changes.change import BeforeChange
from fastapi_easy.domain.changes.events import DomainEvent, EntityCreated
from fastapi_easy.domain.changes.lazy_sequence import Deferred
from fastapi_easy.domain.changes.row import Row
from fastapi_easy.domain.errors import Error, Key, Outcome
from fastapi_easy.domain.ports.event_bus import Interest
from fastapi_easy.domain.ports.journal import Journal
from fastapi_easy.domain.ports.unit_of_work import UnitOfWork
from fastapi_easy.domain.resources.resource import Resource

E = TypeVar("E", bound=DomainEvent)
B = TypeVar("B", bound=BeforeChange)


class Recorder:
    """Records the writes of *work* for the caller of *context*, and asks those who may refuse them.

    Args:
        work: The unit of work of the store.

        rules: Who wants to know, and who has a say.

        context: For whom the writes are made.

    Attributes:
        by_system: The writes are made beyond what the caller may do.

        main: The recorder of the caller, which keeps the notes of what is done as the system too; `None` in itself.

        unwritten: What the journal has not been told of yet; `None` when it knows all.

        refusals: Why nothing may become durable; `None` when everything may.
    """

    __slots__ = ("_rules", "_work", "by_system", "context", "main", "refusals", "unwritten")

    def __init__(self, work: UnitOfWork, rules: Rules, context: Context) -> None:
        self.context = context
        self.by_system = False
        self._work = work
        self._rules = rules
        # Lists only when there is something to note: all that waits with a call counts towards garbage collections.
        self.main: Recorder | None = None
        self.unwritten: list[Sequence[DomainEvent]] | None = None
        self.refusals: list[Failure[Error]] | None = None

    def for_system(self) -> "Recorder":
        """Return a recorder of the same unit of work, whose writes are the system's."""
        system = Recorder(self._work, self._rules, self.context)
        system.by_system = True
        system.main = self.main or self
        return system

    @property
    def has_notes(self) -> bool:
        """Whether there is anything to write, or a reason to write nothing."""
        main = self.main or self
        return main.unwritten is not None or main.refusals is not None

    @property
    def work(self) -> UnitOfWork:
        """The unit of work of the store."""
        return self._work

    @property
    def journal(self) -> Journal | None:
        """What is written beside every change."""
        return self._rules.journal

    def is_observed(self, write: Write, resource: Resource[Any]) -> bool:
        """Return whether anybody has a say in *write*, or wants to be told of it."""
        interest, name = self._rules.event_bus.interest, resource.name
        return (
            self._rules.journal is not None
            or self.context.dry_run is not None
            or interest(write.change, name) is not Interest.NONE
            or interest(write.event, name) is not Interest.NONE
        )

    def has_a_say(self, change: type[BeforeChange], resource: Resource[Any]) -> bool:
        """Return whether anybody is to be asked before a *change*."""
        return self._rules.event_bus.interest(change, resource.name) is not Interest.NONE

    async def ask(
        self, kind: type[B], resource: Resource[Any], work: UnitOfWork, **details: Any
    ) -> Outcome[B]:
        """Return the change as those who have a say in it leave it.

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
        asked = await self._rules.event_bus.ask(change)
        return asked if isinstance(asked, Failure) else Success(change)

    def is_wanted(self, event: type[DomainEvent], resource: Resource[Any]) -> bool:
        """Return whether anybody wants to be told of *event*."""
        return (
            self._rules.journal is not None
            or self.context.dry_run is not None
            or self._rules.event_bus.interest(event, resource.name) is not Interest.NONE
        )

    def is_before_wanted(self, event: type[DomainEvent], resource: Resource[Any]) -> bool:
        """Return whether *event* shall hold the values from before the change."""
        journal = self._rules.journal
        if journal is not None and journal.wants_before(resource):
            return True
        return self._rules.event_bus.interest(event, resource.name) is Interest.BEFORE

    def maker(self, event: type[E], resource: Resource[Any]) -> Callable[..., E]:
        """Return what makes events of one kind, which all happen now, of a key and of what they tell besides."""
        context, now = self.context, self._rules.clock.now()
        make: Any = event

        def made(key: Key, **details: Any) -> E:
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

    def record(self, events: Sequence[DomainEvent], *, is_written: bool = False) -> None:
        """Publish *events* if the unit of work commits, and tell the journal of them unless that *is_written*."""
        self._work.record_all(events)
        if self._rules.journal is not None and not is_written:
            main = self.main or self
            if main.unwritten is None:
                main.unwritten = []
            main.unwritten.append(events)

    def record_creations(self, resource: Resource[Any], rows: Sequence[Row]) -> None:
        """Record that *rows* came into being, all now; their events are made when somebody looks at them."""
        make, shown, version = self.maker(EntityCreated, resource), resource.all_shown(rows), resource.version

        def creations() -> Sequence[DomainEvent]:
            return [
                make(
                    resource.key_of(row),
                    values=dict(values),
                    version=None if version is None else str(row[version]),
                )
                for row, values in zip(rows, shown, strict=True)
            ]

        self.record(Deferred(len(rows), creations))

    def refuse(self, refusal: Failure[Error]) -> Failure[Error]:
        """Let nothing of the unit of work become durable, since the caller may not have done what was done in it."""
        main = self.main or self
        if main.refusals is None:
            main.refusals = []
        main.refusals.append(refusal)
        return refusal

    async def write(self) -> Outcome[None]:
        """Write the rows of the journal for what was recorded.

        Fails with: why nothing may become durable; what `UnitOfWork.keep` fails with.
        """
        main = self.main or self
        if main.refusals:
            return main.refusals[0]
        journal, unwritten = self._rules.journal, main.unwritten
        if journal is None or unwritten is None:
            return Success(None)
        main.unwritten = None
        rows = [row for events in unwritten for event in events for row in journal.rows(event)]
        if not rows:
            return Success(None)
        kept = await self._work.keep(rows)
        if isinstance(kept, Failure):
            _ = self.refuse(kept)
        return kept

    def forget(self) -> None:
        """Forget what was recorded: the unit of work was left."""
        main = self.main or self
        main.unwritten = main.refusals = None
