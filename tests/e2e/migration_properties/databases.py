"""A database on each relational server, and what is in it as the server itself tells."""

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import sqlalchemy
from sqlalchemy import Connection, Engine, text
from sqlalchemy.pool import NullPool

from tests.services.wanted import empty_database

SERVERS = ("sqlite", "postgres", "mariadb")
Rows = Mapping[str, Sequence[tuple[Any, ...]]]


@contextmanager
def database_on(server: str, folder: Path) -> Iterator[str]:
    """The URL of an empty database on *server*, gone at the end."""
    if server == "sqlite":
        yield f"sqlite:///{folder / 'shop.db'}"
        return
    with empty_database(server) as url:
        yield url


@contextmanager
def connected(url: str) -> Iterator[Connection]:
    """A connection of somebody else's to the database at *url*; what it does is committed at the end."""
    drivers = {"postgresql": "postgresql+psycopg", "mysql": "mysql+pymysql", "sqlite": "sqlite"}
    made = sqlalchemy.make_url(url)
    engine: Engine = sqlalchemy.create_engine(
        made.set(drivername=drivers[made.get_backend_name()]), poolclass=NullPool
    )
    with engine.begin() as connection:
        yield connection
    engine.dispose()


def empty(url: str) -> None:
    """Drop everything at *url*."""
    with connected(url) as connection:
        match connection.dialect.name:
            case "postgresql":
                connection.execute(text("DROP SCHEMA public CASCADE"))
                connection.execute(text("CREATE SCHEMA public"))
            case "mysql":
                connection.execute(text("SET foreign_key_checks = 0"))
                for table in connection.execute(text("SHOW TABLES")).scalars().all():
                    connection.exec_driver_sql(f"DROP TABLE `{table}`")
                connection.execute(text("SET foreign_key_checks = 1"))
            case _:
                names = (
                    connection.execute(text("SELECT name FROM sqlite_master WHERE type = 'table'"))
                    .scalars()
                    .all()
                )
                for table in set(names) - {"sqlite_sequence"}:
                    connection.exec_driver_sql(f'DROP TABLE "{table}"')


def execute(url: str, *statements: str) -> None:
    """Execute *statements* there."""
    with connected(url) as connection:
        for each in statements:
            connection.exec_driver_sql(each, execution_options={"no_parameters": True})


def rows_at(url: str, columns: Mapping[str, Sequence[str]], order: str = "id") -> Rows:
    """Return the rows of tables, of the given columns, by the name of the table."""
    found = {}
    with connected(url) as connection:
        quote = connection.dialect.identifier_preparer.quote
        for table, names in columns.items():
            listed = ", ".join(map(quote, names))
            asked = f"SELECT {listed} FROM {quote(table)} ORDER BY {order}"
            found[table] = [tuple(row) for row in connection.exec_driver_sql(asked)]
    return found


_CATALOGUES = {
    "sqlite": ["SELECT type, name, tbl_name, sql FROM sqlite_master ORDER BY 1, 2"],
    "postgresql": [
        (
            "SELECT c.relkind, n.nspname, c.relname, c.oid, c.relfilenode, c.reltuples FROM pg_class c"
            " JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname !~ '^pg_' AND"
            " n.nspname <> 'information_schema' ORDER BY 2, 3"
        ),
        (
            "SELECT table_name, column_name, data_type, column_default, is_nullable FROM information_schema.columns"
            " WHERE table_schema !~ '^pg_' AND table_schema <> 'information_schema' ORDER BY 1, 2"
        ),
        "SELECT conrelid, conname, pg_get_constraintdef(oid) FROM pg_constraint ORDER BY 1, 2",
        "SELECT typname, typtype FROM pg_type WHERE typnamespace = 'public'::regnamespace ORDER BY 1",
        "SELECT nspname FROM pg_namespace WHERE nspname !~ '^pg_(toast_)?temp' ORDER BY 1",
        "SELECT proname FROM pg_proc WHERE pronamespace = 'public'::regnamespace ORDER BY 1",
    ],
    "mysql": [
        (
            "SELECT table_name, create_time, table_comment FROM information_schema.tables"
            " WHERE table_schema = database() ORDER BY 1"
        ),
        (
            "SELECT table_name, column_name, column_type, column_default, is_nullable, extra"
            " FROM information_schema.columns WHERE table_schema = database() ORDER BY 1, 2"
        ),
        (
            "SELECT table_name, index_name, seq_in_index, column_name FROM information_schema.statistics"
            " WHERE table_schema = database() ORDER BY 1, 2, 3"
        ),
        (
            "SELECT table_name, constraint_name, constraint_type FROM information_schema.table_constraints"
            " WHERE table_schema = database() ORDER BY 1, 2"
        ),
    ],
}


def catalogue_at(url: str) -> list[list[tuple[Any, ...]]]:
    """Return what the server's catalogue says of the database at *url*, and of the files of tables."""
    with connected(url) as connection:
        return [
            [tuple(row) for row in connection.exec_driver_sql(each)]
            for each in _CATALOGUES[connection.dialect.name]
        ]


def definition_of(url: str, table: str) -> str:
    """Return the definition of *table* as the server writes it, or what stands for it."""
    with connected(url) as connection:
        match connection.dialect.name:
            case "mysql":
                written = connection.exec_driver_sql(f"SHOW CREATE TABLE `{table}`").one()[1]
                return re.sub(r" AUTO_INCREMENT=\d+", "", written)
            case "sqlite":
                asked = text("SELECT sql FROM sqlite_master WHERE tbl_name = :table ORDER BY name")
                return "; ".join(map(str, connection.execute(asked, {"table": table}).scalars()))
            case _:
                asked = text(
                    "SELECT oid, relfilenode, relnatts FROM pg_class WHERE oid = CAST(:table AS regclass)"
                )
                return str(tuple(connection.execute(asked, {"table": table}).one()))
