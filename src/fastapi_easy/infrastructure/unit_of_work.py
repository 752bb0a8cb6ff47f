"""The unit of work that adapters build upon."""

from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from types import TracebackType
from typing import Any, Final, Generic, Protocol, Self, TypeVar

from returns.result import Failure, Success

from fastapi_easy.domain.begun_commits import note_commit, take_back_commit
from fastapi_easy.domain.changes.events import DomainEvent
from fastapi_easy.domain.changes.journal import JournalRow
from fastapi_easy.domain.errors import DeclarationError, Error, Outcome, OutcomeUnknown
from fastapi_easy.domain.open_transaction import register_transaction
from fastapi_easy.domain.ports.entity_repository import EntityRepository
from fastapi_easy.domain.ports.event_bus import EventBus
from fastapi_easy.domain.ports.repository import Repository
from fastapi_easy.domain.ports.unit_of_work import CommitGuard, UnitOfWorkMisuse
from fastapi_easy.domain.resources.resource import Resource

T_co = TypeVar("T_co", covariant=True)
T = TypeVar("T")


class TransactionalDatabase(Protocol[T_co]):
    """A database in which transactions can be begun."""

    @property
    def name(self) -> str:
        """Its name in the settings."""
        ...

    def begin(self) -> T_co:
        """Return a new transaction; the store is first spoken to when something is done in it."""
        ...


_SUCCESS: Final[Outcome[None]] = Success(None)

D = TypeVar("D", bound=TransactionalDatabase[Any])


