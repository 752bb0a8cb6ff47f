"""What a driver complains of, read from class, SQLSTATE or error number, never from prose where there is better.

Sources: PostgreSQL appendix A (SQLSTATE), MariaDB error codes, SQLite result codes.
"""

import enum
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy.exc import DBAPIError, StatementError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from fastapi_easy.domain.errors import Obstacle
from fastapi_easy.domain.ports.breaker import NotAdmitted
from fastapi_easy.infrastructure.relational.column_types import Unstorable


class Cause(enum.Enum):
    """Why a statement was refused, whatever the driver."""

    TAKEN = enum.auto()
    """A unique rule."""

    REFERENCE = enum.auto()
    """A foreign key."""

    CHECK = enum.auto()
    """A check constraint."""

    NULL = enum.auto()
    """A column that must not be null."""

    UNFIT = enum.auto()
    """A value that its column cannot hold."""

    BUSY = enum.auto()
    """Somebody else was in the way, or it took too long; what came before still stands."""

    UNDONE = enum.auto()
    """The database has undone the whole transaction to let another one pass."""

    SILENT = enum.auto()
    """No answer."""

    OUTDATED = enum.auto()
    """The statement was prepared before the table changed; a second try prepares it anew."""


@dataclass(frozen=True, slots=True)
class Complaint:
    """A refusal in our own words.

    Attributes:
        cause: Why.

        constraint: The name of the rule, where the driver says.

        table: The table of the rule, where the driver says.

        columns: The columns, where the driver says.
    """

    cause: Cause
    constraint: str | None = None
    table: str | None = None
    columns: tuple[str, ...] = ()


_OBSTACLES: Final = {
    Cause.BUSY: Obstacle.DELAY,
    Cause.UNDONE: Obstacle.CONFLICT,
    Cause.SILENT: Obstacle.SILENCE,
}


def undoes_all(complaint: Complaint) -> bool:
    """Whether nothing is left of the transaction."""
    return complaint.cause in {Cause.UNDONE, Cause.SILENT}


def is_silence(error: BaseException) -> bool:
    """Whether the database has not answered; that we did not even ask it is no silence of its."""
    if isinstance(error, PoolTimeout | NotAdmitted):
        return False
    complaint = complaint_of(error)
    return complaint is not None and complaint.cause is Cause.SILENT


def obstacle_of(error: BaseException) -> Obstacle | None:
    """What kept the database from answering, when *error* says that something did."""
    match error:
        case NotAdmitted():
            return error.obstacle
        case PoolTimeout():
            return Obstacle.OVERLOAD
        case TimeoutError():
            return Obstacle.DELAY
        case _:
            complaint = complaint_of(error)
            return None if complaint is None else _OBSTACLES.get(complaint.cause)


def is_outdated(error: BaseException) -> bool:
    """Whether a second try would find the statement prepared anew."""
    complaint = complaint_of(error)
    return complaint is not None and complaint.cause is Cause.OUTDATED


def complaint_of(error: BaseException) -> Complaint | None:
    """What *error* complains of; `None` when it means a defect of ours."""
    match error:
        case DBAPIError(connection_invalidated=True) | PoolTimeout() | OSError():
            return Complaint(Cause.SILENT)
        case DBAPIError():
            return _from_driver(error.orig)
        case StatementError(orig=Unstorable() | OverflowError() | UnicodeEncodeError()):
            return Complaint(Cause.UNFIT)
        case _:
            return None


def _from_driver(refusal: BaseException | None) -> Complaint | None:
    if isinstance(refusal, Unstorable | OverflowError | UnicodeEncodeError):
        return Complaint(Cause.UNFIT)
    # Drivers in disguise: SQLAlchemy wraps what asyncpg raised in classes of its own.
    original: Any = (
        getattr(refusal, "driver_exception", None) or getattr(refusal, "__cause__", None) or refusal
    )
    if (name := getattr(refusal, "sqlite_errorname", None)) is not None:
        return _sqlite(str(name), str(refusal))
    number = refusal.args[0] if refusal is not None and refusal.args else None
    if isinstance(number, int):
        return _mysql(number, str(refusal.args[1]) if refusal is not None and len(refusal.args) > 1 else "")
    state = getattr(refusal, "sqlstate", None) or getattr(original, "sqlstate", None)
    if state is not None:
        return _postgres(str(state), getattr(original, "diag", original))
    # What comes from libpq itself, before or after there was a server to talk to, has no SQLSTATE.
    return (
        Complaint(Cause.SILENT)
        if type(refusal).__module__.startswith("psycopg") and _is_operational(refusal)
        else None
    )


def _is_operational(refusal: BaseException | None) -> bool:
    return any(each.__name__ == "OperationalError" for each in type(refusal).__mro__)


_POSTGRES: Final[Mapping[str, Cause]] = {
    "23505": Cause.TAKEN,
    "23P01": Cause.TAKEN,
    "23503": Cause.REFERENCE,
    "23001": Cause.REFERENCE,
    "23514": Cause.CHECK,
    "23502": Cause.NULL,
    "40001": Cause.UNDONE,
    "40P01": Cause.UNDONE,
    "55P03": Cause.BUSY,
    "57014": Cause.BUSY,
    "25P02": Cause.UNDONE,
    "25P03": Cause.SILENT,
    "25P04": Cause.SILENT,
    "57P01": Cause.SILENT,
    "57P02": Cause.SILENT,
    "57P03": Cause.SILENT,
    "57P05": Cause.SILENT,
    "0A000": Cause.OUTDATED,
}

_POSTGRES_CLASSES: Final[Mapping[str, Cause]] = {"08": Cause.SILENT, "53": Cause.SILENT, "22": Cause.UNFIT}


