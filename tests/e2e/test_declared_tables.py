"""Databases that were made by us, by SQLAlchemy, by Tortoise or by others have no differences from their classes."""

import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy
from sqlalchemy import ARRAY, Connection, MetaData
from tortoise.connection import get_connection
from tortoise.utils import generate_schema_for_client

from examples.bookshop.models import Author, Book, Order, OrderLine
from fastapi_easy.domain import Resource
from fastapi_easy.domain.migrations.hints import Hints
from fastapi_easy.domain.ports.database import SchemaMode
from fastapi_easy.infrastructure.migrations.relational.detection.detect import detect
from fastapi_easy.infrastructure.persistence.sqlalchemy.connection import SqlAlchemyDatabase
from fastapi_easy.infrastructure.persistence.sqlalchemy.declared_tables import declare_tables
from fastapi_easy.infrastructure.persistence.sqlalchemy.tables.mapping import describe
from fastapi_easy.infrastructure.persistence.sqlmodel.mapping import describe as describe_sqlmodel
from fastapi_easy.infrastructure.persistence.tortoise import TortoiseDatabase
from fastapi_easy.infrastructure.persistence.tortoise import describe as describe_tortoise
from fastapi_easy.infrastructure.relational.system_tables.fence_table import FENCE
from fastapi_easy.testing.conformance import resources_of
from fastapi_easy.testing.conformance.store import resources_with_relations
from tests.conformance import sqlalchemy_entities, sqlmodel_entities
from tests.e2e.indexed_plants import IndexedPlant
from tests.e2e.plants import Plant
from tests.services.wanted import empty_database

DRIVERS = {
    "sqlite": "sqlite+aiosqlite",
    "asyncpg": "postgresql+asyncpg",
    "psycopg": "postgresql+psycopg",
    "aiomysql": "mysql+aiomysql",
    "asyncmy": "mysql+asyncmy",
}
SERVERS = {"asyncpg": "postgres", "psycopg": "postgres", "aiomysql": "mariadb", "asyncmy": "mariadb"}
DELETED = {"sqlmodel_books", "books"}
"""Their unique rules leave out deleted rows, which nobody but this system does."""


@contextmanager
def url_of(driver: str, folder: Path) -> Iterator[str]:
    """An empty database, called by *driver*."""
    if driver == "sqlite":
        yield f"{DRIVERS[driver]}:///{folder / 'made.db'}"
        return
    with empty_database(SERVERS[driver]) as url:
        yield re.sub(r"^\w+", DRIVERS[driver], url)


async def differences(
    database: SqlAlchemyDatabase, resources: Mapping[str, Resource[Any]]
) -> list[tuple[str, str]]:
    """Kind and object of each difference."""

    def find(connection: Connection) -> list[tuple[str, str]]:
        declared = declare_tables(connection, database.entities, list(resources.values()))
        found = detect(connection, declared, Hints(), ())
        return [(str(each.change.kind), each.change.object) for each in found]

    return await database.executor.run_sync(find)


def declared_by(
    database: SqlAlchemyDatabase,
    classes: Mapping[str, type[Any]],
    describe_class: Callable[[type[Any]], Any],
    **options: Any,
) -> dict[str, Resource[Any]]:
    """Resources for *classes*."""
    shapes = {name: database.narrow_shape(name, describe_class(each))[0] for name, each in classes.items()}
    return resources_with_relations(
        shapes, classes, options={name: {"stored": each, **options} for name, each in classes.items()}
    )


FAMILIES = {
    "SQLAlchemy": (sqlalchemy_entities, describe),
    "SQLModel": (sqlmodel_entities, describe_sqlmodel),
}


@pytest.mark.parametrize(
    ("driver", "family"),
    [*((driver, "SQLAlchemy") for driver in DRIVERS), ("sqlite", "SQLModel"), ("psycopg", "SQLModel")],
)
async def test_tables_that_we_have_created_are_as_declared(driver: str, family: str, tmp_path: Path) -> None:
    module, describe_class = FAMILIES[family]
    classes = module.WITH_ARRAYS if SERVERS.get(driver) == "postgres" else module.ENTITIES
    with url_of(driver, tmp_path) as url:
        database = SqlAlchemyDatabase("default", url)
        resources = resources_of(database, classes, describe_class)
        _ = (await database.prepare(tuple(resources.values()), SchemaMode.CREATE)).unwrap()

        found = await differences(database, resources)

        await database.close()
    assert found == []


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("driver", ["sqlite", "asyncpg", "asyncmy"])
async def test_tables_of_the_users_own_metadata_are_as_declared(
    driver: str, family: str, tmp_path: Path
) -> None:
    module, describe_class = FAMILIES[family]
    has_arrays = SERVERS.get(driver) == "postgres"
    classes = module.WITH_ARRAYS if has_arrays else module.ENTITIES
    metadata: MetaData = next(iter(classes.values())).metadata
    tables = [
        table
        for table in metadata.sorted_tables
        if has_arrays or not any(isinstance(column.type, ARRAY) for column in table.columns)
    ]
    with url_of(driver, tmp_path) as url:
        database = SqlAlchemyDatabase("default", url)
        resources = resources_of(database, classes, describe_class)
        await database.executor.run_sync(partial(metadata.create_all, tables=tables))

        found = await differences(database, resources)

        await database.close()
    assert [each for each in found if each[1].partition(".")[0] not in DELETED] == []


