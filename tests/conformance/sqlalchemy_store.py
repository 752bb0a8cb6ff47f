"""The SQLAlchemy adapter made ready for the suites."""

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from functools import partial
from typing import Any

from sqlalchemy import make_url

from fastapi_easy.domain.ports.database import SchemaMode
from fastapi_easy.domain.resources.resource import Shape
from fastapi_easy.infrastructure.persistence.sqlalchemy.connection import SqlAlchemyDatabase
from fastapi_easy.infrastructure.persistence.sqlalchemy.repository import SqlAlchemyRepository
from fastapi_easy.infrastructure.persistence.sqlalchemy.tables.mapping import describe as sqlalchemy_describe
from fastapi_easy.infrastructure.persistence.sqlalchemy.unit_of_work import SqlAlchemyUnitOfWork
from fastapi_easy.infrastructure.relational.options import ConnectionOptions
from fastapi_easy.testing import RecordingEventBus
from fastapi_easy.testing.conformance import Store, resources_of
from tests.conformance.quickly_cleared import RelationalStore
from tests.kept_rows import kept_rows


@asynccontextmanager
async def sqlalchemy_store(
    url: str,
    entities: Mapping[str, type[Any]],
    describe: Callable[[type[Any]], Shape] = sqlalchemy_describe,
    *,
    given_as: Mapping[str, type[Any]] | None = None,
    linked: bool = True,
    mapped: str = "",
) -> AsyncIterator[Store]:
    database = SqlAlchemyDatabase("default", url, ConnectionOptions())
    resources = resources_of(database, entities, describe, linked=linked, given_as=given_as)
    repositories = {name: partial(SqlAlchemyRepository, each, database) for name, each in resources.items()}
    bus = RecordingEventBus()
    await database.open()
    try:
        differences = (await database.prepare(tuple(resources.values()), SchemaMode.CREATE)).unwrap()
        assert list(differences) == []
        adapter = "SQLAlchemy" if describe is sqlalchemy_describe else "SQLModel"
        driver = make_url(url).get_driver_name()
        yield RelationalStore(
            database=database,
            resources=resources,
            repositories=repositories,
            unit_of_work=partial(SqlAlchemyUnitOfWork, database, resources, repositories, bus),
            event_bus=bus,
            read_system_rows=partial(kept_rows, database),
            column=f"{adapter} on {database.technology}, {driver}{', stored as another class' if given_as else ''}"
            + (f", {mapped}" if mapped else ""),
        )
    finally:
        await database.close()
