"""Why a driver has failed: told by its class, SQLSTATE or error number, and by its message only as a last resort.

Sources: PostgreSQL appendix A (SQLSTATE), MariaDB error codes, SQLite result codes.
"""

import enum
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy.exc import DBAPIError, StatementError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from fastapi_easy.domain.errors import UnavailableReason
from fastapi_easy.domain.ports.breaker import CallNotPermitted
from fastapi_easy.infrastructure.relational.column_types import Unstorable


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

    READ_ONLY = enum.auto()
    """The database takes no changes: a standby, a file that may only be read, a read-only transaction."""

    TIMEOUT = enum.auto()
    """A lock or the statement itself took too long; what came before in the transaction is kept."""

    ROLLED_BACK = enum.auto()
    """The database has rolled back the whole transaction, because of a deadlock or a conflict with another one."""

    UNREACHABLE = enum.auto()
    """The database did not answer."""

    STALE_STATEMENT = enum.auto()
    """The statement was prepared before the table changed; a second try prepares it anew."""


@dataclass(frozen=True, slots=True)
class ClassifiedError:
    """The failure of a statement, whatever the driver.

    Attributes:
        cause: Why it failed.

        constraint: The name of the violated constraint, where the driver tells.

        table: The table of the constraint, where the driver tells.

        columns: The columns, where the driver tells.

        sentence: What the database's own code says to callers about its refusal.
    """

    cause: ErrorCause
    constraint: str | None = None
    table: str | None = None
    columns: tuple[str, ...] = ()
    sentence: str | None = None


_UNAVAILABLE_REASONS: Final = {
    ErrorCause.TIMEOUT: UnavailableReason.TIMEOUT,
    ErrorCause.ROLLED_BACK: UnavailableReason.CONFLICT,
    ErrorCause.UNREACHABLE: UnavailableReason.NO_RESPONSE,
    ErrorCause.READ_ONLY: UnavailableReason.READ_ONLY,
}


def ends_transaction(classified: ClassifiedError) -> bool:
    """Return whether the database has ended the transaction."""
    return classified.cause in {ErrorCause.ROLLED_BACK, ErrorCause.UNREACHABLE}


def is_unreachable(error: BaseException) -> bool:
    """Return whether the database was asked and has not answered."""
    if isinstance(error, PoolTimeout | CallNotPermitted):
        return False
    classified = classify_error(error)
    return classified is not None and classified.cause is ErrorCause.UNREACHABLE


def unavailable_reason_of(error: BaseException) -> UnavailableReason | None:
    """Return what kept the database from answering; `None` when *error* is about something else."""
    match error:
        case CallNotPermitted():
            return error.reason
        case PoolTimeout():
            return UnavailableReason.OVERLOAD
        case TimeoutError():
            return UnavailableReason.TIMEOUT
        case _:
            classified = classify_error(error)
            return None if classified is None else _UNAVAILABLE_REASONS.get(classified.cause)


def is_stale_statement(error: BaseException) -> bool:
    """Return whether a second try would find the statement prepared anew."""
    classified = classify_error(error)
    return classified is not None and classified.cause is ErrorCause.STALE_STATEMENT


def classify_error(error: BaseException) -> ClassifiedError | None:
    """Classify *error*; `None` when it means a defect of ours."""
    match error:
        case DBAPIError(connection_invalidated=True) | PoolTimeout() | OSError():
            return ClassifiedError(ErrorCause.UNREACHABLE)
        case DBAPIError():
            return _from_driver(error.orig)
        case StatementError(orig=Unstorable(column=str(column))):
            return ClassifiedError(ErrorCause.INVALID_VALUE, columns=(column,))
        case StatementError(orig=Unstorable() | OverflowError() | UnicodeEncodeError()):
            return ClassifiedError(ErrorCause.INVALID_VALUE)
        case _:
            return None


def _from_driver(driver_error: BaseException | None) -> ClassifiedError | None:
    if isinstance(driver_error, Unstorable | OverflowError | UnicodeEncodeError):
        return ClassifiedError(ErrorCause.INVALID_VALUE)
    # SQLAlchemy's adapter wraps what asyncpg raised in classes of its own, which lack the names of constraints.
    original: Any = (
        getattr(driver_error, "driver_exception", None)
        or getattr(driver_error, "__cause__", None)
        or driver_error
    )
    if (name := getattr(driver_error, "sqlite_errorname", None)) is not None:
        return _sqlite(str(name), str(driver_error))
    # The drivers for MySQL raise (number, message).
    number = driver_error.args[0] if driver_error is not None and driver_error.args else None
    if isinstance(number, int):
        return _mysql(
            number,
            str(driver_error.args[1]) if driver_error is not None and len(driver_error.args) > 1 else "",
        )
    state = getattr(driver_error, "sqlstate", None) or getattr(original, "sqlstate", None)
    if state is not None:
        return _postgres(str(state), getattr(original, "diag", original))
    # Errors of libpq itself, such as a refused or lost connection, come without a SQLSTATE.
    return (
        ClassifiedError(ErrorCause.UNREACHABLE)
        if type(driver_error).__module__.startswith("psycopg") and _is_operational(driver_error)
        else None
    )


