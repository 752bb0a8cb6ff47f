"""A stored table, and how statements spell it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection, text

from fastapi_easy.infrastructure.relational.server import ServerName

_FINDING: Final = {
    "postgresql": (
        "SELECT c.oid, n.nspname, c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
        " WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f', 'S')"
        " AND c.relname = :name AND n.nspname = coalesce(:schema, current_schema())"
    ),
    "mysql": (
        "SELECT 0, table_schema, table_name FROM information_schema.tables"
        " WHERE table_name = :name AND table_schema = coalesce(:schema, database())"
    ),
    "sqlite": (
        "SELECT 0, 'main', name FROM sqlite_master"
        " WHERE type IN ('table', 'view') AND lower(name) = lower(:name) AND coalesce(:schema, 'main') = 'main'"
    ),
}
_COLUMNS: Final = {
    "postgresql": (
        "SELECT attname FROM pg_attribute WHERE attrelid = :oid AND attnum > 0 AND NOT attisdropped"
    ),
    "mysql": "SELECT column_name FROM information_schema.columns WHERE table_schema = :schema AND table_name = :name",
    "sqlite": "SELECT name FROM pragma_table_xinfo(:name)",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A stored table.

    Attributes:
        server: The kind of server.

        oid: Its number on PostgreSQL; 0 elsewhere.

        schema, name: Its names.

        columns: The names of its columns.
    """

    server: ServerName
    oid: int
    schema: str
    name: str
    columns: tuple[str, ...]

    @property
    def sql(self) -> str:
        """Return the table as statements spell it."""
        return f"{quoted(self.schema, self.server)}.{quoted(self.name, self.server)}"

    def column(self, name: str) -> str:
        """Return the column *name* as statements spell it; it must be there.

        Raises:
            LookupError: It is not there. SQLite would take the name for a text.
        """
        if name not in self.columns:
            raise LookupError(name)
        return quoted(name, self.server)


def quoted(name: str, server: ServerName) -> str:
    """Return *name* in the quotes of *server*. SQLite takes those of others for a text where no column is meant."""
    mark = '"' if server == "postgresql" else "`"
    return f"{mark}{name.replace(mark, mark * 2)}{mark}"


def find_place(connection: Connection, table: str, server: ServerName) -> Place | None:
    """Return the stored table that changes call *table*; `None` if there is none."""
    schema, _, name = table.partition(".")
    candidates: list[tuple[str | None, str]] = [(None, table)]
    if name:
        candidates.append((schema, name))
    for each_schema, each_name in candidates:
        row = connection.execute(
            text(_FINDING[server]), {"name": each_name, "schema": each_schema}
        ).fetchone()
        if row is not None:
            return _place(connection, server, row)
    return None


def _place(connection: Connection, server: ServerName, row: Sequence[Any]) -> Place:
    oid, schema, name = int(row[0]), str(row[1]), str(row[2])
    parameters = {"oid": oid, "schema": schema, "name": name}
    wanted = {key: each for key, each in parameters.items() if f":{key}" in _COLUMNS[server]}
    columns = connection.execute(text(_COLUMNS[server]), wanted).scalars()
    return Place(server=server, oid=oid, schema=schema, name=name, columns=tuple(map(str, columns)))
