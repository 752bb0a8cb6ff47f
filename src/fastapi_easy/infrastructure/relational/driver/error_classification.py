"""Why a driver has failed: told by its class, SQLSTATE or error number, and by its message only as a last resort."""

import errno
import re
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy.exc import DBAPIError, StatementError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from fastapi_easy.domain.errors import Unavailable, UnavailableReason
from fastapi_easy.domain.ports.breaker import CallNotPermitted
from fastapi_easy.domain.unavailable import Deadlock, LockWaitTimeout, SerializationConflict, StorageFull
from fastapi_easy.infrastructure.relational.column_types import Unstorable
from fastapi_easy.infrastructure.relational.error_codes import (
    MYSQL,
    MYSQL_FOR_CALLERS,
    MYSQL_OF_THE_SYSTEM,
    MYSQL_OWN_NUMBERS,
    MYSQL_TARGET_MISSING,
    POSTGRES,
    POSTGRES_CLASSES,
    POSTGRES_FOR_CALLERS,
    POSTGRES_KEPT,
    SQLITE,
    ErrorCause,
)


@dataclass(frozen=True, slots=True)
class ClassifiedError:
    """The failure of a statement, whatever the driver.

    Attributes:
        cause: Why it failed.

        constraint: The name of the violated constraint, where the driver tells.

        table: The table of the constraint, where the driver tells.

        columns: The columns, where the driver tells.

        sentence: What the database's own code says to callers about its refusal.

        is_target_missing: Of a foreign key: whether what it refers to does not exist, rather than being referred to
            still; `None` where the driver does not tell.
    """

    cause: ErrorCause
    constraint: str | None = None
    table: str | None = None
    columns: tuple[str, ...] = ()
    sentence: str | None = None
    is_target_missing: bool | None = None

    @property
    def is_read_only(self) -> bool:
        """Whether the database takes no changes."""
        return self.cause is ErrorCause.READ_ONLY


class ConnectRefused(ConnectionError):
    """The server was reached and has not let this program in, whatever the code of its refusal stands for elsewhere.

    Attributes:
        cause: Why, as far as the driver tells.
    """

    def __init__(self, said: str, cause: ErrorCause) -> None:
        self.cause = cause
        super().__init__(said)


_UNAVAILABLE_REASONS: Final = {
    ErrorCause.TIMEOUT: UnavailableReason.TIMEOUT,
    ErrorCause.LOCK_TIMEOUT: UnavailableReason.TIMEOUT,
    ErrorCause.ROLLED_BACK: UnavailableReason.CONFLICT,
    ErrorCause.DEADLOCK: UnavailableReason.CONFLICT,
    ErrorCause.SERIALIZATION: UnavailableReason.CONFLICT,
    ErrorCause.UNREACHABLE: UnavailableReason.NO_RESPONSE,
    ErrorCause.ACCESS_DENIED: UnavailableReason.ACCESS_DENIED,
    ErrorCause.UNKNOWN_DATABASE: UnavailableReason.UNKNOWN_DATABASE,
    ErrorCause.READ_ONLY: UnavailableReason.READ_ONLY,
    ErrorCause.STORAGE_FULL: UnavailableReason.STORAGE_FULL,
}

_SILENCE: Final = frozenset({ErrorCause.UNREACHABLE, ErrorCause.ACCESS_DENIED, ErrorCause.UNKNOWN_DATABASE})
"""What keeps every call from being answered: nobody is there, or nobody lets us in."""

_ROLLED_BACK: Final = frozenset({ErrorCause.ROLLED_BACK, ErrorCause.DEADLOCK, ErrorCause.SERIALIZATION})

_KINDS: Final[dict[ErrorCause, type[Unavailable]]] = {
    ErrorCause.DEADLOCK: Deadlock,
    ErrorCause.SERIALIZATION: SerializationConflict,
    ErrorCause.LOCK_TIMEOUT: LockWaitTimeout,
    ErrorCause.STORAGE_FULL: StorageFull,
}
"""The errors of those that are told from others."""


def is_not_permitted(error: BaseException) -> bool:
    """Return whether the user of the database lacks a privilege."""
    classified = classify_error(error)
    return classified is not None and classified.cause is ErrorCause.NOT_PERMITTED


def is_rolled_back(error: BaseException) -> bool:
    """Return whether the database has rolled back for another transaction, so that the same may be tried again."""
    classified = classify_error(error)
    return classified is not None and classified.cause in _ROLLED_BACK


