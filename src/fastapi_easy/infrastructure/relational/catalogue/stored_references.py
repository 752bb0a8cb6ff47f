"""The foreign keys around a table, as SQLite has them, whose errors name none."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from operator import itemgetter
from typing import Final

from sqlalchemy import Connection, Table, text

_REFERRING: Final = text(
    'SELECT id, "from" FROM pragma_foreign_key_list(:table, :schema) ORDER BY id, seq',
)
_REFERRED: Final = text(
    'SELECT DISTINCT key."to" FROM pragma_table_list AS other, pragma_foreign_key_list(other.name, other.schema) AS key'
    ' WHERE other.schema = :schema AND key."table" = :table COLLATE NOCASE AND key."to" IS NOT NULL'
)
"""A reference to the primary key need not name it, and no update changes one."""


@dataclass(frozen=True, slots=True)
class StoredReferences:
    """The foreign keys around one table.

    Attributes:
        referring: The columns of each of its own.

        referred: Its columns that some table refers to by name.
    """

    referring: Sequence[Sequence[str]]
    referred: Sequence[str]


NO_REFERENCES: Final = StoredReferences((), ())


def find_stored_references(connection: Connection, of: Table) -> StoredReferences:
    """Ask the catalogue of SQLite about the foreign keys around *of*."""
    about = {"table": of.name, "schema": of.schema or "main"}
    own = groupby(connection.execute(_REFERRING, about), itemgetter(0))
    return StoredReferences(
        referring=[[row[1] for row in rows] for _, rows in own],
        referred=connection.execute(_REFERRED, about).scalars().all(),
    )
