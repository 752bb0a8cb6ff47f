"""The tables in PostgreSQL: loaded once, and put back as they were after whatever has written to them."""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final, LiteralString

import psycopg
from psycopg import sql
from sqlalchemy import create_engine

from benchmarks.columns.tables import Base
from benchmarks.rows import rows
from tests.services import drop_scratch_database, obtain, scratch_database

GIVEN: Final = "BENCH_POSTGRES_URL"
"""The environment variable with the URL of an empty database to use instead of a server of our own."""

FIELDS: Final[tuple[LiteralString, ...]] = ("id", "title", "price", "attributes", "created_at", "owner_id")
PLAIN: Final = "items"
VERSIONED: Final = "versioned_items"
TABLES: Final = (PLAIN, VERSIONED)


class Database:
    """A database with the tables.

    Args:
        url: Where it is, as `postgresql://…`.

        where: On which cores the server is, in words.
    """

    def __init__(self, url: str, where: str) -> None:
        self.url = url
        self.where = where

    @property
    def async_url(self) -> str:
        """The same for SQLAlchemy on asyncpg."""
        return self.url.replace("postgresql://", "postgresql+asyncpg://", 1)

    @property
    def version(self) -> str:
        """The server's own."""
        with psycopg.connect(self.url) as connection:
            return str(connection.info.parameter_status("server_version"))

    def load(self) -> None:
        """Make the tables, and a copy of the rows to put them back from."""
        engine = create_engine(self.url.replace("postgresql://", "postgresql+psycopg://", 1))
        Base.metadata.create_all(engine)
        engine.dispose()
        names = sql.SQL(", ").join(map(sql.Identifier, FIELDS))
        with psycopg.connect(self.url, autocommit=True) as connection:
            with connection.transaction(), connection.cursor() as cursor:
                _ = cursor.execute(sql.SQL("CREATE TABLE original (LIKE {})").format(sql.Identifier(PLAIN)))
                with cursor.copy(sql.SQL("COPY original ({}) FROM STDIN").format(names)) as copy:
                    for row in rows():
                        copy.write_row(
                            [
                                json.dumps(value) if isinstance(value, dict) else value
                                for value in row.values()
                            ]
                        )
            for table in TABLES:
                # What nobody asked for may not run while something is measured.
                _ = connection.execute(
                    sql.SQL("ALTER TABLE {} SET (autovacuum_enabled = off)").format(sql.Identifier(table))
                )
                self.restore(table)

    def restore(self, table: str) -> None:
        """Put back the rows of *table*, with nothing to tidy up left behind."""
        names = sql.SQL(", ").join(map(sql.Identifier, FIELDS))
        place = sql.Identifier(table)
        with psycopg.connect(self.url, autocommit=True) as connection:
            for statement in (
                sql.SQL("TRUNCATE {}").format(place),
                sql.SQL("INSERT INTO {} ({}) SELECT {} FROM original ORDER BY id").format(
                    place, names, names
                ),
                sql.SQL("SELECT setval(pg_get_serial_sequence({}, 'id'), max(id)) FROM {}").format(
                    sql.Literal(table), place
                ),
                # What is not in the log yet, vacuum leaves as perhaps invisible.
                sql.SQL("CHECKPOINT"),
                sql.SQL("VACUUM (ANALYZE) {}").format(place),
            ):
                _ = connection.execute(statement)


@contextmanager
def database() -> Iterator[Database]:
    """An empty database: the one that was given, or one on a server that the tests would use.

    A server that is started for it stays on the cores that this process is on.

    Raises:
        Unavailable: There is no server, and none can be started.
    """
    given = os.environ.get(GIVEN)
    if given:
        yield Database(given, "wherever it is, on whichever cores")
        return
    service = obtain("postgres")
    url = scratch_database(service)
    try:
        yield Database(
            url, service.source + ("" if service.process is None else ", on the cores of the load")
        )
    finally:
        drop_scratch_database(service, url)