class TransactionalUnitOfWork(ABC, Generic[D, T]):
    """Implements `UnitOfWork`, except for how a transaction ends: a subclass of the adapter does that.

    Args:
        database: Where the transaction is.

        resources: Every resource of the application, by name.

        repositories: Makes the repository of each.

        event_bus: Where recorded events go after a commit.
    """

    def __init__(
        self,
        database: D,
        resources: Mapping[str, Resource[Any]],
        repositories: Mapping[str, Callable[[], Repository[Any]]],
        event_bus: EventBus,
    ) -> None:
        self._database = database
        self._resources = resources
        self._repositories = repositories
        self._event_bus = event_bus
        self._open_transaction: T | None = None
        self._events: Sequence[DomainEvent] = []
        self._touched: dict[str, Resource[Any]] = {}
        self._leases: tuple[CommitGuard, ...] = ()
        self._is_open = False
        self._has_ended = False

    @property
    def database(self) -> D:
        """The database of the transaction."""
        return self._database

    @property
    def transaction(self) -> T:
        """The transaction of this unit of work; begun when it is first needed."""
        return self._transaction

    async def __aenter__(self) -> Self:
        """Begin."""
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Discard what was not committed and give back the connection."""
        self._events = []
        self._has_ended = True
        if self._open_transaction is not None:
            try:
                await self._close()
            finally:
                self._is_open = False

    def repository(self, resource: Resource[Any] | str, *, last: bool = False) -> Repository[Any]:
        """Return the repository of *resource* inside this unit of work; for a *last* write, one that stands alone."""
        try:
            declared = self._resources[resource] if isinstance(resource, str) else resource
            name = declared.name
            make = self._repositories[name]
        except KeyError as missing:
            raise DeclarationError(
                [f"{missing} is not a resource of this application; declare it in the container"]
            ) from None
        if declared.database != self._database.name:
            raise DeclarationError([_wrong_database(name, declared.database, self._database.name)])
        made = make()
        # What stands alone would be durable before a lease is looked at.
        if last and not self._leases:
            return made
        self._touched[name] = declared
        in_transaction: Callable[[T], Repository[Any]] | None = getattr(made, "in_transaction", None)
        # A test's own stand-in knows no transactions and is taken as it is.
        return made if in_transaction is None else in_transaction(self._transaction)

    def entities(self, resource: Resource[Any] | str) -> EntityRepository[Any]:
        """Return the entities of *resource* as instances of the user's class, inside this unit of work."""
        repository = self.repository(resource)
        declared = self._resources[resource] if isinstance(resource, str) else resource
        return EntityRepository(declared, repository)

    def as_system(self) -> Self:
        """Return itself: it knows no callers."""
        return self

    async def keep(self, rows: Sequence[JournalRow]) -> Outcome[None]:
        """Write *rows* into the system's own tables, in this transaction."""
        return await self._keep(rows) if rows else _SUCCESS

    def record(self, event: DomainEvent) -> None:
        """Publish *event* if and when this unit of work commits; forget it otherwise."""
        if isinstance(self._events, list):
            self._events.append(event)
        else:
            self._events = [*self._events, event]

    def record_all(self, events: Sequence[DomainEvent]) -> None:
        """Record each of *events*, as `record` does; they are not looked into until they are published."""
        if not self._events and not isinstance(events, list):
            # Kept as it is: a `LazySequence` of a large bulk is made only if somebody reads it.
            self._events = events
        elif isinstance(self._events, list):
            self._events.extend(events)
        else:
            self._events = [*self._events, *events]

    def bind(self, lease: CommitGuard) -> None:
        """Commit only while *lease* is held, from now on."""
        self._leases = (*self._leases, lease)

    @property
    def events(self) -> Sequence[DomainEvent]:
        """The events that were recorded since the last commit."""
        return tuple(self._events)

    async def commit(self) -> Outcome[None]:
        """Make every write durable, then publish the recorded events."""
        if self._leases and self._open_transaction is not None:
            # What another task wrote between the check and the commit would be neither refused nor recorded.
            with self._use():
                refused = await self._check_leases()
                return await self._commit_and_publish() if refused is None else refused
        return await self._commit_and_publish()

    async def _commit_and_publish(self) -> Outcome[None]:
        # Taken first, so that an event is never published twice, whatever the commit comes to.
        events, self._events = self._events, []
        try:
            committed = _SUCCESS if self._open_transaction is None else await self._commit_noted()
        except UnitOfWorkMisuse:
            # Nothing was done: whoever uses it rightly commits later, with what was recorded so far.
            self._events = events
            raise
        self._is_open = False
        if events and not isinstance(committed, Failure):
            await self._event_bus.publish(events)
        return committed

    async def _commit_noted(self) -> Outcome[None]:
        database = self._database.name
        note_commit(database)
        committed = await self._commit()
        if isinstance(committed, Failure) and not isinstance(committed.failure(), OutcomeUnknown):
            take_back_commit(database)
        return committed

    @property
    def _transaction(self) -> T:
        """The transaction of this unit of work; begun when it is first needed."""
        if self._open_transaction is None:
            if self._has_ended:
                raise UnitOfWorkMisuse("the unit of work has ended: open a new one")
            self._open_transaction = self._database.begin()
            register_transaction(self._has_open_transaction)
        self._is_open = True
        return self._open_transaction

    async def _check_leases(self) -> Failure[Error] | None:
        """Return why nothing may be committed, after everything was rolled back; `None` while all leases are held."""
        for lease in self._leases:
            guarded = await lease.guard(self)
            if isinstance(guarded, Failure):
                return await self._rolled_back(guarded)
        # While one was asked about, another may have expired.
        for lease in self._leases:
            if lease.remaining <= 0 and isinstance(guarded := await lease.guard(self), Failure):
                return await self._rolled_back(guarded)
        return None

    async def _rolled_back(self, refused: Failure[Error]) -> Failure[Error]:
        self._events = []
        await self._rollback()
        self._is_open = False
        return refused

    def _has_open_transaction(self) -> bool:
        # A transaction that says so itself begins with the first statement.
        return self._is_open and bool(getattr(self._open_transaction, "has_begun", True))

    @abstractmethod
    def _keep(self, rows: Sequence[JournalRow]) -> Awaitable[Outcome[None]]:
        """Write *rows* into the system's own tables, in the transaction."""

    @abstractmethod
    def _commit(self) -> Awaitable[Outcome[None]]:
        """Make every write durable; what follows begins anew."""

    @abstractmethod
    def _rollback(self) -> Awaitable[None]:
        """Discard what was not committed; what follows begins anew."""

    @abstractmethod
    def _close(self) -> Awaitable[None]:
        """Discard what was not committed and give back the connection, also when the task is cancelled.

        Every further use raises `UnitOfWorkMisuse`.
        """

    def _use(self) -> AbstractContextManager[None]:
        """Return what keeps other tasks from using the transaction meanwhile."""
        return nullcontext()


def _wrong_database(name: str, database: str, here: str) -> str:
    return f"{name!r} is in database {database!r}, this unit of work is in {here!r}; use one unit of work per database"
