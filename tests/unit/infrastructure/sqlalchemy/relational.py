"""A relational database with a few resources in it, and what is said to it."""

import contextlib
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from functools import partial
from typing import Any

from sqlalchemy import Executable

from fastapi_easy.domain.ports.database import SchemaMode
from fastapi_easy.domain.ports.entity_repository import EntityRepository
from fastapi_easy.domain.ports.repository import Repository
from fastapi_easy.domain.resources.resource import Resource, Shape
from fastapi_easy.infrastructure.persistence.sqlalchemy import (
    SqlAlchemyDatabase,
    SqlAlchemyRepository,
    SqlAlchemyUnitOfWork,
)
from fastapi_easy.infrastructure.persistence.sqlalchemy.tables.mapping import describe as sqlalchemy_describe
from fastapi_easy.testing import RecordingEventBus
from fastapi_easy.testing.resources import resources_with_relations
from tests.e2e.wiretap import overheard

SERVERS = ("sqlite", "postgres", "mariadb")


class Relational:
    """Some resources in one database."""

    def __init__(self, database: SqlAlchemyDatabase, resources: Mapping[str, Resource[Any]]) -> None:
        self.database = database
        self.resources = resources
        self.differences: list[str] = []
        self.heard: list[str] = []

    def __getitem__(self, name: str) -> Repository[Any]:
        return SqlAlchemyRepository(self.resources[name], self.database)

    def entities(self, name: str) -> EntityRepository[Any]:
        return EntityRepository(self.resources[name], self[name])

    def relation(self, path: str) -> Any:
        resource, name = path.split(".")
        return self.resources[resource].relations[name]

    def unit_of_work(self) -> SqlAlchemyUnitOfWork:
        made = {
            name: partial(SqlAlchemyRepository, each, self.database) for name, each in self.resources.items()
        }
        return SqlAlchemyUnitOfWork(self.database, self.resources, made, RecordingEventBus())

    async def say(self, statement: Executable, parameters: Any = ()) -> None:
        """Run *statement* and make it durable."""
        transaction = self.database.begin()
        try:
            _ = await transaction.execute(statement, parameters or {}, writes=True)
            await transaction.commit()
        finally:
            await transaction.close()

    @contextlib.contextmanager
    def listening(self) -> Iterator[list[str]]:
        """Every statement that is said meanwhile."""
        before = len(self.heard)
        said: list[str] = []
        try:
            yield said
        finally:
            said += self.heard[before:]


@contextlib.asynccontextmanager
async def relational(
    url: str,
    entities: Mapping[str, type[Any]],
    *,
    mode: SchemaMode = SchemaMode.CREATE,
    describe: Callable[[type[Any]], Shape] = sqlalchemy_describe,
    options: Mapping[str, Mapping[str, Any]] | None = None,
) -> AsyncIterator[Relational]:
    """*entities* in the database at *url*, whose schema is treated as *mode* says."""
    async with overheard(url) as (tapped, heard):
        database = SqlAlchemyDatabase("default", tapped)
        async with _prepared(database, entities, mode, describe, options or {}) as world:
            world.heard = heard
            yield world


@contextlib.asynccontextmanager
async def _prepared(
    database: SqlAlchemyDatabase,
    entities: Mapping[str, type[Any]],
    mode: SchemaMode,
    describe: Callable[[type[Any]], Shape],
    options: Mapping[str, Mapping[str, Any]],
) -> AsyncIterator[Relational]:
    described = {name: options.get(name, {}).get("stored", each) for name, each in entities.items()}
    shapes = {name: database.narrow_shape(name, describe(each))[0] for name, each in described.items()}
    world = Relational(database, resources_with_relations(shapes, entities, options=options))
    await database.open()
    try:
        world.differences = [*(await database.prepare(tuple(world.resources.values()), mode)).unwrap()]
        yield world
    finally:
        await database.close()
