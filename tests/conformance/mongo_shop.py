"""Small resources on MongoDB, for what the suites do not ask."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from typing import Any

from fastapi_easy.domain.ports.database import SchemaMode
from fastapi_easy.domain.ports.entity_repository import EntityRepository
from fastapi_easy.domain.resources.resource import Resource
from fastapi_easy.infrastructure.entities.plain import describe
from fastapi_easy.infrastructure.persistence.mongo.connection import MongoDatabase
from fastapi_easy.infrastructure.persistence.mongo.driver.options import ConnectionOptions
from fastapi_easy.infrastructure.persistence.mongo.repository import MongoRepository
from fastapi_easy.infrastructure.persistence.mongo.unit_of_work import MongoUnitOfWork
from fastapi_easy.testing import RecordingEventBus
from fastapi_easy.testing.resources import resources_with_relations


class Shop:
    """Repositories by the names of their resources, and units of work over all of them."""

    def __init__(self, database: MongoDatabase, resources: dict[str, Resource[Any]]) -> None:
        self.database = database
        self.resources = resources
        self.bus = RecordingEventBus()
        self._made = {name: partial(MongoRepository, each, database) for name, each in resources.items()}

    def __getitem__(self, name: str) -> MongoRepository[Any]:
        return self._made[name]()

    def entities(self, name: str) -> EntityRepository[Any]:
        return EntityRepository(self.resources[name], self[name])

    def unit_of_work(self) -> MongoUnitOfWork:
        return MongoUnitOfWork(self.database, self.resources, self._made, self.bus)


@asynccontextmanager
async def mongo_shop(
    url: str,
    entities: dict[str, type[Any]],
    *,
    options: ConnectionOptions | None = None,
    mode: SchemaMode = SchemaMode.CREATE,
    declared: dict[str, dict[str, Any]] | None = None,
) -> AsyncIterator[Shop]:
    database = MongoDatabase("default", url, options)
    shapes = {}
    for name, entity in entities.items():
        shapes[name], mistakes = database.narrow_shape(name, describe(entity))
        assert mistakes == []
    resources = resources_with_relations(shapes, entities, options=declared or {})
    await database.open()
    try:
        assert list((await database.prepare(tuple(resources.values()), mode)).unwrap()) == []
        yield Shop(database, resources)
    finally:
        await database.close()
