"""What a server says about a table, where that differs from what the class declares."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from sqlalchemy import Connection, Table, text

from fastapi_easy.infrastructure.relational.catalogue.nonstandard_columns import (
    find_nonstandard_columns,
    find_nullable_columns,
    read_stored_types,
)
from fastapi_easy.infrastructure.relational.catalogue.stored_references import (
    NO_REFERENCES,
    StoredReferences,
    find_stored_references,
)
from fastapi_easy.infrastructure.relational.catalogue.triggers import Triggers, find_triggers
from fastapi_easy.infrastructure.relational.server import Server

_DEFAULTS: Final = text("SELECT name, dflt_value FROM pragma_table_info(:table, :schema)")
_DEFAULTS_OF_MARIADB: Final = text(
    """
    SELECT column_name, column_default FROM information_schema.columns
    WHERE table_name = :table AND table_schema = coalesce(:schema, database())
    """
)


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredTable:
    """A table as it is in the database.

    Attributes:
        nonstandard_columns: The names of the columns that are not stored as we would create them.

        nullable_columns: The names of the columns that may hold null.

        types: The names of the types of its columns; none on SQLite, which has none.

        triggers: What the database's own code may do to its rows.

        references: The foreign keys around it on SQLite, whose errors name none.

        defaults: The SQL expressions of its defaults, by column: on SQLite, where `DEFAULT` is no expression, and on
            MariaDB, where nothing else names the sequence of a column.
    """

    nonstandard_columns: frozenset[str]
    nullable_columns: frozenset[str]
    types: Mapping[str, str]
    triggers: Triggers
    references: StoredReferences
    defaults: Mapping[str, str]


def find_stored_table(connection: Connection, server: Server, of: Table) -> StoredTable:
    """Ask the catalogue about *of*."""
    return StoredTable(
        nonstandard_columns=find_nonstandard_columns(connection, server, of),
        nullable_columns=find_nullable_columns(connection, server, of),
        types=read_stored_types(connection, server, of),
        triggers=find_triggers(connection, server, of),
        references=find_stored_references(connection, of) if server.name == "sqlite" else NO_REFERENCES,
        defaults=_find_defaults(connection, server, of),
    )


def _find_defaults(connection: Connection, server: Server, of: Table) -> Mapping[str, str]:
    if server.name == "sqlite":
        found = connection.execute(_DEFAULTS, {"table": of.name, "schema": of.schema or "main"})
    elif server.name == "mysql" and server.dialect.supports_sequences:
        found = connection.execute(_DEFAULTS_OF_MARIADB, {"table": of.name, "schema": of.schema})
    else:
        return {}
    return {name: default for name, default in found if default is not None}
