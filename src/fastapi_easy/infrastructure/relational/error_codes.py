"""What the error codes of each server mean.

Sources: PostgreSQL appendix A (SQLSTATE), MariaDB error codes, SQLite result codes.
"""

import enum
from collections.abc import Mapping
from typing import Final


class ErrorCause(enum.Enum):
    """Why a statement failed, whatever the driver."""

    UNIQUE = enum.auto()
    """A unique rule."""

    FOREIGN_KEY = enum.auto()
    """A foreign key."""

    CHECK = enum.auto()
    """A check constraint."""

    NOT_NULL = enum.auto()
    """A column that must not be null."""

    INVALID_VALUE = enum.auto()
    """A value that its column cannot hold."""

    RAISED = enum.auto()
    """The database's own code, a trigger for instance, has refused the statement."""

    NOT_PERMITTED = enum.auto()
    """The user of the database lacks a privilege, or a row-level policy has refused the row."""

    NOT_CHANGEABLE = enum.auto()
    """The table takes no such change: a view that nothing writes through."""

    READ_ONLY = enum.auto()
    """The database takes no changes: a standby, a file that may only be read, a read-only transaction."""

    STORAGE_FULL = enum.auto()
    """The disk of the database, or its quota, is full."""

    TIMEOUT = enum.auto()
    """The statement took too long; what came before in the transaction is kept."""

    LOCK_TIMEOUT = enum.auto()
    """Somebody else held a lock for too long; what came before in the transaction is kept."""

    ROLLED_BACK = enum.auto()
    """The database has rolled back the whole transaction."""

    DEADLOCK = enum.auto()
    """The database has rolled back the whole transaction, to end a deadlock."""

    SERIALIZATION = enum.auto()
    """The database has rolled back the whole transaction, for a conflict with another one."""

    UNREACHABLE = enum.auto()
    """The database did not answer."""

    ACCESS_DENIED = enum.auto()
    """The database lets the user, or this password of theirs, not in."""

    UNKNOWN_DATABASE = enum.auto()
    """The server has no such database."""

    STALE_STATEMENT = enum.auto()
    """The statement was prepared before the table changed; a second try prepares it anew."""


POSTGRES: Final[Mapping[str, ErrorCause]] = {
    "23505": ErrorCause.UNIQUE,
    "23P01": ErrorCause.UNIQUE,
    "23503": ErrorCause.FOREIGN_KEY,
    "23001": ErrorCause.FOREIGN_KEY,
    "23514": ErrorCause.CHECK,
    "23502": ErrorCause.NOT_NULL,
    "40001": ErrorCause.SERIALIZATION,
    "40P01": ErrorCause.DEADLOCK,
    "55P03": ErrorCause.LOCK_TIMEOUT,
    "57014": ErrorCause.TIMEOUT,
    "25P02": ErrorCause.ROLLED_BACK,
    "25P03": ErrorCause.UNREACHABLE,
    "25P04": ErrorCause.UNREACHABLE,
    "57P01": ErrorCause.UNREACHABLE,
    "57P02": ErrorCause.UNREACHABLE,
    "57P03": ErrorCause.UNREACHABLE,
    "57P05": ErrorCause.UNREACHABLE,
    "0A000": ErrorCause.STALE_STATEMENT,
    "25006": ErrorCause.READ_ONLY,
    "53100": ErrorCause.STORAGE_FULL,
    "42501": ErrorCause.NOT_PERMITTED,
    "44000": ErrorCause.CHECK,
    "54000": ErrorCause.INVALID_VALUE,
    "55000": ErrorCause.NOT_CHANGEABLE,
    "20000": ErrorCause.RAISED,
}

POSTGRES_CLASSES: Final[Mapping[str, ErrorCause]] = {
    "08": ErrorCause.UNREACHABLE,
    "28": ErrorCause.ACCESS_DENIED,
    "3D": ErrorCause.UNKNOWN_DATABASE,
    "53": ErrorCause.UNREACHABLE,
    "22": ErrorCause.INVALID_VALUE,
    "45": ErrorCause.RAISED,
    "P0": ErrorCause.RAISED,
}

POSTGRES_FOR_CALLERS: Final = frozenset({"P0001", "45000"})
"""States that say nothing but that somebody's code refuses: their sentence is written for callers."""

POSTGRES_KEPT: Final = frozenset(
    {
        ErrorCause.UNIQUE,
        ErrorCause.FOREIGN_KEY,
        ErrorCause.NOT_NULL,
        ErrorCause.TIMEOUT,
        ErrorCause.LOCK_TIMEOUT,
        ErrorCause.DEADLOCK,
        ErrorCause.SERIALIZATION,
        ErrorCause.ROLLED_BACK,
        ErrorCause.READ_ONLY,
        ErrorCause.STORAGE_FULL,
    }
)
"""What `RAISE` with a state of the server's own means as well as the server does."""


