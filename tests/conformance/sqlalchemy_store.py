"""The SQLAlchemy adapter made ready for the suites."""

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from functools import partial
from typing import Any

from fastapi_easy.domain.ports.database import SchemaMode
from fastapi_easy.domain.resource import Resource, Shape
from fastapi_easy.infrastructure.persistence.sqlalchemy.connection import SqlAlchemyDatabase
from fastapi_easy.infrastructure.persistence.sqlalchemy.mapping import describe as sqlalchemy_describe
from fastapi_easy.infrastructure.persistence.sqlalchemy.options import ConnectionOptions
from fastapi_easy.infrastructure.persistence.sqlalchemy.repository import SqlAlchemyRepository
from fastapi_easy.infrastructure.persistence.sqlalchemy.unit_of_work import SqlAlchemyUnitOfWork
from fastapi_easy.testing import RecordingEventBus, resource_from
from fastapi_easy.testing.conformance import Store


@asynccontextmanager
async def sqlalchemy_store(
    url: str, entities: Mapping[str, type[Any]], describe: Callable[[type[Any]], Shape] = sqlalchemy_describe
) -> AsyncIterator[Store]:
    database = SqlAlchemyDatabase("default", url, ConnectionOptions())
    resources: dict[str, Resource[Any]] = {}
    for name, entity in entities.items():
        shape, mistakes = database.admit(name, describe(entity))
        assert mistakes == []
        resources[name] = resource_from(shape, name, entity)
    repositories = {name: partial(SqlAlchemyRepository, each, database) for name, each in resources.items()}
    bus = RecordingEventBus()
    await database.open()
    try:
        differences = (await database.prepare(tuple(resources.values()), SchemaMode.CREATE)).unwrap()
        assert list(differences) == []
        yield Store(
            resources=resources,
            repositories=repositories,
            unit_of_work=partial(SqlAlchemyUnitOfWork, database, resources, repositories, bus),
            event_bus=bus,
            capabilities=database.capabilities,
        )
    finally:
        await database.close()
