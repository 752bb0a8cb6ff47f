"""Errors → RFC 9457 problems: the one place where HTTP statuses and sentences are chosen."""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any, Final

import orjson

from fastapi_easy.domain import (
    AlreadyExists,
    AlreadyHandled,
    BadQuery,
    CheckFailed,
    DeadlineExceeded,
    Deadlock,
    Error,
    Fault,
    Forbidden,
    IdempotencyMismatch,
    InFlight,
    Invalid,
    LockHeld,
    LockLost,
    LockWaitTimeout,
    MigrationStopped,
    NotFound,
    OutcomeUnknown,
    PositionExpired,
    PreconditionRequired,
    RateLimited,
    ReferenceBroken,
    SerializationConflict,
    Stale,
    StorageFull,
    TooLarge,
    TooManyLocks,
    Unauthenticated,
    Unavailable,
    UnavailableReason,
    UnreadableEntity,
    Unsupported,
)
from fastapi_easy.interfaces.formats.shown_key import shown_key

PROBLEM_JSON: Final = b"application/problem+json"

_NO_ANSWER: Final = "A dependency did not answer; nothing was changed."

_KINDS: Final[Mapping[type[Unavailable], str]] = {
    Deadlock: "The database ended a deadlock with another call; nothing was changed.",
    SerializationConflict: "Another call changed the same entities at the same time; nothing was changed.",
    LockWaitTimeout: "Another call locked the same entities for too long; nothing was changed.",
}

_REASONS: Final[Mapping[UnavailableReason, str]] = {
    UnavailableReason.READ_ONLY: "The store is read-only at the moment; nothing was changed.",
    UnavailableReason.ACCESS_DENIED: "A dependency refuses this application; nothing was changed.",
    UnavailableReason.UNKNOWN_DATABASE: "A dependency refuses this application; nothing was changed.",
}


@dataclass(frozen=True, slots=True)
class Problem:
    """Why a request was not answered as asked.

    Attributes:
        status: The HTTP status.

        code: A stable identifier for programs; the last part of `type`.

        detail: A sentence for people. Never repeats input.

        headers: Further headers of the answer.

        faults: The faults of the input, each with its place.

        members: Further members of the body; `errors` among them takes the place of the faults.
    """

    status: int
    code: str
    detail: str
    headers: tuple[tuple[bytes, bytes], ...] = ()
    faults: tuple[Fault, ...] = ()
    members: Mapping[str, object] = field(default_factory=dict)


