"""The Tortoise adapter made ready for the suites."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from functools import partial
from typing import Any

from fastapi_easy.domain.ports.database import SchemaMode
from fastapi_easy.infrastructure.persistence.sqlalchemy.repository import SqlAlchemyRepository
from fastapi_easy.infrastructure.persistence.tortoise import TortoiseDatabase, TortoiseUnitOfWork, describe
from fastapi_easy.infrastructure.relational.options import ConnectionOptions
from fastapi_easy.testing import RecordingEventBus
from fastapi_easy.testing.conformance import Store, resources_of
from tests.conformance.quickly_cleared import RelationalStore
from tests.kept_rows import kept_rows


@asynccontextmanager
async def tortoise_store(
    url: str,
    entities: Mapping[str, type[Any]],
    options: ConnectionOptions | None = None,
    *,
    given_as: Mapping[str, type[Any]] | None = None,
    mode: SchemaMode = SchemaMode.CREATE,
) -> AsyncIterator[Store]:
    database = TortoiseDatabase("default", url, options, entities.values())
    resources = resources_of(database, entities, describe, given_as=given_as)
    repositories = {name: partial(SqlAlchemyRepository, each, database) for name, each in resources.items()}
    bus = RecordingEventBus()
    await database.open()
    try:
        differences = (await database.prepare(tuple(resources.values()), mode)).unwrap()
        assert list(differences) == []
        driver = database.executor.engine.driver
        yield RelationalStore(
            database=database,
            resources=resources,
            repositories=repositories,
            unit_of_work=partial(TortoiseUnitOfWork, database, resources, repositories, bus),
            event_bus=bus,
            read_system_rows=partial(kept_rows, database),
            column=f"Tortoise on {database.technology}, {driver}{', stored as another class' if given_as else ''}",
        )
    finally:
        await database.close()
