"""The tables of leases."""

from typing import Final

from sqlalchemy import BigInteger, Column, Connection, Index, Integer, MetaData, String, Table, inspect, text
from sqlalchemy.dialects.mysql import VARBINARY
from sqlalchemy.exc import DBAPIError

_NAME: Final = 200
_OWNER: Final = 200
_ATTEMPTS: Final = 10

LEASE_NAMES: Final = frozenset({"fe_lock", "fe_lock_wait", "fe_lock_boot"})
"""The names of the tables; the last one is on SQLite only."""


_GRANT_INDEX: Final = text("CREATE UNIQUE INDEX fe_lock_grant ON fe_lock (token, name)")
"""On MySQL what a unit of work that guards its lease locks, in place of the row: see `MySqlLeaseStore`."""


def make_tables(connection: Connection) -> None:
    """Create the missing tables of leases; safe when many processes do so at once.

    Times are microseconds since 1970, on SQLite since the start of the machine. A row without an owner is a
    name that was held once; its token goes on growing.
    """
    tables = lease_tables()
    for attempt in range(1, _ATTEMPTS + 1):
        missing = [table for table in tables.sorted_tables if not inspect(connection).has_table(table.name)]
        if not missing and _has_grant_index(connection):
            return
        try:
            tables.create_all(connection, missing)
            if not _has_grant_index(connection):
                _ = connection.execute(_GRANT_INDEX)
        except DBAPIError:
            # Another process has created a table or the index meanwhile, and may not have come to the next one yet.
            if attempt == _ATTEMPTS:
                raise


def _has_grant_index(connection: Connection) -> bool:
    if connection.dialect.name not in {"mysql", "mariadb"}:
        return True
    return any(each["name"] == "fe_lock_grant" for each in inspect(connection).get_indexes("fe_lock"))


def lease_tables() -> MetaData:
    """Return the tables of leases."""
    # On MySQL bytes, since texts compare equal whatever the blanks at their end, and by collation.
    name_type = String().with_variant(VARBINARY(_NAME), "mysql", "mariadb")
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
        # Without it SQLite would use the number of a deleted ticket again.
        sqlite_autoincrement=True,
    )
    _ = Index("fe_lock_wait_line", waits.c.name, waits.c.ticket)
    return tables
