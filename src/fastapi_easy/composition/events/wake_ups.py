"""What wakes relays and change feeds, for each database in which changes are published."""

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

from fastapi_easy.application.events.wake_ups import WakeUps
from fastapi_easy.composition.application import Application
from fastapi_easy.composition.technologies import technology_of
from fastapi_easy.domain.ports import Database, EventBus, WakeUpChannel
from fastapi_easy.domain.resources.declaration import Declaration
from fastapi_easy.settings import Settings

__all__ = ["open_wake_ups", "opened_wake_ups"]


def open_wake_ups(
    declarations: Mapping[str, Declaration[Any]],
    databases: Callable[[str], Database],
    event_bus: EventBus,
    settings: Settings,
) -> Mapping[str, WakeUps]:
    """Return what wakes those who wait for messages, by the name of the database; nothing is connected yet.

    Args:
        declarations: Of the resources, by name.

        databases: Returns a database by its name.

        event_bus: Is told of every commit of this process.

        settings: Say whether processes tell one another.
    """
    published: dict[str, list[str]] = {}
    for name, each in declarations.items():
        if each.events:
            published.setdefault(each.database, []).append(name)
    return {
        database: WakeUps(
            database,
            event_bus,
            resources,
            _channel_of(databases(database)) if settings.events.notify else None,
        )
        for database, resources in published.items()
    }


@asynccontextmanager
async def opened_wake_ups(application: Application) -> AsyncIterator[None]:
    """Exchange hints with other processes while the block runs, where the settings say so."""
    async with AsyncExitStack() as stack:
        for each in application.wake_ups().values():
            await stack.enter_async_context(each.opened())
        yield


def _channel_of(database: Database) -> WakeUpChannel | None:
    make = technology_of(database).wake_ups
    return None if make is None else make(database)