def _is_operational(driver_error: BaseException | None) -> bool:
    return any(each.__name__ == "OperationalError" for each in type(driver_error).__mro__)


_POSTGRES: Final[Mapping[str, ErrorCause]] = {
    "23505": ErrorCause.UNIQUE,
    "23P01": ErrorCause.UNIQUE,
    "23503": ErrorCause.FOREIGN_KEY,
    "23001": ErrorCause.FOREIGN_KEY,
    "23514": ErrorCause.CHECK,
    "23502": ErrorCause.NOT_NULL,
    "40001": ErrorCause.ROLLED_BACK,
    "40P01": ErrorCause.ROLLED_BACK,
    "55P03": ErrorCause.TIMEOUT,
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
    "42501": ErrorCause.NOT_PERMITTED,
}

_POSTGRES_CLASSES: Final[Mapping[str, ErrorCause]] = {
    "08": ErrorCause.UNREACHABLE,
    "53": ErrorCause.UNREACHABLE,
    "22": ErrorCause.INVALID_VALUE,
    "45": ErrorCause.RAISED,
    "P0": ErrorCause.RAISED,
}

_POSTGRES_FOR_CALLERS: Final = frozenset({"P0001", "45000"})
"""States that say nothing but that somebody's code refuses: their sentence is written for callers."""

_POSTGRES_KEPT: Final = frozenset(
    {
        ErrorCause.UNIQUE,
        ErrorCause.FOREIGN_KEY,
        ErrorCause.NOT_NULL,
        ErrorCause.TIMEOUT,
        ErrorCause.ROLLED_BACK,
        ErrorCause.READ_ONLY,
    }
)
"""What `RAISE` with a state of the server's own means as well as the server does."""


def _postgres(state: str, details: object) -> ClassifiedError | None:
    cause = _POSTGRES.get(state, _POSTGRES_CLASSES.get(state[:2]))
    # The function of the server that reported the error, which no language setting changes; psycopg and asyncpg
    # give it different names.
    reporter = getattr(details, "source_function", None) or getattr(details, "server_source_function", None)
    is_raised = reporter == "exec_stmt_raise"
    if is_raised and cause not in _POSTGRES_KEPT:
        cause = ErrorCause.RAISED
    if cause is None:
        return None
    if cause is ErrorCause.RAISED:
        said = getattr(details, "message_primary", None) or getattr(details, "message", None)
        is_for_callers = is_raised or state in _POSTGRES_FOR_CALLERS
        return ClassifiedError(cause, sentence=said if is_for_callers else None)
    column = getattr(details, "column_name", None)
    return ClassifiedError(
        cause,
        constraint=getattr(details, "constraint_name", None),
        table=getattr(details, "table_name", None),
        columns=(column,) if column else (),
    )


