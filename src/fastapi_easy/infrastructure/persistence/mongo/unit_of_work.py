"""All or nothing, in one MongoDB database."""

from collections.abc import Callable, Mapping, Sequence
from types import TracebackType
from typing import Any, Self

from returns.result import Failure, Success

from fastapi_easy.domain.errors import DeclarationError, Outcome
from fastapi_easy.domain.events import DomainEvent
from fastapi_easy.domain.ports.event_bus import EventBus
from fastapi_easy.domain.ports.repository import Repository
from fastapi_easy.domain.resource import Resource
from fastapi_easy.infrastructure.persistence.mongo.connection import MongoDatabase
from fastapi_easy.infrastructure.persistence.mongo.errors import REFUSALS, translate
from fastapi_easy.infrastructure.persistence.mongo.transaction import Transaction


class MongoUnitOfWork:
    """Implements `UnitOfWork` on one `MongoDatabase`.

    On a server that stands alone there is nothing to undo: every write is made at once (ADR 16).

    Args:
        database: Where the transaction is.

        resources: Every resource of the application, by name.

        repositories: What makes the repository of each.

        event_bus: Where recorded events go after a commit.
    """

    def __init__(
        self,
        database: MongoDatabase,
        resources: Mapping[str, Resource[Any]],
        repositories: Mapping[str, Callable[[], Repository[Any]]],
        event_bus: EventBus,
    ) -> None:
        self._database = database
        self._resources = resources
        self._repositories = repositories
        self._event_bus = event_bus
        self._transaction = database.begin()
        self._events: list[DomainEvent] = []
        self._touched: Resource[Any] | None = None

    async def __aenter__(self) -> Self:
        """Begin."""
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Discard what was not committed."""
        self._events.clear()
        await self._transaction.close()

    def repository(self, resource: Resource[Any] | str) -> Repository[Any]:
        """The repository of *resource* inside this unit of work."""
        name = resource if isinstance(resource, str) else resource.name
        declared = self._resources.get(name)
        if declared is None:
            raise DeclarationError(
                [f"{name!r} is no resource of this application; declare it in the container"]
            )
        if declared.database != self._database.name:
            raise DeclarationError([_elsewhere(name, declared.database, self._database.name)])
        self._touched = declared
        made = self._repositories[name]()
        within: Callable[[Transaction], Repository[Any]] | None = getattr(made, "within", None)
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
        if self._touched is not None:
            try:
                await self._transaction.commit()
            except REFUSALS as error:
                return Failure(translate(error, self._database.name, self._touched))
        if events:
            await self._event_bus.publish(events)
        return Success(None)


def _elsewhere(name: str, database: str, here: str) -> str:
    return f"{name!r} lives in database {database!r}, this unit of work in {here!r}; use one for each"
