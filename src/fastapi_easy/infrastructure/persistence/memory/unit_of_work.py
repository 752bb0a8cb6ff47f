"""All or nothing, in the process."""

from collections.abc import Callable, Mapping, Sequence
from types import TracebackType
from typing import Any, Self

from returns.result import Failure

from fastapi_easy.domain.errors import DeclarationError, Outcome
from fastapi_easy.domain.events import DomainEvent
from fastapi_easy.domain.ports.event_bus import EventBus
from fastapi_easy.domain.ports.repository import Repository
from fastapi_easy.domain.resource import Resource
from fastapi_easy.infrastructure.persistence.memory.connection import MemoryDatabase
from fastapi_easy.infrastructure.persistence.memory.transaction import MemoryTransaction


class MemoryUnitOfWork:
    """Implements `UnitOfWork` on one `MemoryDatabase`."""

    def __init__(
        self,
        database: MemoryDatabase,
        resources: Mapping[str, Resource[Any]],
        repositories: Mapping[str, Callable[[], Repository[Any]]],
        event_bus: EventBus,
    ) -> None:
        self._database = database
        self._resources = resources
        self._repositories = repositories
        self._event_bus = event_bus
        self._transaction = MemoryTransaction()
        self._events: list[DomainEvent] = []

    async def __aenter__(self) -> Self:
        """Begin."""
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Discard what was not committed."""
        self._transaction.discard()
        self._events.clear()

    def repository(self, resource: Resource[Any] | str) -> Repository[Any]:
        """The repository of *resource* inside this unit of work."""
        name = resource if isinstance(resource, str) else resource.name
        declared = self._resources.get(name)
        if declared is None or declared.database != self._database.name:
            raise DeclarationError(
                [
                    f"{name!r} is no resource of database {self._database.name!r}; a unit of work spans one database"
                ]
            )
        made = self._repositories[name]()
        within: Callable[[MemoryTransaction], Repository[Any]] | None = getattr(made, "within", None)
        # A test's own stand-in knows no transactions and is taken as it is.
        return made if within is None else within(self._transaction)

    def record(self, event: DomainEvent) -> None:
        """Publish *event* if and when this unit of work commits; forget it otherwise."""
        self._events.append(event)

    @property
    def events(self) -> Sequence[DomainEvent]:
        """What was recorded since the last commit."""
        return tuple(self._events)

    async def commit(self) -> Outcome[None]:
        """Make every write durable, then publish the recorded events."""
        events, self._events = self._events, []
        committed = self._transaction.commit()
        if events and not isinstance(committed, Failure):
            await self._event_bus.publish(events)
        return committed