def problem_of(error: Error) -> Problem:  # noqa: C901, PLR0911, PLR0912 (one branch per error is the point)
    """Return the HTTP problem for *error*."""
    match error:
        case Invalid(faults):
            count = "1 fault" if len(faults) == 1 else f"{len(faults)} faults"
            return Problem(422, error.code, f"The request has {count}; see errors.", faults=faults)
        case BadQuery(parameter, reason, suggestion):
            hint = f" Did you mean {suggestion!r}?" if suggestion else ""
            fault = Fault("/" + _escape_pointer(parameter), reason, error.code, "query")
            members = {"parameter": parameter, **({"suggestion": suggestion} if suggestion else {})}
            return Problem(
                400, error.code, f"{parameter}: {_sentence(reason)}{hint}", faults=(fault,), members=members
            )
        case Unauthenticated(scheme):
            challenge = ((b"www-authenticate", scheme.encode("ascii")),)
            return Problem(401, error.code, "Authentication is required.", challenge)
        case Forbidden(resource, action, field_name):
            field_of = "" if field_name is None else f"The field {field_name} in "
            return Problem(403, error.code, f"{field_of}{action} on {resource} is not permitted.")
        case NotFound(resource, _):
            return Problem(404, error.code, f"{resource} has no entity with this key.")
        case AlreadyExists(_, fields):
            return Problem(
                409,
                error.code,
                _taken(fields),
                faults=_field_faults(fields, "Already taken", error),
            )
        case ReferenceBroken(_, (), is_target_missing=True):
            return Problem(409, error.code, "Something that is referred to does not exist.")
        case ReferenceBroken(_, fields):
            if not fields:
                return Problem(409, error.code, "Other entities still refer to this one.")
            verb = "refers" if len(fields) == 1 else "refer"
            detail = f"{' and '.join(fields)} {verb} to something that does not exist."
            return Problem(
                409, error.code, detail, faults=_field_faults(fields, "References a missing entity", error)
            )
        case CheckFailed(_, fields, constraint, reason):
            is_known = bool(fields or constraint)
            detail = (
                reason
                or f"The values violate a {'check constraint of the database' if is_known else 'rule of the store'}."
            )
            return Problem(409, error.code, detail, faults=_field_faults(fields, _bare(detail), error))
        case UnreadableEntity(_, key, fields):
            detail = (
                f"The stored values of {' and '.join(fields)} do not fit; correct them, or read leniently."
            )
            return Problem(
                409,
                error.code,
                detail,
                faults=_field_faults(fields, "The stored value does not fit", error),
                members={} if key is None else {"key": shown_key(key)},
            )
        case PositionExpired():
            detail = "Changes after this position are not there any more; read anew, and follow from now on."
            return Problem(410, error.code, detail)
        case Stale(_, _, current):
            etag = ((b"etag", b'"' + current.encode("ascii", "replace") + b'"'),)
            detail = "The entity has changed since you read it."
            return Problem(412, error.code, detail, etag, members={"current_version": current})
        case PreconditionRequired():
            return Problem(
                428, error.code, "Send If-Match with the ETag of the version your change is based on."
            )
        case IdempotencyMismatch():
            return Problem(422, error.code, "This Idempotency-Key was used before, with another request.")
        case InFlight(_, retry_after):
            detail = "The first request with this Idempotency-Key is still in progress."
            return Problem(
                409,
                error.code,
                detail,
                _retry_after_header(retry_after),
                members=_retry_after_member(retry_after),
            )
        case AlreadyHandled():
            return Problem(409, error.code, "The message was handled before; nothing was changed.")
        case TooLarge(limit=limit):
            return Problem(413, error.code, f"{error.sentence}.", members={"limit": limit})
        case RateLimited(retry_after):
            return Problem(
                429,
                error.code,
                "Too many requests.",
                _retry_after_header(retry_after),
                members=_retry_after_member(retry_after),
            )
        case TooManyLocks(_, retry_after):
            return Problem(
                503,
                error.code,
                "This process holds as many locks as it may; nothing was changed.",
                _retry_after_header(retry_after),
                members=_retry_after_member(retry_after),
            )
        case LockHeld(_, retry_after):
            detail = "Another caller holds the lock."
            return Problem(
                409,
                error.code,
                detail,
                _retry_after_header(retry_after),
                members=_retry_after_member(retry_after),
            )
        case LockLost():
            detail = "The lock expired before the work ended; nothing was changed."
            return Problem(
                503, error.code, detail, _retry_after_header(1.0), members=_retry_after_member(1.0)
            )
        case StorageFull():
            return Problem(507, error.code, "The store has no room left for the change; nothing was changed.")
        case Unavailable():
            return Problem(
                503,
                error.code,
                _unavailable_detail(error),
                _retry_after_header(error.retry_after),
                members=_retry_after_member(error.retry_after),
            )
        case DeadlineExceeded():
            return Problem(504, error.code, "The deadline was exceeded; nothing was changed.")
        case OutcomeUnknown():
            detail = "The change may or may not have been committed: read before you retry."
            return Problem(503, error.code, detail)
        case Unsupported(resource, capability):
            return Problem(501, error.code, f"The store of {resource} does not support {capability}.")
        case MigrationStopped(stop=stop, message=message, details=details):
            reasons: dict[str, object] = {"stop": stop.value, "details": list(details)}
            return Problem(409, error.code, _sentence(message), members=reasons)


def render(problem: Problem, instance: str, correlation_id: str, root: str = "") -> bytes:
    """Return *problem* as a body of ASCII characters; *root* as for `problem_members`."""
    members = problem_members(problem, root, instance=instance)
    return ascii_json({**members, "correlation_id": correlation_id})


def problem_members(problem: Problem, root: str = "", **about: str) -> dict[str, object]:
    """Return the members of *problem*, for a body or as part of another document; *about* adds to them.

    Args:
        problem: The problem.

        root: The path at which callers see the app, before that of the page that explains the problem.

        about: Further members.
    """
    faults = [
        {"pointer": fault.pointer, "in": fault.source, "message": fault.message, "code": fault.code}
        for fault in problem.faults
    ]
    return {
        "type": f"{root}/problems/{problem.code}",
        "title": title_of(problem),
        "status": problem.status,
        "detail": problem.detail,
        **about,
        "code": problem.code,
        **problem.members,
        "errors": problem.members.get("errors", faults),
    }


