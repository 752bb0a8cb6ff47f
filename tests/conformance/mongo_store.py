"""The MongoDB adapter made ready for the suites."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from functools import partial
from typing import Any

from fastapi_easy.domain.ports.database import SchemaMode
from fastapi_easy.infrastructure.entities.plain import describe
from fastapi_easy.infrastructure.persistence.mongo.connection import MongoDatabase
from fastapi_easy.infrastructure.persistence.mongo.repository import MongoRepository
from fastapi_easy.infrastructure.persistence.mongo.unit_of_work import MongoUnitOfWork
from fastapi_easy.testing import RecordingEventBus
from fastapi_easy.testing.conformance import Store, resources_of
from tests.conformance.quickly_cleared import MongoStore
from tests.kept_rows import kept_rows


@asynccontextmanager
async def mongo_store(
    url: str,
    entities: Mapping[str, type[Any]],
    column: str,
    *,
    given_as: Mapping[str, type[Any]] | None = None,
) -> AsyncIterator[Store]:
    database = MongoDatabase("default", url)
    resources = resources_of(database, entities, describe, linked=False, given_as=given_as)
    repositories = {name: partial(MongoRepository, each, database) for name, each in resources.items()}
    bus = RecordingEventBus()
    await database.open()
    try:
        differences = (await database.prepare(tuple(resources.values()), SchemaMode.CREATE)).unwrap()
        assert list(differences) == []
        yield MongoStore(
            database=database,
            resources=resources,
            repositories=repositories,
            unit_of_work=partial(MongoUnitOfWork, database, resources, repositories, bus),
            event_bus=bus,
            read_system_rows=partial(kept_rows, database),
            column=column,
        )
    finally:
        await database.close()


def through(driver: str, url: str) -> str:
    """*url* with *driver* in it."""
    return url if driver == "pymongo" else url.replace("mongodb://", f"mongodb+{driver}://")