@pytest.mark.parametrize("driver", ["sqlite", "asyncpg", "asyncmy"])
async def test_unique_rules_of_others_are_replaced_by_those_that_leave_out_deleted_rows(
    driver: str, tmp_path: Path
) -> None:
    book = sqlalchemy_entities.ENTITIES["books"]
    with url_of(driver, tmp_path) as url:
        database = SqlAlchemyDatabase("default", url)
        resources = declared_by(database, {"books": book}, describe, soft_delete="deleted_at", relations=None)
        tables = [each for each in book.metadata.sorted_tables if each.name in {"books", "authors"}]
        await database.executor.run_sync(partial(book.metadata.create_all, tables=tables))

        found = await differences(database, resources)

        await database.close()
    kinds = [kind for kind, _ in found]
    assert (
        kinds
        == {
            "sqlite": ["drop_unique", "drop_unique", "create_index", "create_index"],
            "asyncpg": ["drop_unique", "drop_unique", "create_index", "create_index"],
            "asyncmy": ["add_column", "drop_index", "drop_index", "create_index", "create_index"],
        }[driver]
    )


@pytest.mark.parametrize("driver", ["sqlite", "asyncpg", "asyncmy"])
@pytest.mark.parametrize("maker", ["Tortoise", "us"])
async def test_tables_of_tortoise_models_are_as_declared(driver: str, maker: str, tmp_path: Path) -> None:
    classes: dict[str, type[Any]] = {"plants": Plant}
    if driver == "asyncpg":
        classes["indexed_plants"] = IndexedPlant
    with url_of(driver, tmp_path) as url:
        database = TortoiseDatabase("default", url, None, classes.values())
        await database.open()
        resources = declared_by(database, classes, describe_tortoise)
        if maker == "us":
            _ = (await database.prepare(tuple(resources.values()), SchemaMode.CREATE)).unwrap()
        else:
            with database.activate():
                await generate_schema_for_client(get_connection("default"), safe=True)

        found = await differences(database, resources)

        await database.close()
    assert found == []


@pytest.mark.parametrize("driver", ["sqlite", "asyncpg", "asyncmy"])
async def test_the_bookshop_is_as_declared_and_its_system_tables_are_missing(
    driver: str, tmp_path: Path
) -> None:
    classes = {"authors": Author, "books": Book, "orders": Order, "order_lines": OrderLine}
    with url_of(driver, tmp_path) as url:
        database = SqlAlchemyDatabase("default", url)
        resources = declared_by(database, classes, describe_sqlmodel)
        _ = (await database.prepare(tuple(resources.values()), SchemaMode.CREATE)).unwrap()

        def find(connection: Connection) -> tuple[list[tuple[str, str]], frozenset[str]]:
            declared = declare_tables(connection, database.entities, list(resources.values()), own=[FENCE])
            found = detect(connection, declared, Hints(), ())
            return [(str(each.change.kind), each.change.object) for each in found], declared.system

        found, system = await database.executor.run_sync(find)

        await database.close()
    assert (found, system) == ([("create_table", "fe_fence")], {"fe_fence"})


async def test_a_longer_text_of_a_database_of_others_keeps_its_collation(tmp_path: Path) -> None:
    note = sqlalchemy_entities.ENTITIES["notes"]
    with url_of("asyncmy", tmp_path) as url:
        database = SqlAlchemyDatabase("default", url)
        resources = declared_by(database, {"notes": note}, describe, relations=None)

        def find(connection: Connection) -> list[Any]:
            note.metadata.tables["notes"].create(connection)
            _ = connection.exec_driver_sql("ALTER TABLE notes MODIFY title VARCHAR(100) NOT NULL")
            declared = declare_tables(connection, database.entities, list(resources.values()))
            return [
                sqlalchemy.types.to_instance(each.operation.modify_type).collation
                for each in detect(connection, declared, Hints(), ())
                if each.change.object == "notes.title"
            ]

        collations = await database.executor.run_sync(find)

        await database.close()
    assert collations == [None]
