"""What becomes of a message whose handling failed, by the kind of the error."""

from typing import Final

from fastapi_easy.application.events.backoff import Backoff
from fastapi_easy.domain.errors import (
    AlreadyExists,
    AlreadyHandled,
    BadQuery,
    CheckFailed,
    DeadlineExceeded,
    Error,
    Forbidden,
    IdempotencyMismatch,
    InFlight,
    Invalid,
    LockHeld,
    LockLost,
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
from fastapi_easy.domain.migrations.stopped import MigrationStopped
from fastapi_easy.domain.ports.broker import Accept, Handling, Park, Redeliver

_BACKOFF: Final = Backoff(first=1.0, longest=300.0)
"""From one delivery to the next."""

_FAULTS_SHOWN: Final = 5


def handling_of(error: Error, attempts: int, max_attempts: int) -> Handling:
    """Return what becomes of a message whose handling failed with *error*.

    What the message itself is to blame for parks it. What may pass has it delivered again: at most *max_attempts*
    times, but for as long as it takes where a dependency does not answer, for then no other message fares better.

    Args:
        error: Why it failed.

        attempts: How often the message was delivered, this time included.

        max_attempts: After so many deliveries it is parked.
    """
    match error:
        case AlreadyHandled():
            return Accept()
        case Unavailable():
            return Redeliver(max(error.retry_after, _BACKOFF.delay(attempts)))
        case RateLimited() | InFlight() | LockHeld():
            return _redeliver(error, attempts, max_attempts, at_least=error.retry_after)
        case OutcomeUnknown() | DeadlineExceeded() | LockLost() | Stale():
            # The inbox knows whether the change was made whose commit was not answered.
            return _redeliver(error, attempts, max_attempts)
        case (
            Invalid()
            | BadQuery()
            | Unauthenticated()
            | Forbidden()
            | NotFound()
            | AlreadyExists()
            | ReferenceBroken()
            | CheckFailed()
            | UnreadableEntity()
            | PreconditionRequired()
            | IdempotencyMismatch()
            | TooLarge()
            | Unsupported()
            | MigrationStopped()
            | PositionExpired()
        ):
            return Park(reason_of(error))


def redeliver_or_park(reason: str, attempts: int, max_attempts: int) -> Handling:
    """Return that a message is delivered again after a while, or parked for *reason* after *max_attempts*."""
    if attempts >= max_attempts:
        return Park(f"{reason} (after {attempts} deliveries)")
    return Redeliver(_BACKOFF.delay(attempts))


def _redeliver(error: Error, attempts: int, max_attempts: int, at_least: float = 0.0) -> Handling:
    handling = redeliver_or_park(reason_of(error), attempts, max_attempts)
    return Redeliver(max(at_least, handling.delay)) if isinstance(handling, Redeliver) else handling


def reason_of(error: Error) -> str:  # noqa: C901, PLR0911 (a line for each kind that says more than its code)
    """Return *error* in words for operators. Never repeats what the message contains."""
    match error:
        case Invalid(faults):
            shown = "; ".join(f"{each.pointer or '/'}: {each.message}" for each in faults[:_FAULTS_SHOWN])
            return f"invalid: {shown}{'; …' if len(faults) > _FAULTS_SHOWN else ''}"
        case BadQuery(parameter, reason):
            return f"{error.code}: {parameter}: {reason}"
        case Forbidden(resource, action, field):
            return f"forbidden: {action} on {resource}" + (f", field {field}" if field else "")
        case (
            NotFound(resource) | Stale(resource) | PreconditionRequired(resource) | PositionExpired(resource)
        ):
            return f"{error.code}: {resource}"
        case (
            AlreadyExists(resource, fields)
            | ReferenceBroken(resource, fields)
            | UnreadableEntity(resource, _, fields)
        ):
            return f"{error.code}: {resource}" + (f", {', '.join(fields)}" if fields else "")
        case CheckFailed(resource, fields, constraint, reason):
            said = reason or constraint or ", ".join(fields)
            return f"{error.code}: {resource}" + (f", {said}" if said else "")
        case TooLarge():
            return f"{error.code}: {error.sentence}"
        case Unsupported(resource, capability):
            return f"{error.code}: the store of {resource} does not support {capability}"
        case Unavailable(dependency) | DeadlineExceeded(dependency) | OutcomeUnknown(dependency):
            return f"{error.code}: {dependency}"
        case MigrationStopped():
            return f"{error.code}: {error.message}"
        case _:
            return error.code
