"""What the catalogue says of the columns of a table that exists: how they hold values, whether null, and defaults."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection, String, Table, column, func, select, table, text
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
            "column_default",
            "collation_name",
            "data_type",
            "udt_name",
            "is_nullable",
        )
    ),
    schema="information_schema",
)
_ON_SQLITE: Final = text('SELECT name, "notnull", dflt_value FROM pragma_table_info(:table, :schema)')
_STANDARD: Final = frozenset({"C", "POSIX", "pg_c_utf8", "ucs_basic"})
"""The collations of PostgreSQL in which text compares byte for byte."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredColumns:
    """The columns of one table, as they are in the database.

    Attributes:
        nonstandard: The names of those that do not hold values as the columns we create do: with another collation,
            MariaDB's own type for UUIDs, or values on SQLite that are spelled in another way.

        nullable: The names of those that may hold null, whatever the class says. All where the catalogue does not say
            so of any: a view has no constraints of its own.

        types: The names of their types, with `[]` for an array; none on SQLite, which has none.

        defaults: The SQL expressions of their defaults, by column: on SQLite, where `DEFAULT` is no expression, and on
            MariaDB, where nothing else names the sequence of a column.
    """

    nonstandard: frozenset[str]
    nullable: frozenset[str]
    types: Mapping[str, str]
    defaults: Mapping[str, str]


def read_stored_columns(connection: Connection, server: Server, of: Table) -> StoredColumns:
    """Ask the catalogue about the columns of *of*, in one statement where there is a server."""
    return _on_sqlite(connection, of) if server.name == "sqlite" else _on_server(connection, server, of)


def _on_sqlite(connection: Connection, of: Table) -> StoredColumns:
    found = connection.execute(_ON_SQLITE, {"table": of.name, "schema": of.schema or "main"}).all()
    # What was declared is all there is to go by: SQLite does not list collations.
    collated = {each.name for each in of.columns if getattr(each.type, "collation", None)}
    return StoredColumns(
        nonstandard=find_other_forms(connection, of) | collated,
        nullable=_names(of).difference(name for name, is_not_null, _ in found if is_not_null),
        types={},
        defaults={name: default for name, _, default in found if default is not None},
    )


def _on_server(connection: Connection, server: Server, of: Table) -> StoredColumns:
    is_postgres = server.name == "postgresql"
    here = func.current_schema() if is_postgres else func.database()
    # What PostgreSQL itself calls a type: one of an extension has no other name.
    own_name = _COLUMNS.c.udt_name if is_postgres else _COLUMNS.c.data_type
    found = connection.execute(
        select(
            _COLUMNS.c.column_name,
            _COLUMNS.c.collation_name,
            _COLUMNS.c.data_type,
            own_name.label("own"),
            _COLUMNS.c.is_nullable,
            _COLUMNS.c.column_default,
        ).where(
            _COLUMNS.c.table_name == of.name,
            _COLUMNS.c.table_schema == (here if of.schema is None else of.schema),
        )
    ).all()
    usual = _STANDARD if is_postgres else {server.bytewise}
    return StoredColumns(
        nonstandard=frozenset(
            name
            for name, collation, data_type, own, _, _ in found
            if (collation is not None and collation not in usual | {_collation_of(of, name, server.dialect)})
            or (not is_postgres and data_type == "uuid")
            or own == "citext"
        ),
        nullable=_names(of).difference(name for name, *_, nullable, _ in found if nullable == "NO"),
        types={name: _type_name(data_type, own) for name, _, data_type, own, _, _ in found},
        defaults={
            name: default
            for name, *_, default in found
            if default is not None and not is_postgres and server.dialect.supports_sequences
        },
    )


def _names(of: Table) -> frozenset[str]:
    return frozenset(each.name for each in of.columns)


def _type_name(data_type: str, own: str) -> str:
    # PostgreSQL's name of an array is that of its items behind a line.
    if own == "_float4":
        return "real[]"
    return own if data_type == "USER-DEFINED" else data_type


def _collation_of(table: Table, name: str, dialect: Dialect) -> str | None:
    """Return the collation that one of our own types asks for; one that a user asks for counts as foreign."""
    declared: Any = table.columns[name].type if name in table.columns else None
    is_ours = isinstance(declared, TypeDecorator)
    return getattr(declared.load_dialect_impl(dialect), "collation", None) if is_ours else None
