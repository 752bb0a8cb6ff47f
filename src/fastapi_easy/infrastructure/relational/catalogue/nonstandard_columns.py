"""What the catalogue says of columns that exist: which hold other values than those we create, and which hold null."""

from collections.abc import Mapping
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, String, Table, column, func, select, table, text
from sqlalchemy.engine import Dialect
from sqlalchemy.types import TypeDecorator

from fastapi_easy.infrastructure.relational.server import Server
from fastapi_easy.infrastructure.relational.sqlite.survey import find_other_forms

_COLUMNS: Final = table(
    "columns",
    *(
        column(name, String)
        for name in (
            "table_schema",
            "table_name",
            "column_name",
            "collation_name",
            "data_type",
            "udt_name",
            "is_nullable",
        )
    ),
    schema="information_schema",
)
_NOT_NULL: Final = text('SELECT name FROM pragma_table_info(:table, :schema) WHERE "notnull"')


def find_nonstandard_columns(connection: Connection, server: Server, of: Table) -> frozenset[str]:
    """Return the names of the columns of *of* that do not hold values as the columns we create do.

    They have another collation, MariaDB's own type for UUIDs, or values on SQLite that are spelled in another way.
    """
    if server.name == "sqlite":
        # What was declared is all there is to go by: SQLite does not list collations.
        collated = {each.name for each in of.columns if getattr(each.type, "collation", None)}
        return find_other_forms(connection, of) | collated
    found = connection.execute(
        select(
            _COLUMNS.c.column_name, _COLUMNS.c.collation_name, _COLUMNS.c.data_type, _own_name(server)
        ).where(*_is_of(of, server))
    )
    usual = {"C", "POSIX", "pg_c_utf8", "ucs_basic"} if server.name == "postgresql" else {server.bytewise}
    return frozenset(
        name
        for name, collation, data_type, own in found
        if (collation is not None and collation not in usual | {_collation_of(of, name, server.dialect)})
        or (server.name == "mysql" and data_type == "uuid")
        or own == "citext"
    )


def read_stored_types(connection: Connection, server: Server, of: Table) -> Mapping[str, str]:
    """Return the names of the types of the columns of *of*, with `[]` for an array; none on SQLite, which has none."""
    if server.name == "sqlite":
        return {}
    found = connection.execute(
        select(_COLUMNS.c.column_name, _COLUMNS.c.data_type, _own_name(server)).where(*_is_of(of, server))
    )
    # PostgreSQL's name of an array is that of its items behind a line.
    return {
        name: "real[]" if own == "_float4" else own if data_type == "USER-DEFINED" else data_type
        for name, data_type, own in found
    }


def find_nullable_columns(connection: Connection, server: Server, of: Table) -> frozenset[str]:
    """Return the names of the columns of *of* that may hold null, whatever the class says.

    All of them where the catalogue does not say so of any: a view has no constraints of its own.
    """
    if server.name == "sqlite":
        not_null = connection.execute(_NOT_NULL, {"table": of.name, "schema": of.schema or "main"})
    else:
        not_null = connection.execute(
            select(_COLUMNS.c.column_name).where(*_is_of(of, server), _COLUMNS.c.is_nullable == "NO")
        )
    return frozenset(each.name for each in of.columns).difference(not_null.scalars())


def _own_name(server: Server) -> ColumnElement[str]:
    """Return what PostgreSQL itself calls a type: one of an extension has no other name."""
    return (_COLUMNS.c.udt_name if server.name == "postgresql" else _COLUMNS.c.data_type).label("own")


def _is_of(table: Table, server: Server) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    here = func.current_schema() if server.name == "postgresql" else func.database()
    return (
        _COLUMNS.c.table_name == table.name,
        _COLUMNS.c.table_schema == (here if table.schema is None else table.schema),
    )


def _collation_of(table: Table, name: str, dialect: Dialect) -> str | None:
    """Return the collation that one of our own types asks for; one that a user asks for counts as foreign."""
    declared: Any = table.columns[name].type if name in table.columns else None
    is_ours = isinstance(declared, TypeDecorator)
    return getattr(declared.load_dialect_impl(dialect), "collation", None) if is_ours else None
