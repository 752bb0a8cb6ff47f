"""The kind of a database server, and what has to be known about the one at the other end."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal, TypeAlias, assert_never

from sqlalchemy import ColumnElement, Connection, String, Table, column, func, select, table, text
from sqlalchemy.engine import Dialect
from sqlalchemy.types import TypeDecorator

ServerName: TypeAlias = Literal["sqlite", "postgresql", "mysql"]
"""The kinds of servers that need different statements; MariaDB is `mysql` too."""

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
        )
    ),
    schema="information_schema",
)

_TYPES: Final = text("SELECT name, type FROM pragma_table_info(:table)")

_BYTEWISE: Final = frozenset({"C", "POSIX"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """A database server, as far as statements depend on it.

    Attributes:
        dialect: SQLAlchemy's, after its first connection.

        name: The kind of server.

        bytewise: The collation in which text compares byte for byte; `None` where it always does.

        folding: The collation whose lower case is Unicode's; `None` where there is none to name.
    """

    dialect: Dialect
    name: ServerName
    bytewise: str | None = None
    folding: str | None = None

    @property
    def is_mariadb(self) -> bool:
        """Whether it is MariaDB, not MySQL."""
        return bool(getattr(self.dialect, "is_mariadb", False))

    @property
    def insert_returning(self) -> bool:
        """Whether `INSERT` can return the new row: MariaDB does, MySQL does not."""
        return bool(self.dialect.insert_returning)


def detect_server(connection: Connection) -> Server:
    """Return the server behind *connection*, which PostgreSQL is asked a few questions for."""
    dialect, name = connection.dialect, server_name_of(connection.dialect.name)
    match name:
        case "postgresql":
            return _detect_postgres(connection)
        case "sqlite":
            return Server(dialect=dialect, name="sqlite")
        case "mysql":
            return _detect_mysql(dialect)
        case _:
            assert_never(name)


def server_name_of(dialect: str) -> ServerName:
    """Return the kind of server that SQLAlchemy's dialect of the name *dialect* is for.

    Raises:
        LookupError: No kind that is known here.
    """
    match dialect:
        case "sqlite" | "postgresql" | "mysql":
            return dialect
        case "mariadb":
            return "mysql"
        case _:
            raise LookupError(f"nothing is known here about {dialect}")


def _detect_postgres(connection: Connection) -> Server:
    # The whole row as JSON: `datlocprovider` exists since PostgreSQL 15 only.
    settings = connection.exec_driver_sql(
        "SELECT to_jsonb(d)::text FROM pg_database d WHERE datname = current_database()"
    ).scalar_one()
    database = json.loads(settings)
    is_bytewise = database["datcollate"] in _BYTEWISE and database.get("datlocprovider", "c") == "c"
    # For lower case as Unicode defines it: the builtin one of PostgreSQL 17 is faster than ICU's.
    collations = connection.exec_driver_sql(
        "SELECT collname FROM pg_collation"
        " WHERE collname IN ('pg_c_utf8', 'und-x-icu') AND collencoding IN (-1, pg_char_to_encoding('UTF8'))"
        " ORDER BY collname = 'und-x-icu'"
    ).scalars()
    return Server(
        dialect=connection.dialect,
        name="postgresql",
        bytewise=None if is_bytewise else "C",
        folding=next(iter(collations.all()), None),
    )


def _detect_mysql(dialect: Dialect) -> Server:
    version = tuple(dialect.server_version_info or ())
    if getattr(dialect, "is_mariadb", False):
        # Since 10.10.1 there is a lower case newer than the one of 1999.
        folding = "utf8mb4_uca1400_as_cs" if version >= (10, 10, 1) else None
        return Server(dialect=dialect, name="mysql", bytewise="utf8mb4_nopad_bin", folding=folding)
    return Server(dialect=dialect, name="mysql", bytewise="utf8mb4_0900_bin", folding="utf8mb4_0900_as_cs")


def find_nonstandard_columns(connection: Connection, server: Server, of: Table) -> frozenset[str]:
    """Return the names of the columns of *of* that do not hold values as the columns we create do.

    They have another collation, MariaDB's own type for UUIDs, or one of the `foreign_types` of a type of ours.
    """
    if server.name == "sqlite":
        types = connection.execute(_TYPES, {"table": of.name})
        stored: dict[str, str] = {name: str(declared) for name, declared in types}
        return frozenset(
            each.name
            for each in of.columns
            # What was declared is all there is to go by: SQLite does not list collations.
            if getattr(each.type, "collation", None)
            or stored.get(each.name, "").upper().startswith(getattr(each.type, "foreign_types", ()))
        )
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
