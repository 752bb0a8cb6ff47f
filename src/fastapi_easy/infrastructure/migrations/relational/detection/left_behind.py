"""Tables that nobody declares any more, and that have rows: one of them may be a new table under its old name."""

from collections.abc import Collection

from sqlalchemy import Connection, Integer, literal_column, select, table

from fastapi_easy.infrastructure.migrations.relational.detection.catalogue.reading import read_schema
from fastapi_easy.infrastructure.migrations.relational.detection.catalogue.shapes import (
    SchemaShape,
    TableShape,
)
from fastapi_easy.infrastructure.relational.system_tables.own_tables import is_own


def left_behind(
    connection: Connection, stored: SchemaShape, declared: Collection[str], system: Collection[str]
) -> list[TableShape]:
    """Return the tables with rows that nobody declares.

    For files of SQLite, which belong to the program that opens them: on a server most tables belong to others.

    Args:
        connection: To the database.

        stored: What was read of it for the comparison.

        declared: The names of the tables that are declared.

        system: Those of the system's own.
    """
    found = read_schema(connection, (), None)
    known = {*stored.tables, *declared, *system}
    return [
        shape
        for name, shape in sorted(found.tables.items())
        if name not in known and not is_own(name) and _has_rows(connection, name)
    ]


def _has_rows(connection: Connection, name: str) -> bool:
    asked = select(literal_column("1", Integer)).select_from(table(name)).limit(1)
    return connection.execute(asked).first() is not None
