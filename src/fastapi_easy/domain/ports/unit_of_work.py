"""Units of work: all or nothing."""

from collections.abc import Sequence
from types import TracebackType
from typing import Any, Protocol, Self, runtime_checkable

from fastapi_easy.domain.changes.events import DomainEvent
from fastapi_easy.domain.changes.journal import JournalRow
from fastapi_easy.domain.errors import Outcome
from fastapi_easy.domain.ports.entity_repository import EntityRepository
from fastapi_easy.domain.ports.repository import Repository
from fastapi_easy.domain.resources.resource import Resource


class UnitOfWorkMisuse(RuntimeError):
    """The program uses a unit of work in a way that cannot be right; a defect, never an answer to a caller."""


class CommitGuard(Protocol):
    """Has a say in whether a unit of work may commit."""

    @property
    def remaining(self) -> float:
        """Seconds for which it certainly lets *guard* succeed; 0 once it is lost."""
        ...

    async def guard(self, work: "UnitOfWork") -> Outcome[None]:
        """Check that *work* may commit, and ensure that this stays so until it has; see `Lease.guard`."""
        ...


@runtime_checkable
class UnitOfWork(Protocol):
    """Changes to the resources of one database that become durable together, or not at all.

    An async context manager, entered once. Leaving it without `commit`, by whatever way, discards every write.
    Belongs to one task at a time. A call that begins while one of another task is running, also `commit`, raises
    `UnitOfWorkMisuse` and changes nothing, and so does every call after the end of the block, which waits for the one
    that is running. Tasks may hand a unit of work on: what counts is overlap.
    """

    async def __aenter__(self) -> Self:
        """Begin. The store is first spoken to when a repository is first used."""
        ...

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Discard what was not committed and give back the connection."""
        ...

    def repository(self, resource: Resource[Any] | str, *, last: bool = False) -> Repository[Any]:
        """Return the repository of *resource*, given itself or by name, inside this unit of work.

        Args:
            resource: Whose entities.

            last: All that is done with it is one write, which nothing follows but the commit, and nothing came
                before. It may become durable by itself, so that the store need not be told where the unit of work
                begins and ends.

        Raises:
            DeclarationError: *resource* lives in another database, or is not declared.
        """
        ...

    def entities(self, resource: Resource[Any] | str) -> EntityRepository[Any]:
        """Return the entities of *resource* as instances of the user's class; else like `repository`."""
        ...

    def as_system(self) -> "UnitOfWork":
        """Return this unit of work without the caller's limits: for what is meant for the system, not for the caller.

        The same transaction; to be committed by whoever commits this one. Events of changes that are made through it
        say so (`DomainEvent.by_system`).
        """
        ...

    async def keep(self, rows: Sequence[JournalRow]) -> Outcome[None]:
        """Write *rows* into the system's own tables, in the transaction of this unit of work.

        Fails with:
            Unsupported: The store has no transactions, so that nothing could be all or nothing.

            Unavailable: It did not answer.
        """
        ...

    def record(self, event: DomainEvent) -> None:
        """Publish *event* if and when this unit of work commits; forget it otherwise."""
        ...

    def record_all(self, events: Sequence[DomainEvent]) -> None:
        """Record each of *events*, as `record` does; they are not looked into until they are published."""
        ...

    def bind(self, lease: CommitGuard) -> None:
        """Commit only while *lease* is held, from now on. To be called before the first repository is asked for."""
        ...

    @property
    def events(self) -> Sequence[DomainEvent]:
        """The events that were recorded since the last commit."""
        ...

    async def commit(self) -> Outcome[None]:
        """Make every write durable, then publish the recorded events. What follows begins anew.

        Fails with:
            LockLost: A lease it was bound to is not held any more; nothing was changed.

            AlreadyExists, ReferenceBroken, CheckFailed: A rule that the store checks at commit was broken.

            Unavailable: The store did not answer, and nothing was changed.

            OutcomeUnknown: The answer to the commit was lost.
        """
        ...


def innermost(work: UnitOfWork) -> UnitOfWork:
    """Return the unit of work of the store, around which stands what a caller is handed."""
    inner: UnitOfWork = getattr(work, "inner", work)
    return inner
