"""The stored schema on any server."""

from collections.abc import Collection

from sqlalchemy import Connection

from fastapi_easy.infrastructure.migrations.relational.detection.catalogue.mysql import read_mysql
from fastapi_easy.infrastructure.migrations.relational.detection.catalogue.postgres import read_postgres
from fastapi_easy.infrastructure.migrations.relational.detection.catalogue.shapes import SchemaShape
from fastapi_easy.infrastructure.migrations.relational.detection.catalogue.sqlite import read_sqlite
from fastapi_easy.infrastructure.relational.server import server_name_of


def read_schema(
    connection: Connection, schemas: Collection[str | None], tables: Collection[str] | None
) -> SchemaShape:
    """Read what is stored.

    Args:
        connection: To the database.

        schemas: Beside the default one.

        tables: The names of those that are wanted whole, with their schemas unless that is the default one; `None` for
            all.
    """
    default = connection.dialect.default_schema_name
    named: list[str | None] = [
        None,
        *sorted(each for each in schemas if each is not None and each != default),
    ]
    wanted = None
    if tables is not None:
        pairs = (each.rpartition(".") for each in tables)
        wanted = [(schema or None, name) for schema, _, name in pairs]
        named += sorted({schema for schema, _ in wanted if schema is not None and schema not in named})
    match server_name_of(connection.dialect.name):
        case "postgresql":
            return read_postgres(connection, named, wanted)
        case "mysql":
            return read_mysql(connection, named, wanted)
        case "sqlite":
            return read_sqlite(connection, named, wanted)
