"""A database of Tortoise's models, and what this adapter makes of it."""

import contextlib
from dataclasses import dataclass
from functools import partial
from typing import Any

from fastapi_easy.domain.ports.database import SchemaMode
from fastapi_easy.domain.queries.query import Query
from fastapi_easy.infrastructure.persistence.sqlalchemy.repository import SqlAlchemyRepository
from fastapi_easy.infrastructure.persistence.tortoise import TortoiseDatabase, TortoiseUnitOfWork, describe
from fastapi_easy.infrastructure.relational.options import ConnectionOptions
from fastapi_easy.testing import RecordingEventBus
from fastapi_easy.testing.conformance.store import value_of
from fastapi_easy.testing.resources import resources_with_relations


@dataclass(frozen=True)
class Hall:
    """A database with shelves and their owners in it."""

    database: TortoiseDatabase
    models: dict[str, type[Any]]
    resources: dict[str, Any]

    @property
    def shelf(self) -> type[Any]:
        return self.models["shelves"]

    @property
    def owner(self) -> type[Any]:
        return self.models["owners"]

    @property
    def shelves(self) -> SqlAlchemyRepository[Any]:
        return SqlAlchemyRepository(self.resources["shelves"], self.database)

    @property
    def owners(self) -> SqlAlchemyRepository[Any]:
        return SqlAlchemyRepository(self.resources["owners"], self.database)

    def work(self) -> TortoiseUnitOfWork:
        made = {
            name: partial(SqlAlchemyRepository, each, self.database) for name, each in self.resources.items()
        }
        return TortoiseUnitOfWork(self.database, self.resources, made, RecordingEventBus())

    async def names(self) -> list[str]:
        page = value_of(await self.shelves.select(Query(fields=("name",))))
        return sorted(row.name for row in page.items)


@contextlib.asynccontextmanager
async def hall(url, models, **limits):
    database = TortoiseDatabase("hall", url, ConnectionOptions(**limits), models.values())
    shapes = {}
    for name, model in models.items():
        shapes[name], mistakes = database.narrow_shape(name, describe(model))
        assert mistakes == []
    resources = resources_with_relations(
        shapes, models, options={name: {"database": "hall"} for name in models}
    )
    await database.open()
    try:
        assert list(value_of(await database.prepare(tuple(resources.values()), SchemaMode.CREATE))) == []
        yield Hall(database, models, dict(resources))
    finally:
        await database.close()