def _postgres(state: str, details: Any) -> Complaint | None:
    cause = _POSTGRES.get(state, _POSTGRES_CLASSES.get(state[:2]))
    if cause is None:
        return None
    column = getattr(details, "column_name", None)
    return Complaint(
        cause,
        constraint=getattr(details, "constraint_name", None),
        table=getattr(details, "table_name", None),
        columns=(column,) if column else (),
    )


_MYSQL: Final[Mapping[int, Cause]] = {
    1022: Cause.TAKEN,
    1062: Cause.TAKEN,
    1586: Cause.TAKEN,
    1216: Cause.REFERENCE,
    1217: Cause.REFERENCE,
    1451: Cause.REFERENCE,
    1452: Cause.REFERENCE,
    3819: Cause.CHECK,
    4025: Cause.CHECK,
    1048: Cause.NULL,
    1364: Cause.NULL,
    1264: Cause.UNFIT,
    1265: Cause.UNFIT,
    1292: Cause.UNFIT,
    1366: Cause.UNFIT,
    1406: Cause.UNFIT,
    1441: Cause.UNFIT,
    1690: Cause.UNFIT,
    1205: Cause.BUSY,
    1969: Cause.BUSY,
    3024: Cause.BUSY,
    1213: Cause.UNDONE,
    1020: Cause.UNDONE,
    1040: Cause.SILENT,
    1053: Cause.SILENT,
    1203: Cause.SILENT,
    1226: Cause.SILENT,
    1317: Cause.SILENT,
    1927: Cause.SILENT,
    2002: Cause.SILENT,
    2003: Cause.SILENT,
    2005: Cause.SILENT,
    2006: Cause.SILENT,
    2013: Cause.SILENT,
    2014: Cause.SILENT,
}

_MYSQL_KEY: Final = re.compile(r"for key '(?:[^']*\.)?([^'.]+)'")
_MYSQL_REFERENCE: Final = re.compile(
    r"[`\"]([^`\"]+)[`\"], CONSTRAINT [`\"]([^`\"]+)[`\"] FOREIGN KEY \(([^)]*)\)"
)
_MYSQL_CHECK: Final = re.compile(r"(?:CONSTRAINT [`\"](?:[^`\"]*\.)?|Check constraint ')([^`\"'.]+)[`\"']")
_MYSQL_COLUMN: Final = re.compile(r"(?:[Cc]olumn|[Ff]ield) '([^']+)'")


def _mysql(number: int, message: str) -> Complaint | None:
    cause = _MYSQL.get(number)
    match cause:
        case None:
            return None
        case Cause.TAKEN:
            return Complaint(cause, constraint=_found(_MYSQL_KEY, message))
        case Cause.REFERENCE:
            return _mysql_reference(message)
        case Cause.CHECK:
            return Complaint(cause, constraint=_found(_MYSQL_CHECK, message))
        case Cause.NULL | Cause.UNFIT:
            column = _found(_MYSQL_COLUMN, message)
            return Complaint(cause, columns=(column,) if column else ())
        case _:
            return Complaint(cause)


def _mysql_reference(message: str) -> Complaint:
    match = _MYSQL_REFERENCE.search(message)
    if match is None:
        return Complaint(Cause.REFERENCE)
    table, constraint, columns = match.groups()
    named = tuple(each.strip().strip('`"') for each in columns.split(","))
    return Complaint(Cause.REFERENCE, constraint, table, named)


_SQLITE: Final[Mapping[str, Cause]] = {
    "SQLITE_CONSTRAINT_UNIQUE": Cause.TAKEN,
    "SQLITE_CONSTRAINT_PRIMARYKEY": Cause.TAKEN,
    "SQLITE_CONSTRAINT_ROWID": Cause.TAKEN,
    "SQLITE_CONSTRAINT_FOREIGNKEY": Cause.REFERENCE,
    "SQLITE_CONSTRAINT_TRIGGER": Cause.REFERENCE,
    "SQLITE_CONSTRAINT_CHECK": Cause.CHECK,
    "SQLITE_CONSTRAINT_NOTNULL": Cause.NULL,
    "SQLITE_MISMATCH": Cause.UNFIT,
    "SQLITE_TOOBIG": Cause.UNFIT,
    "SQLITE_BUSY": Cause.BUSY,
    "SQLITE_BUSY_SNAPSHOT": Cause.BUSY,
    "SQLITE_BUSY_RECOVERY": Cause.BUSY,
    "SQLITE_BUSY_TIMEOUT": Cause.BUSY,
    "SQLITE_LOCKED": Cause.BUSY,
    "SQLITE_LOCKED_SHAREDCACHE": Cause.BUSY,
    "SQLITE_INTERRUPT": Cause.BUSY,
    "SQLITE_CANTOPEN": Cause.SILENT,
}


def _sqlite(name: str, message: str) -> Complaint | None:
    cause = _SQLITE.get(name)
    rule = message.partition("constraint failed: ")[2]
    match cause:
        case None:
            return None
        case Cause.TAKEN if rule.startswith("index "):
            return Complaint(cause, constraint=rule.removeprefix("index ").strip("'"))
        case Cause.TAKEN | Cause.NULL:
            return Complaint(
                cause, columns=tuple(each.rpartition(".")[2] for each in rule.split(", ") if each)
            )
        case Cause.CHECK:
            return Complaint(cause, constraint=rule or None)
        case _:
            return Complaint(cause)


def _found(pattern: re.Pattern[str], message: str) -> str | None:
    match = pattern.search(message)
    return None if match is None else match.group(1)
