"""The memory adapter made ready for the suites."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from functools import partial
from typing import Any

from fastapi_easy.infrastructure.persistence.memory import (
    MemoryDatabase,
    MemoryRepository,
    MemoryUnitOfWork,
    describe,
)
from fastapi_easy.testing import RecordingEventBus, resource_from
from fastapi_easy.testing.conformance import Store


@asynccontextmanager
async def memory_store(entities: Mapping[str, type[Any]]) -> AsyncIterator[Store]:
    database = MemoryDatabase("default")
    resources = {name: resource_from(describe(entity), name, entity) for name, entity in entities.items()}
    repositories = {name: partial(MemoryRepository, each, database) for name, each in resources.items()}
    bus = RecordingEventBus()
    await database.open()
    yield Store(
        resources=resources,
        repositories=repositories,
        unit_of_work=partial(MemoryUnitOfWork, database, resources, repositories, bus),
        event_bus=bus,
        capabilities=database.capabilities,
    )
    await database.close()
