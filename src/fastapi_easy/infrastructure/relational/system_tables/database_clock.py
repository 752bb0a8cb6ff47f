"""The clock of a relational database, whose time is the same for every process."""

from typing import Final

from sqlalchemy import BigInteger, ColumnElement, literal_column

_NOW: Final = {
    "sqlite": "CAST((julianday('now') - 2440587.5) * 86400000000 AS INTEGER)",
    "postgresql": "CAST(extract(epoch FROM clock_timestamp()) * 1000000 AS bigint)",
    "mysql": "CAST(UNIX_TIMESTAMP(SYSDATE(6)) * 1000000 AS SIGNED)",
}


def now(dialect: str) -> ColumnElement[int]:
    """Return the microseconds since 1970 at the moment at which a statement asks for them."""
    return literal_column(_NOW["mysql" if dialect == "mariadb" else dialect], BigInteger())
