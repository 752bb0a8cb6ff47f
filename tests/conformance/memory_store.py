"""The memory adapter made ready for the suites."""

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from functools import partial
from typing import Any

from fastapi_easy.domain.resources.resource import Shape
from fastapi_easy.infrastructure.persistence.memory import MemoryDatabase, MemoryRepository, MemoryUnitOfWork
from fastapi_easy.infrastructure.persistence.memory import describe as plain_describe
from fastapi_easy.testing import RecordingEventBus
from fastapi_easy.testing.conformance import Store, resources_of
from tests.kept_rows import kept_rows


@asynccontextmanager
async def memory_store(
    entities: Mapping[str, type[Any]], column: str, describe: Callable[[type[Any]], Shape] = plain_describe
) -> AsyncIterator[Store]:
    database = MemoryDatabase("default")
    resources = resources_of(database, entities, describe, linked=describe is not plain_describe)
    repositories = {name: partial(MemoryRepository, each, database) for name, each in resources.items()}
    bus = RecordingEventBus()
    await database.open()
    yield Store(
        database=database,
        resources=resources,
        repositories=repositories,
        unit_of_work=partial(MemoryUnitOfWork, database, resources, repositories, bus),
        event_bus=bus,
        read_system_rows=partial(kept_rows, database),
        column=column,
    )
    await database.close()