def title_of(problem: Problem) -> str:
    """Return the title of the kind of *problem*, the same for every occurrence."""
    return TITLES.get(problem.code) or HTTPStatus(problem.status).phrase


def ascii_json(document: Any) -> bytes:
    """Return *document* as JSON in ASCII; lone surrogates become escapes instead of errors."""
    try:
        encoded = orjson.dumps(document)
    except orjson.JSONEncodeError:
        return _dump_escaped(document)
    return encoded if encoded.isascii() else _dump_escaped(document)


def _dump_escaped(document: Any) -> bytes:

    return json.dumps(document, ensure_ascii=True, separators=(",", ":"), allow_nan=False).encode("ascii")


def _unavailable_detail(error: Unavailable) -> str:
    """Return the sentence for *error*."""
    return _KINDS.get(type(error)) or _REASONS.get(error.reason, _NO_ANSWER)


def _retry_after_header(seconds: float) -> tuple[tuple[bytes, bytes], ...]:
    return ((b"retry-after", str(max(1, math.ceil(seconds))).encode("ascii")),)


def _retry_after_member(seconds: float) -> dict[str, object]:
    return {"retry_after_seconds": max(1, math.ceil(seconds))}


def _taken(fields: tuple[str, ...]) -> str:
    if len(fields) > 1:
        return f"{' and '.join(fields)} are already taken together."
    return f"{fields[0] if fields else 'A unique value'} is already taken."


def _field_faults(
    fields: tuple[str, ...],
    message: str,
    error: AlreadyExists | ReferenceBroken | CheckFailed | UnreadableEntity,
) -> tuple[Fault, ...]:
    return tuple(Fault("/" + _escape_pointer(name), message, error.code) for name in fields)


def _escape_pointer(token: str) -> str:
    return token.replace("~", "~0").replace("/", "~1")


def _bare(text: str) -> str:
    """Return *text* as the message of a fault, which has no full stop."""
    return text.removesuffix(".")


def _sentence(text: str) -> str:
    return text if text.endswith((".", "!", "?")) else text + "."


TITLES: Final[Mapping[str, str]] = {
    "already_exists": "Already exists",
    "already_handled": "Message handled before",
    "bad_preference": "The preference cannot be understood",
    "bad_query": "The query cannot be understood",
    "check_failed": "Check failed",
    "csrf_failed": "Not from a page of this application",
    "deadline_exceeded": "Deadline exceeded",
    "deadlock": "Deadlock",
    "forbidden": "Not permitted",
    "headers_too_large": "The headers are too large",
    "idempotency_in_flight": "Request in progress",
    "idempotency_mismatch": "Idempotency key used for something else",
    "internal_error": "Internal error",
    "invalid": "Invalid input",
    "lock_held": "Locked",
    "lock_lost": "Lock lost",
    "lock_wait_timeout": "Locked by another call",
    "malformed_body": "The body cannot be read",
    "malformed_query": "The query string cannot be read",
    "method_not_allowed": "Method not allowed",
    "migration_stopped": "Migration stopped",
    "not_acceptable": "Not acceptable",
    "not_found": "Not found",
    "outcome_unknown": "Outcome unknown",
    "position_expired": "The position is not there any more",
    "precondition_required": "Precondition required",
    "query_too_long": "The query string is too long",
    "rate_limited": "Too many requests",
    "reference_broken": "Broken reference",
    "request_timeout": "The request took too long to arrive",
    "serialization_conflict": "Conflict with another call",
    "stale": "Version conflict",
    "storage_full": "No room left in the store",
    "too_large": "Too large",
    "too_many_locks": "Too many locks",
    "too_many_headers": "Too many headers",
    "too_many_failures": "Too many lines failed",
    "unauthenticated": "Not authenticated",
    "unavailable": "Temporarily unavailable",
    "unreadable_entity": "Stored values do not fit",
    "unsupported": "Not supported by the store",
    "unsupported_media_type": "Unsupported media type",
}
"""The title of each code."""
