"""The columns of many stored tables, asked for together: a server may be far away, and a program has hundreds."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import sqlalchemy
from sqlalchemy import Connection, Table, text
from sqlalchemy.engine.reflection import ObjectKind, ObjectScope

__all__ = ["TableColumns"]

_KEYS_ON_SQLITE: Final = (
    "SELECT m.name, k.name, k.type FROM {schema}.sqlite_master m, pragma_table_info(m.name, :schema) k"
    " WHERE m.type = 'table' AND k.pk > 0"
)

_Place = tuple[str | None, str]


class TableColumns:
    """What a database says of the columns of *tables*, at one moment.

    Args:
        connection: To the database.

        tables: Those that will be asked for.
    """

    def __init__(self, connection: Connection, tables: Sequence[Table]) -> None:
        self._connection = connection
        self._inspector = sqlalchemy.inspect(connection)
        self._found: dict[_Place, Sequence[Mapping[str, Any]]] = {}
        self._names: dict[str | None, frozenset[str]] = {}
        self._keys: dict[str | None, dict[str, list[tuple[str, str]]]] = {}
        for schema in dict.fromkeys(table.schema for table in tables):
            self._found |= self._inspector.get_multi_columns(
                schema=schema,
                filter_names=[table.name for table in tables if table.schema == schema],
                kind=ObjectKind.ANY,
                scope=ObjectScope.ANY,
            )

    def of(self, table: Table) -> Mapping[str, Mapping[str, Any]] | None:
        """Return the columns of *table* by name, as SQLAlchemy's inspector describes them; `None` without a table."""
        found = self._found.get((table.schema, table.name))
        if found is None and self._is_stored_in_another_case(table):
            found = self._inspector.get_columns(table.name, schema=table.schema)
        return None if found is None else {each["name"]: each for each in found}

    def _is_stored_in_another_case(self, table: Table) -> bool:
        """Return whether SQLite, or MySQL, finds *table* although it lists it in the case of whoever created it."""
        if self._connection.dialect.name == "postgresql":
            return False
        schema = table.schema
        if schema not in self._names:
            listed = (*self._inspector.get_table_names(schema), *self._inspector.get_view_names(schema))
            self._names[schema] = frozenset(each.casefold() for each in listed)
        return table.name.casefold() in self._names[schema] and self._inspector.has_table(table.name, schema)

    def is_rowid(self, table: Table, name: str) -> bool:
        """Return whether SQLite gives the column *name* its own number of the row.

        It does for an INTEGER, by that very name, that is the only part of the key.
        """
        if table.schema not in self._keys:
            self._keys[table.schema] = self._read_keys(table.schema or "main")
        return self._keys[table.schema].get(table.name.casefold()) == [(name, "INTEGER")]

    def _read_keys(self, schema: str) -> dict[str, list[tuple[str, str]]]:
        quoted = self._connection.dialect.identifier_preparer.quote(schema)
        keys: dict[str, list[tuple[str, str]]] = {}
        statement = text(_KEYS_ON_SQLITE.format(schema=quoted))
        for table, column, type_ in self._connection.execute(statement, {"schema": schema}):
            keys.setdefault(table.casefold(), []).append((column, type_.upper()))
        return keys
