"""What went wrong while a schema was read or changed, as the errors that use cases act on."""

import re
from collections.abc import Awaitable, Callable
from typing import Any, Final, TypeVar

from returns.result import Failure

from fastapi_easy.domain.errors import Error, LockHeld, Outcome, Unavailable
from fastapi_easy.domain.migrations.stopped import MigrationStop, MigrationStopped
from fastapi_easy.infrastructure.relational.driver.error_classification import is_unreachable
from fastapi_easy.infrastructure.relational.errors import DATABASE_ERRORS

SHORTENED: Final = 300
"""Characters of a statement that are shown at most."""

T = TypeVar("T")

_LOCKED: Final[frozenset[str | int]] = frozenset(
    {
        # PostgreSQL: lock_timeout, deadlock.
        "55P03",
        "40P01",
        # MySQL and MariaDB: a wait for a row or for a table, deadlock.
        1205,
        1213,
        "SQLITE_BUSY",
        "SQLITE_BUSY_RECOVERY",
        "SQLITE_BUSY_SNAPSHOT",
        "SQLITE_BUSY_TIMEOUT",
        "SQLITE_LOCKED",
        "SQLITE_LOCKED_SHAREDCACHE",
    }
)
"""The codes after which the whole step may be tried again."""

_FULL: Final[frozenset[str | int]] = frozenset({"53100", "SQLITE_FULL", 1021, 1114})
"""A full disk: waiting does not help."""

_READ_ONLY: Final[frozenset[str | int]] = frozenset(
    {
        "25006",
        1290,
        1792,
        1836,
        "SQLITE_READONLY",
        "SQLITE_READONLY_DIRECTORY",
        "SQLITE_READONLY_DBMOVED",
        "SQLITE_PERM",
    }
)
"""A standby, or a file or server that was made read-only, or that this user may not write."""

_DENIED: Final[frozenset[str | int]] = frozenset({"28000", "28P01", "3D000", 1045, 1049, 1698})
"""No such user, password or database: the server has answered, and says which."""

_SECRETS: Final = (
    (re.compile(r"(?i)(\w[\w+.-]*://[^\s:/@]+):[^\s@]+@"), r"\1:***@"),
    (re.compile(r"(?i)\b(password|passwd|secret|identified\s+by)(\s*[=:]?\s*)'(?:[^']|'')*'"), r"\1\2'***'"),
)


class StatementFailed(Exception):
    """A statement of a step failed.

    Args:
        statement: Its text.

        error: What the driver raised.
    """

    def __init__(self, statement: str, error: BaseException) -> None:
        self.statement = statement
        self.error = error
        super().__init__(statement)


class Refused(Exception):
    """Ends work on the ledger with *error*; what was written in the transaction is rolled back.

    Args:
        error: What the caller is told.
    """

    def __init__(self, error: Error) -> None:
        self.error = error
        super().__init__(type(error).__name__)


def failure_of(error: BaseException, database: str, run_id: str = "") -> Error:
    """Return what *error* means for a migration of *database*."""
    match error:
        case Refused():
            return error.error
        case StatementFailed():
            cause, shown = error.error, f" in: {shorten(error.statement)}"
        case _:
            cause, shown = error, ""
    code = _code_of(cause)
    if code in _LOCKED:
        return LockHeld(f"a lock of another statement in {database}")
    if code not in _FULL | _READ_ONLY | _DENIED and is_unreachable(cause):
        return Unavailable(database, detail=message_of(cause))
    said = f"{message_of(cause)}{shown}"
    if code in _READ_ONLY and not isinstance(error, StatementFailed):
        refused = f"the database {database} cannot be written to, like a standby: {said}"
        return MigrationStopped(database, MigrationStop.REFUSED, refused, run_id)
    if not run_id and not isinstance(error, StatementFailed):
        refused = f"the database {database} refuses: {said}"
        return MigrationStopped(database, MigrationStop.REFUSED, refused)
    return MigrationStopped(database, MigrationStop.FAILED, said, run_id)


def is_lock_timeout(error: BaseException) -> bool:
    """Return whether the step may be tried again, because somebody else had a lock for too long."""
    cause = error.error if isinstance(error, StatementFailed) else error
    return _code_of(cause) in _LOCKED


def message_of(error: BaseException) -> str:
    """Return what the server says, in one line and without the rows that it may show in its details."""
    original = _original(error)
    said = (
        getattr(getattr(original, "diag", None), "message_primary", None)
        or getattr(original, "message", None)
        or _said_by_mysql(original)
        or str(original)
        or type(original).__name__
    )
    return mask(" ".join(str(said).replace("\x00", "").split()))


def shorten(statement: str) -> str:
    """Return *statement* for a message: one line, not too long, without secrets."""
    line = mask(" ".join(statement.split()))
    return line if len(line) <= SHORTENED else f"{line[: SHORTENED - 1]}…"


def mask(text: str) -> str:
    """Return *text* with the passwords in it replaced."""
    for pattern, replacement in _SECRETS:
        text = pattern.sub(replacement, text)
    return text


def _original(error: BaseException) -> Any:
    raised = getattr(error, "orig", None) or error
    # SQLAlchemy's adapter wraps what asyncpg raised in classes of its own.
    return getattr(raised, "driver_exception", None) or (
        raised.__cause__ if getattr(raised.__cause__, "sqlstate", None) else raised
    )


def _code_of(error: BaseException) -> str | int | None:
    original = _original(error)
    # MySQL's number says more than the SQLSTATE, which some of its drivers give as well.
    number = next(iter(getattr(original, "args", ())), None)
    if isinstance(number, int):
        return number
    code = getattr(original, "sqlite_errorname", None) or getattr(original, "sqlstate", None)
    return None if code is None else str(code)


def _said_by_mysql(original: Any) -> str | None:
    arguments: tuple[object, ...] = getattr(original, "args", ())
    return str(arguments[1]) if len(arguments) > 1 and isinstance(arguments[0], int) else None


async def answered(work: Callable[[], Awaitable[Outcome[T]]], database: str, run_id: str = "") -> Outcome[T]:
    """Return the outcome of *work*; what a driver raises in it is one as well."""
    try:
        return await work()
    except (*DATABASE_ERRORS, StatementFailed, Refused) as error:
        return Failure(failure_of(error, database, run_id))
