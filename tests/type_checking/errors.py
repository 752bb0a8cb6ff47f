"""How users word errors: every one of them, or mypy says which is missing. Checked, never executed."""

from typing import assert_type

from fastapi_easy.domain import (
    AlreadyExists,
    AlreadyHandled,
    BadQuery,
    CheckFailed,
    DeadlineExceeded,
    Error,
    Fault,
    Forbidden,
    IdempotencyMismatch,
    InFlight,
    Invalid,
    LockHeld,
    LockLost,
    MigrationStopped,
    NotFound,
    OutcomeUnknown,
    PositionExpired,
    PreconditionRequired,
    RateLimited,
    ReferenceBroken,
    Stale,
    TooLarge,
    Unauthenticated,
    Unavailable,
    UnreadableEntity,
    Unsupported,
)


def every_error_is_worded(error: Error) -> str:
    """Without `case _`: an error that joins the union later is a type error here."""
    match error:
        case Invalid(faults):
            assert_type(faults, tuple[Fault, ...])
            return ", ".join(fault.message for fault in faults)
        case BadQuery(parameter, reason, suggestion):
            assert_type((parameter, reason, suggestion), tuple[str, str, str | None])
            return f"{parameter}: {reason}"
        case (
            AlreadyExists(resource, fields)
            | ReferenceBroken(resource, fields)
            | CheckFailed(resource, fields)
        ):
            assert_type((resource, fields), tuple[str, tuple[str, ...]])
            return f"{resource} refused {', '.join(fields)}"
        case InFlight() | RateLimited() | LockHeld() | Unavailable():
            return f"again in {assert_type(error.retry_after, float)} seconds"
        case NotFound() | Stale() | PreconditionRequired() | IdempotencyMismatch() | TooLarge():
            return "not like this"
        case Unauthenticated() | Forbidden() | LockLost() | DeadlineExceeded():
            return assert_type(error.code, str)
        case OutcomeUnknown() | Unsupported() | UnreadableEntity() | MigrationStopped():
            return assert_type(error.code, str)
        case AlreadyHandled() | PositionExpired():
            return assert_type(error.code, str)


def a_forgotten_error_is_a_type_error(error: Error) -> None:
    match error:  # type: ignore[exhaustive-match]
        case Invalid() | BadQuery() | NotFound():
            pass


def every_error_has_a_code(error: Error) -> str:
    return assert_type(error.code, str)


def an_error_stays_as_it_is(error: NotFound) -> None:
    error.resource = "others"  # type: ignore[misc]
