"""What a server says about a table, where that differs from what the class declares."""

from dataclasses import dataclass

from sqlalchemy import Connection, Table

from fastapi_easy.infrastructure.relational.catalogue.stored_columns import (
    StoredColumns,
    read_stored_columns,
)
from fastapi_easy.infrastructure.relational.catalogue.stored_references import (
    NO_REFERENCES,
    StoredReferences,
    find_stored_references,
)
from fastapi_easy.infrastructure.relational.catalogue.text_indexes import TextIndexes, find_text_indexes
from fastapi_easy.infrastructure.relational.catalogue.triggers import Triggers, find_triggers
from fastapi_easy.infrastructure.relational.server import Server


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredTable:
    """A table as it is in the database.

    Attributes:
        columns: Its columns.

        triggers: What the database's own code may do to its rows.

        references: The foreign keys around it on SQLite, whose errors name none.

        text_indexes: The full-text indexes that are there.
    """

    columns: StoredColumns
    triggers: Triggers
    references: StoredReferences
    text_indexes: TextIndexes


def find_stored_table(connection: Connection, server: Server, of: Table) -> StoredTable:
    """Ask the catalogue about *of*."""
    return StoredTable(
        columns=read_stored_columns(connection, server, of),
        triggers=find_triggers(connection, server, of),
        text_indexes=find_text_indexes(connection, server, of),
        references=find_stored_references(connection, of) if server.name == "sqlite" else NO_REFERENCES,
    )