def unavailable_for(error: BaseException, database: str) -> Unavailable | None:
    """Return that *database* is unavailable, if *error* means just that; else `None`."""
    reason = unavailable_reason_of(error)
    if reason is None:
        return None
    classified = classify_error(error)
    kind = Unavailable if classified is None else _KINDS.get(classified.cause, Unavailable)
    return kind(database, reason=reason, detail=driver_message(error))


def ends_transaction(classified: ClassifiedError) -> bool:
    """Return whether the database has ended the transaction."""
    return classified.cause in _ROLLED_BACK | _SILENCE


def is_unreachable(error: BaseException) -> bool:
    """Return whether the database was asked and has not answered."""
    if isinstance(error, PoolTimeout | CallNotPermitted):
        return False
    classified = classify_error(error)
    return classified is not None and classified.cause in _SILENCE


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


def driver_message(error: BaseException) -> str:
    """Return what the driver said, on one line; empty when it said nothing."""
    original: Any = getattr(error, "orig", None) or error
    # SQLAlchemy's adapter puts the class of what asyncpg raised before the message.
    original = getattr(original, "driver_exception", None) or getattr(original, "__cause__", None) or original
    # The drivers for MySQL raise (number, message).
    is_numbered = (
        len(original.args) > 1 and isinstance(original.args[0], int) and not isinstance(original, OSError)
    )
    said = str(original.args[1] if is_numbered else original)
    return " ".join(said.split()).rstrip(".")


def as_connect_failure(error: Exception) -> Exception:
    """Return *error*, which kept a connection from being opened, as what is told of it: it is no defect in any case.

    What a lacking privilege stands for while a connection is opened is that this program may not enter.
    """
    if isinstance(error, TypeError | ValueError):
        return ConnectionError(f"the driver refuses the options of the URL: {error}")
    classified, said = classify_error(error), driver_message(error)
    if classified is None:
        return ConnectionError(said)
    if classified.cause in _SILENCE:
        found = _refusal_in(said) if classified.cause is ErrorCause.UNREACHABLE else None
        return error if found is None else ConnectRefused(said, found)
    is_denied = classified.cause is ErrorCause.NOT_PERMITTED
    return ConnectRefused(said, ErrorCause.ACCESS_DENIED if is_denied else ErrorCause.UNREACHABLE)


_REFUSALS_SAID: Final = (
    (re.compile(r"FATAL: +database .* does not exist"), ErrorCause.UNKNOWN_DATABASE),
    (
        re.compile(
            r"FATAL: +(password authentication failed|role .* (does not exist|is not permitted)|no pg_hba\.conf entry"
            r"|permission denied for database|.* authentication failed)|no password supplied"
        ),
        ErrorCause.ACCESS_DENIED,
    ),
)
"""What libpq says of a refusal: it hands over no SQLSTATE while it connects. In another language it is a silence."""


def _refusal_in(said: str) -> ErrorCause | None:
    return next((cause for pattern, cause in _REFUSALS_SAID if pattern.search(said)), None)


def is_stale_statement(error: BaseException) -> bool:
    """Return whether a second try would find the statement prepared anew."""
    classified = classify_error(error)
    return classified is not None and classified.cause is ErrorCause.STALE_STATEMENT


def classify_error(error: BaseException) -> ClassifiedError | None:
    """Classify *error*; `None` when it means a defect of ours."""
    match error:
        case ConnectRefused():
            return ClassifiedError(error.cause)
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


def _postgres(state: str, details: object) -> ClassifiedError | None:
    cause = POSTGRES.get(state, POSTGRES_CLASSES.get(state[:2]))
    # The function of the server that reported the error, which no language setting changes; psycopg and asyncpg
    # give it different names.
    reporter = getattr(details, "source_function", None) or getattr(details, "server_source_function", None)
    is_raised = reporter == "exec_stmt_raise"
    if is_raised and cause not in POSTGRES_KEPT:
        cause = ErrorCause.RAISED
    if cause is None:
        return None
    if cause is ErrorCause.RAISED:
        said = getattr(details, "message_primary", None) or getattr(details, "message", None)
        is_for_callers = is_raised or state in POSTGRES_FOR_CALLERS
        return ClassifiedError(cause, sentence=said if is_for_callers else None)
    column = getattr(details, "column_name", None)
    table = getattr(details, "table_name", None)
    columns, rest = _postgres_key(
        getattr(details, "message_detail", None) or getattr(details, "detail", None)
    )
    # The detail ends with the other table of the reference; with the same one where a table refers to itself.
    is_told = cause is ErrorCause.FOREIGN_KEY and table is not None and rest
    return ClassifiedError(
        cause,
        constraint=getattr(details, "constraint_name", None),
        table=table,
        columns=(column,) if column else columns,
        is_target_missing=True if is_told and table not in _WORD.findall(rest) else None,
    )


