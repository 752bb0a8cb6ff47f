"""Build the store under test from a `Technology`."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import make_dataclass
from functools import partial
from typing import Any

from fastapi_easy.domain.ports.database import SchemaMode
from fastapi_easy.domain.ports.technology import DatabaseRequest, Technology
from fastapi_easy.domain.resources.resource import Shape
from fastapi_easy.settings import DatabaseSettings
from fastapi_easy.testing.conformance.sample_shapes import SHAPES
from fastapi_easy.testing.conformance.store import Store, resources_of, value_of
from fastapi_easy.testing.recorders import RecordingEventBus


@asynccontextmanager
async def store_of(
    technology: Technology, url: str, *, shapes: Mapping[str, Shape] = SHAPES, **limits: object
) -> AsyncIterator[Store]:
    """Yield a store for the suites, in a database that *technology* opens, and close it at the end.

    Args:
        technology: The technology under test; its reading of classes is not tested, as the suites have shapes.

        url: The URL of the database. Its contents are removed.

        shapes: Of the resources; `SCHOOL` for `ManyToManyConformance`.

        limits: Settings of the database that differ from the defaults.
    """
    defaults = DatabaseSettings().model_dump(
        exclude={"url", "migrations", "breaker", "row_security", "pooler"}
    )
    request = DatabaseRequest(name="default", url=url, limits={**defaults, **limits})
    database, bus = technology.open(request), RecordingEventBus()
    entities = {
        name: make_dataclass(name, [(field.name, Any, None) for field in shape.fields])
        for name, shape in shapes.items()
    }
    resources = resources_of(database, entities, lambda entity: shapes[entity.__name__])
    repositories = {name: partial(technology.repository, each, database) for name, each in resources.items()}
    await database.open()
    try:
        assert not value_of(await database.prepare(list(resources.values()), SchemaMode.CREATE))
        yield Store(
            database=database,
            resources=resources,
            repositories=repositories,
            unit_of_work=partial(technology.unit_of_work, database, resources, repositories, bus),
            event_bus=bus,
        )
    finally:
        await database.close()