MYSQL: Final[Mapping[int, ErrorCause]] = {
    1022: ErrorCause.UNIQUE,
    1062: ErrorCause.UNIQUE,
    1586: ErrorCause.UNIQUE,
    1216: ErrorCause.FOREIGN_KEY,
    1217: ErrorCause.FOREIGN_KEY,
    1451: ErrorCause.FOREIGN_KEY,
    1452: ErrorCause.FOREIGN_KEY,
    3819: ErrorCause.CHECK,
    4025: ErrorCause.CHECK,
    1369: ErrorCause.CHECK,
    1526: ErrorCause.CHECK,
    1748: ErrorCause.CHECK,
    1288: ErrorCause.NOT_CHANGEABLE,
    1348: ErrorCause.NOT_CHANGEABLE,
    1393: ErrorCause.NOT_CHANGEABLE,
    1394: ErrorCause.NOT_CHANGEABLE,
    1395: ErrorCause.NOT_CHANGEABLE,
    1471: ErrorCause.NOT_CHANGEABLE,
    1048: ErrorCause.NOT_NULL,
    1364: ErrorCause.NOT_NULL,
    1264: ErrorCause.INVALID_VALUE,
    1265: ErrorCause.INVALID_VALUE,
    1292: ErrorCause.INVALID_VALUE,
    1365: ErrorCause.INVALID_VALUE,
    1366: ErrorCause.INVALID_VALUE,
    1406: ErrorCause.INVALID_VALUE,
    1441: ErrorCause.INVALID_VALUE,
    1690: ErrorCause.INVALID_VALUE,
    1339: ErrorCause.RAISED,
    1000: ErrorCause.RAISED,
    1001: ErrorCause.RAISED,
    1643: ErrorCause.RAISED,
    1644: ErrorCause.RAISED,
    1044: ErrorCause.NOT_PERMITTED,
    1142: ErrorCause.NOT_PERMITTED,
    1143: ErrorCause.NOT_PERMITTED,
    1227: ErrorCause.NOT_PERMITTED,
    1370: ErrorCause.NOT_PERMITTED,
    1036: ErrorCause.READ_ONLY,
    1290: ErrorCause.READ_ONLY,
    1792: ErrorCause.READ_ONLY,
    1836: ErrorCause.READ_ONLY,
    1021: ErrorCause.STORAGE_FULL,
    1114: ErrorCause.STORAGE_FULL,
    1205: ErrorCause.LOCK_TIMEOUT,
    3572: ErrorCause.LOCK_TIMEOUT,
    1969: ErrorCause.TIMEOUT,
    3024: ErrorCause.TIMEOUT,
    1213: ErrorCause.DEADLOCK,
    1020: ErrorCause.SERIALIZATION,
    1040: ErrorCause.UNREACHABLE,
    1045: ErrorCause.ACCESS_DENIED,
    1049: ErrorCause.UNKNOWN_DATABASE,
    1698: ErrorCause.ACCESS_DENIED,
    1053: ErrorCause.UNREACHABLE,
    1203: ErrorCause.UNREACHABLE,
    1226: ErrorCause.UNREACHABLE,
    1317: ErrorCause.UNREACHABLE,
    1927: ErrorCause.UNREACHABLE,
    2002: ErrorCause.UNREACHABLE,
    2003: ErrorCause.UNREACHABLE,
    2005: ErrorCause.UNREACHABLE,
    2006: ErrorCause.UNREACHABLE,
    2013: ErrorCause.UNREACHABLE,
    2014: ErrorCause.UNREACHABLE,
}

MYSQL_OF_THE_SYSTEM: Final = frozenset({3, 1026, 1030, 1598})
"""Numbers that pass on an error of the operating system, which is in the message: of a write, or of the engine."""

MYSQL_TARGET_MISSING: Final = frozenset({1216, 1452})
"""Of those that are about references: what was to be referred to does not exist."""

MYSQL_FOR_CALLERS: Final = frozenset({1000, 1001, 1643, 1644})
"""Those whose sentence is written for callers: of `SIGNAL`, and of the `MYSQL_ERRNO` that manuals set in it."""

MYSQL_OWN_NUMBERS: Final = 5_000
"""Numbers from here on come from no statement: they are the `MYSQL_ERRNO` of somebody's `SIGNAL`."""

SQLITE: Final[Mapping[str, ErrorCause]] = {
    "SQLITE_CONSTRAINT_UNIQUE": ErrorCause.UNIQUE,
    "SQLITE_CONSTRAINT_PRIMARYKEY": ErrorCause.UNIQUE,
    "SQLITE_CONSTRAINT_ROWID": ErrorCause.UNIQUE,
    "SQLITE_CONSTRAINT_FOREIGNKEY": ErrorCause.FOREIGN_KEY,
    "SQLITE_CONSTRAINT_TRIGGER": ErrorCause.RAISED,
    "SQLITE_CONSTRAINT_CHECK": ErrorCause.CHECK,
    "SQLITE_CONSTRAINT_NOTNULL": ErrorCause.NOT_NULL,
    "SQLITE_MISMATCH": ErrorCause.INVALID_VALUE,
    "SQLITE_TOOBIG": ErrorCause.INVALID_VALUE,
    "SQLITE_BUSY": ErrorCause.LOCK_TIMEOUT,
    "SQLITE_BUSY_SNAPSHOT": ErrorCause.LOCK_TIMEOUT,
    "SQLITE_BUSY_RECOVERY": ErrorCause.LOCK_TIMEOUT,
    "SQLITE_BUSY_TIMEOUT": ErrorCause.LOCK_TIMEOUT,
    "SQLITE_LOCKED": ErrorCause.LOCK_TIMEOUT,
    "SQLITE_LOCKED_SHAREDCACHE": ErrorCause.LOCK_TIMEOUT,
    "SQLITE_INTERRUPT": ErrorCause.TIMEOUT,
    "SQLITE_CANTOPEN": ErrorCause.UNREACHABLE,
    "SQLITE_FULL": ErrorCause.STORAGE_FULL,
    # The file that the processes share beside a file in WAL mode cannot grow.
    "SQLITE_IOERR_SHMSIZE": ErrorCause.STORAGE_FULL,
    "SQLITE_AUTH": ErrorCause.NOT_PERMITTED,
    "SQLITE_PERM": ErrorCause.NOT_PERMITTED,
}
