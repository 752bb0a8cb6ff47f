"""The kind of a database server, and what has to be known about the one at the other end."""

import json
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias, assert_never

from sqlalchemy import Connection
from sqlalchemy.engine import Dialect

ServerName: TypeAlias = Literal["sqlite", "postgresql", "mysql"]
"""The kinds of servers that need different statements; MariaDB is `mysql` too."""

TECHNOLOGIES: Final = {
    "sqlite": "SQLite",
    "postgresql": "PostgreSQL",
    "mysql": "MySQL",
    "mariadb": "MariaDB",
}
"""The names of servers for people, by those in URLs."""

_BYTEWISE: Final = frozenset({"C", "POSIX"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """A database server, as far as statements depend on it.

    Attributes:
        dialect: SQLAlchemy's, after its first connection.

        name: The kind of server.

        bytewise: The collation in which text compares byte for byte; `None` where it always does.

        folding: The collation whose lower case is Unicode's; `None` where there is none to name.

        folds_ascii: Whether `ILIKE` of PostgreSQL takes I and i for the same letter, which Turkish collations do not.
    """

    dialect: Dialect
    name: ServerName
    bytewise: str | None = None
    folding: str | None = None
    folds_ascii: bool = True

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
    settings, folds_ascii = connection.exec_driver_sql(
        "SELECT to_jsonb(d)::text, 'I' ILIKE 'i' FROM pg_database d WHERE datname = current_database()"
    ).one()
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
        folds_ascii=bool(folds_ascii),
    )


def _detect_mysql(dialect: Dialect) -> Server:
    version = tuple(dialect.server_version_info or ())
    if getattr(dialect, "is_mariadb", False):
        # Since 10.10.1 there is a lower case newer than the one of 1999.
        folding = "utf8mb4_uca1400_as_cs" if version >= (10, 10, 1) else None
        return Server(dialect=dialect, name="mysql", bytewise="utf8mb4_nopad_bin", folding=folding)
    return Server(dialect=dialect, name="mysql", bytewise="utf8mb4_0900_bin", folding="utf8mb4_0900_as_cs")
