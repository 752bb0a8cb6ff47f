"""The tables of leases."""

from typing import Final

from sqlalchemy import BigInteger, Column, Connection, Index, Integer, MetaData, String, Table, inspect
from sqlalchemy.exc import DBAPIError

from fastapi_easy.infrastructure.relational.column_types import ColumnType

_OWNER: Final = 200
_ATTEMPTS: Final = 10


def make_tables(connection: Connection, name_type: ColumnType) -> None:
    """Create what is missing; safe when many do so at once.

    Times are microseconds since 1970. A row without owner is a name that was held, whose tokens go on growing.
    """
    tables = _define_tables(name_type)
    for attempt in range(1, _ATTEMPTS + 1):
        missing = [table for table in tables.sorted_tables if not inspect(connection).has_table(table.name)]
        if not missing:
            return
        try:
            tables.create_all(connection, missing)
        except DBAPIError:
            # Somebody else was faster; there may be more that they have not come to yet.
            if attempt == _ATTEMPTS:
                raise


def _define_tables(name_type: ColumnType) -> MetaData:
    tables = MetaData()
    _ = Table(
        "fe_lock",
        tables,
        Column("name", name_type, primary_key=True),
        Column("owner", String(_OWNER)),
        Column("token", BigInteger, nullable=False),
        Column("expires_at", BigInteger),
        Column("acquired_at", BigInteger),
        mysql_engine="InnoDB",
    )
    waits = Table(
        "fe_lock_wait",
        tables,
        Column("ticket", BigInteger().with_variant(Integer, "sqlite"), primary_key=True),
        Column("name", name_type, nullable=False),
        Column("owner", String(_OWNER), nullable=False, unique=True),
        Column("expires_at", BigInteger, nullable=False),
        mysql_engine="InnoDB",
        # A ticket is never given out twice.
        sqlite_autoincrement=True,
    )
    _ = Index("fe_lock_wait_line", waits.c.name, waits.c.ticket)
    return tables