_WORD: Final = re.compile(r"\w+")
_POSTGRES_KEY: Final = re.compile(r"\((.*?)\)=\(.*\)(.*)", re.DOTALL)
"""The columns of a violated key in a detail, in every language: `Key (a, b)=(1, 2) is not present in table "c".`"""


def _postgres_key(detail: str | None) -> tuple[tuple[str, ...], str]:
    """Return the columns that *detail* names, and what follows their values."""
    match = _POSTGRES_KEY.search(detail or "")
    if match is None:
        return (), detail or ""
    return tuple(each.strip('"') for each in match.group(1).split(", ")), match.group(2)


_MYSQL_KEY: Final = re.compile(r"for key '(?:[^']*\.)?([^'.]+)'")
_MYSQL_REFERENCE: Final = re.compile(
    r"[`\"]([^`\"]+)[`\"], CONSTRAINT [`\"]([^`\"]+)[`\"] FOREIGN KEY \(([^)]*)\)"
)
_MYSQL_CHECK: Final = re.compile(r"(?:CONSTRAINT [`\"](?:[^`\"]*\.)?|Check constraint ')([^`\"'.]+)[`\"']")
_MYSQL_COLUMN: Final = re.compile(r"(?:[Cc]olumn|[Ff]ield) '([^']+)'")


_NO_SPACE: Final = re.compile(rf"(?:error|errcode:?|errno:?)\s*\"?{errno.ENOSPC}\b", re.IGNORECASE)
"""What a message says of the error of the operating system for a full disk: `Got error 28 "No space left …`."""


def _mysql(number: int, message: str) -> ClassifiedError | None:
    cause = ErrorCause.RAISED if number >= MYSQL_OWN_NUMBERS else MYSQL.get(number)
    if number in MYSQL_OF_THE_SYSTEM and _NO_SPACE.search(message):
        cause = ErrorCause.STORAGE_FULL
    match cause:
        case None:
            return None
        case ErrorCause.RAISED:
            is_for_callers = number >= MYSQL_OWN_NUMBERS or number in MYSQL_FOR_CALLERS
            return ClassifiedError(cause, sentence=message or None if is_for_callers else None)
        case ErrorCause.UNIQUE:
            return ClassifiedError(cause, constraint=_found(_MYSQL_KEY, message))
        case ErrorCause.FOREIGN_KEY:
            return _mysql_reference(message, is_target_missing=number in MYSQL_TARGET_MISSING)
        case ErrorCause.CHECK:
            return ClassifiedError(cause, constraint=_found(_MYSQL_CHECK, message))
        case ErrorCause.NOT_NULL | ErrorCause.INVALID_VALUE:
            column = _found(_MYSQL_COLUMN, message)
            return ClassifiedError(cause, columns=(column,) if column else ())
        case _:
            return ClassifiedError(cause)


def _mysql_reference(message: str, *, is_target_missing: bool) -> ClassifiedError:
    match = _MYSQL_REFERENCE.search(message)
    if match is None:
        return ClassifiedError(ErrorCause.FOREIGN_KEY, is_target_missing=is_target_missing)
    table, constraint, columns = match.groups()
    named = tuple(each.strip().strip('`"') for each in columns.split(","))
    return ClassifiedError(
        ErrorCause.FOREIGN_KEY, constraint, table, named, is_target_missing=is_target_missing
    )


_SQLITE_VIEW: Final = "because it is a view"
"""What it says of a statement that a view has no trigger for, which has no code of its own."""

_SQLITE_RESTRICT: Final = "FOREIGN KEY constraint failed"
"""What the trigger says that SQLite makes for `ON DELETE RESTRICT`."""


def _sqlite(name: str, message: str) -> ClassifiedError | None:
    cause = SQLITE.get(name)
    if cause is None and name.startswith("SQLITE_READONLY"):
        cause = ErrorCause.READ_ONLY
    if cause is None and name.startswith("SQLITE_IOERR"):
        # The disk has answered with an error, or not at all.
        cause = ErrorCause.UNREACHABLE
    if cause is None and message.endswith(_SQLITE_VIEW):
        cause = ErrorCause.NOT_CHANGEABLE
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
            named = [each.rpartition(".") for each in rule.split(", ") if each]
            return ClassifiedError(
                cause,
                table=named[0][0] or None if named else None,
                columns=tuple(column for *_, column in named),
            )
        case ErrorCause.CHECK:
            return ClassifiedError(cause, constraint=rule or None)
        case _:
            return ClassifiedError(cause)


def _found(pattern: re.Pattern[str], message: str) -> str | None:
    match = pattern.search(message)
    return None if match is None else match.group(1)