_MYSQL: Final[Mapping[int, ErrorCause]] = {
    1022: ErrorCause.UNIQUE,
    1062: ErrorCause.UNIQUE,
    1586: ErrorCause.UNIQUE,
    1216: ErrorCause.FOREIGN_KEY,
    1217: ErrorCause.FOREIGN_KEY,
    1451: ErrorCause.FOREIGN_KEY,
    1452: ErrorCause.FOREIGN_KEY,
    3819: ErrorCause.CHECK,
    4025: ErrorCause.CHECK,
    1048: ErrorCause.NOT_NULL,
    1364: ErrorCause.NOT_NULL,
    1264: ErrorCause.INVALID_VALUE,
    1265: ErrorCause.INVALID_VALUE,
    1292: ErrorCause.INVALID_VALUE,
    1366: ErrorCause.INVALID_VALUE,
    1406: ErrorCause.INVALID_VALUE,
    1441: ErrorCause.INVALID_VALUE,
    1690: ErrorCause.INVALID_VALUE,
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
    1205: ErrorCause.TIMEOUT,
    1969: ErrorCause.TIMEOUT,
    3024: ErrorCause.TIMEOUT,
    1213: ErrorCause.ROLLED_BACK,
    1020: ErrorCause.ROLLED_BACK,
    1040: ErrorCause.UNREACHABLE,
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

_MYSQL_OWN_NUMBERS: Final = 10_000
"""Numbers from here on are none of the server's: they are the `MYSQL_ERRNO` of somebody's `SIGNAL`."""

_MYSQL_KEY: Final = re.compile(r"for key '(?:[^']*\.)?([^'.]+)'")
_MYSQL_REFERENCE: Final = re.compile(
    r"[`\"]([^`\"]+)[`\"], CONSTRAINT [`\"]([^`\"]+)[`\"] FOREIGN KEY \(([^)]*)\)"
)
_MYSQL_CHECK: Final = re.compile(r"(?:CONSTRAINT [`\"](?:[^`\"]*\.)?|Check constraint ')([^`\"'.]+)[`\"']")
_MYSQL_COLUMN: Final = re.compile(r"(?:[Cc]olumn|[Ff]ield) '([^']+)'")


def _mysql(number: int, message: str) -> ClassifiedError | None:
    cause = ErrorCause.RAISED if number >= _MYSQL_OWN_NUMBERS else _MYSQL.get(number)
    match cause:
        case None:
            return None
        case ErrorCause.RAISED:
            return ClassifiedError(cause, sentence=message or None)
        case ErrorCause.UNIQUE:
            return ClassifiedError(cause, constraint=_found(_MYSQL_KEY, message))
        case ErrorCause.FOREIGN_KEY:
            return _mysql_reference(message)
        case ErrorCause.CHECK:
            return ClassifiedError(cause, constraint=_found(_MYSQL_CHECK, message))
        case ErrorCause.NOT_NULL | ErrorCause.INVALID_VALUE:
            column = _found(_MYSQL_COLUMN, message)
            return ClassifiedError(cause, columns=(column,) if column else ())
        case _:
            return ClassifiedError(cause)


def _mysql_reference(message: str) -> ClassifiedError:
    match = _MYSQL_REFERENCE.search(message)
    if match is None:
        return ClassifiedError(ErrorCause.FOREIGN_KEY)
    table, constraint, columns = match.groups()
    named = tuple(each.strip().strip('`"') for each in columns.split(","))
    return ClassifiedError(ErrorCause.FOREIGN_KEY, constraint, table, named)


_SQLITE: Final[Mapping[str, ErrorCause]] = {
    "SQLITE_CONSTRAINT_UNIQUE": ErrorCause.UNIQUE,
    "SQLITE_CONSTRAINT_PRIMARYKEY": ErrorCause.UNIQUE,
    "SQLITE_CONSTRAINT_ROWID": ErrorCause.UNIQUE,
    "SQLITE_CONSTRAINT_FOREIGNKEY": ErrorCause.FOREIGN_KEY,
    "SQLITE_CONSTRAINT_TRIGGER": ErrorCause.RAISED,
    "SQLITE_CONSTRAINT_CHECK": ErrorCause.CHECK,
    "SQLITE_CONSTRAINT_NOTNULL": ErrorCause.NOT_NULL,
    "SQLITE_MISMATCH": ErrorCause.INVALID_VALUE,
    "SQLITE_TOOBIG": ErrorCause.INVALID_VALUE,
    "SQLITE_BUSY": ErrorCause.TIMEOUT,
    "SQLITE_BUSY_SNAPSHOT": ErrorCause.TIMEOUT,
    "SQLITE_BUSY_RECOVERY": ErrorCause.TIMEOUT,
    "SQLITE_BUSY_TIMEOUT": ErrorCause.TIMEOUT,
    "SQLITE_LOCKED": ErrorCause.TIMEOUT,
    "SQLITE_LOCKED_SHAREDCACHE": ErrorCause.TIMEOUT,
    "SQLITE_INTERRUPT": ErrorCause.TIMEOUT,
    "SQLITE_CANTOPEN": ErrorCause.UNREACHABLE,
    "SQLITE_AUTH": ErrorCause.NOT_PERMITTED,
    "SQLITE_PERM": ErrorCause.NOT_PERMITTED,
}

_SQLITE_RESTRICT: Final = "FOREIGN KEY constraint failed"
"""What the trigger says that SQLite makes for `ON DELETE RESTRICT`."""


def _sqlite(name: str, message: str) -> ClassifiedError | None:
    cause = ErrorCause.READ_ONLY if name.startswith("SQLITE_READONLY") else _SQLITE.get(name)
    rule = message.partition("constraint failed: ")[2]
    match cause:
        case None:
            return None
        case ErrorCause.RAISED if message == _SQLITE_RESTRICT:
            return ClassifiedError(ErrorCause.FOREIGN_KEY)
        case ErrorCause.RAISED:
            return ClassifiedError(cause, sentence=message or None)
        case ErrorCause.UNIQUE if rule.startswith("index "):
            return ClassifiedError(cause, constraint=rule.removeprefix("index ").strip("'"))
        case ErrorCause.UNIQUE | ErrorCause.NOT_NULL:
            return ClassifiedError(
                cause, columns=tuple(each.rpartition(".")[2] for each in rule.split(", ") if each)
            )
        case ErrorCause.CHECK:
            return ClassifiedError(cause, constraint=rule or None)
        case _:
            return ClassifiedError(cause)


def _found(pattern: re.Pattern[str], message: str) -> str | None:
    match = pattern.search(message)
    return None if match is None else match.group(1)
