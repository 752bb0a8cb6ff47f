"""What went wrong while a schema was read or changed, as the errors that use cases act on."""

import re
from typing import Final

from pymongo.errors import OperationFailure

from fastapi_easy.domain.errors import Error, LockHeld, Unavailable
from fastapi_easy.domain.migrations.stopped import MigrationStop, MigrationStopped
from fastapi_easy.infrastructure.persistence.mongo.errors import (
    DATABASE_ERRORS,
    code_of,
    driver_message,
    is_access_denied,
    is_unreachable,
)

_SHORTENED: Final = 300
"""Characters of a command that are shown at most."""

_LOCKED: Final = frozenset({24, 46, 112, 117, 12586, 12587})
"""A lock was not got in time, another operation is in the way: the whole step may be tried again."""

_VALUES: Final = re.compile(r" dup key: .*", re.DOTALL)


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
    """Ends work on the ledger with *error*.

    Args:
        error: What the caller is told.
    """

    def __init__(self, error: Error) -> None:
        self.error = error
        super().__init__(type(error).__name__)


ERRORS: Final = (*DATABASE_ERRORS, StatementFailed, Refused)
"""What work on the database may raise, and `failure_of` understands."""


def failure_of(error: BaseException, database: str, run_id: str = "") -> Error:
    """Return what *error* means for a migration of *database*."""
    match error:
        case Refused():
            return error.error
        case StatementFailed():
            cause, shown = error.error, f" in: {shorten(error.statement)}"
        case _:
            cause, shown = error, ""
    if is_lock_timeout(cause):
        return LockHeld(f"a lock of another operation in {database}")
    if is_access_denied(cause):
        refused = f"the database {database} refuses: {message_of(cause)}"
        return MigrationStopped(database, MigrationStop.REFUSED, refused, run_id)
    if is_unreachable(cause):
        return Unavailable(database, detail=driver_message(cause))
    return MigrationStopped(database, MigrationStop.FAILED, f"{message_of(cause)}{shown}", run_id)


def is_lock_timeout(error: BaseException) -> bool:
    """Return whether the step may be tried again, because somebody else was in the way."""
    cause = error.error if isinstance(error, StatementFailed) else error
    return isinstance(cause, OperationFailure) and code_of(cause) in _LOCKED


def message_of(error: BaseException) -> str:
    """Return what the server says, in one line and without the values of documents."""
    details = error.details if isinstance(error, OperationFailure) else None
    said = (details or {}).get("errmsg") or str(error) or type(error).__name__
    return " ".join(_VALUES.sub("", str(said)).replace("\x00", "").split())


def shorten(statement: str) -> str:
    """Return *statement* for a message: one line, not too long."""
    line = " ".join(statement.split())
    return line if len(line) <= _SHORTENED else f"{line[: _SHORTENED - 1]}…"
