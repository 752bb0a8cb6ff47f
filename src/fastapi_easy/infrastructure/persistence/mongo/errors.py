"""Translating what the driver raised to the error a caller can act on."""

import re
from collections.abc import Iterable, Mapping
from typing import Any, Final

from pymongo.errors import (
    BulkWriteError,
    ConfigurationError,
    ConnectionFailure,
    DocumentTooLarge,
    ExecutionTimeout,
    NetworkTimeout,
    NotPrimaryError,
    OperationFailure,
    PyMongoError,
    ServerSelectionTimeoutError,
    WaitQueueTimeoutError,
    WTimeoutError,
)

from fastapi_easy.domain.errors import (
    AlreadyExists,
    CheckFailed,
    Error,
    Fault,
    Invalid,
    Key,
    NotFound,
    OutcomeUnknown,
    Stale,
    TooLarge,
    Unavailable,
    UnavailableReason,
)
from fastapi_easy.domain.ports.breaker import CallNotPermitted
from fastapi_easy.domain.resources.resource import Resource
from fastapi_easy.domain.unavailable import LockWaitTimeout, SerializationConflict, StorageFull

MAX_DOCUMENT_BYTES: Final = 16 * 1024 * 1024
"""Bytes of a document at most, a limit of the server."""

DUPLICATE_KEY_CODES: Final = frozenset({11000, 11001, 12582})
VALIDATION_FAILED_CODE: Final = 121
_TOO_LARGE_CODES: Final = frozenset({10334, 17280, 17419, 17420})
_BAD_VALUE_CODE: Final = 2
TYPE_MISMATCH_CODE: Final = 14

_DISK_FULL_CODE: Final = 14031
WRITE_CONFLICT_CODE: Final = 112
_LOCK_TIMEOUT_CODES: Final = frozenset({24, 46})
_ACCESS_DENIED_CODES: Final = frozenset({11, 18, 334, 8000})
"""No such user, a wrong password, a way of logging in that the user has not; the last is how Atlas says any of it."""

_CLUSTER: Final = re.compile(
    r"(, full error: \{|, Timeout: [\d.]+s, Topology Description:| \(configured timeouts:[^)]*\)).*",
    re.DOTALL,
)
"""What follows what was said: every word of the answer, or the servers and the time that was waited for them."""

_TRANSIENT_CODES: Final = frozenset(
    {
        *(6, 7, 24, 43, 50, 89, 91, 112, 133, 134, 189, 225, 237, 246, 251, 262, 290),
        *(10058, 10107, 11600, 11602, 13388, 13435, 13436),
        _DISK_FULL_CODE,
    }
)
"""The server was in no state to answer, was interrupted, or another operation was in the way (`error_codes.yml`)."""


class CallRejected(Exception):
    """A call that this adapter rejects itself, before or after it asked the database.

    Attributes:
        error: The error of the call.
    """

    def __init__(self, error: Error) -> None:
        self.error = error
        super().__init__(error.code)


class PoolExhausted(Exception):
    """No connection became free in time."""


class TransactionLost(Exception):
    """The transaction was aborted, with everything that was written in it."""


class WriteConflict(TransactionLost):
    """It was aborted since another transaction has changed the same, again and again."""


class CommitOutcomeUnknown(Exception):
    """A commit whose answer was lost, so that its outcome is unknown."""


DATABASE_ERRORS: Final = (
    PyMongoError,
    DocumentTooLarge,
    CallNotPermitted,
    PoolExhausted,
    TransactionLost,
    CommitOutcomeUnknown,
    CallRejected,
    TimeoutError,
)
"""What a call may raise. `translate` raises again what means a defect of ours."""


def translate(
    error: BaseException, database: str, resource: Resource[Any], *, is_unprotected: bool = False
) -> Error:
    """Turn what a call raised into an error a caller can act on.

    Args:
        error: What was raised.

        database: The name of the database.

        resource: The resource whose entities were read or written.

        is_unprotected: It was a write outside of a transaction, so that silence leaves its outcome unknown.

    Raises:
        BaseException: *error* itself, when it means a defect of ours.
    """
    match error:
        case CallRejected():
            return error.error
        case CommitOutcomeUnknown():
            return OutcomeUnknown(database)
        case PoolExhausted() | TransactionLost() | CallNotPermitted():
            return as_unavailable(error, database)
        case DocumentTooLarge():
            return TooLarge("entity", MAX_DOCUMENT_BYTES)
        case _ if is_unprotected and is_ambiguous(error):
            return OutcomeUnknown(database)
        case _ if is_unreachable(error):
            return as_unavailable(error, database)
        case OperationFailure():
            return _translate_operation_failure(error, resource)
        case _:
            raise error


def as_unavailable(error: BaseException, database: str) -> Unavailable:
    """Return that *error* kept *database* from answering, and nothing was changed."""
    match error:
        case CallNotPermitted():
            return Unavailable(database, error.retry_after, error.reason)
        case PoolExhausted() | WaitQueueTimeoutError():
            return Unavailable(database, reason=UnavailableReason.OVERLOAD)
        case WriteConflict():
            return SerializationConflict(database)
        case TransactionLost():
            return Unavailable(database, reason=UnavailableReason.CONFLICT)
        case OperationFailure() if code_of(error) == _DISK_FULL_CODE:
            return StorageFull(database, detail=driver_message(error))
        case OperationFailure():
            return _unavailable_for_code(error, database)
        case NetworkTimeout() | TimeoutError():
            return Unavailable(database, reason=UnavailableReason.TIMEOUT, detail=driver_message(error))
        case _:
            return Unavailable(database, detail=driver_message(error))


def _unavailable_for_code(error: OperationFailure, database: str) -> Unavailable:
    said = driver_message(error)
    match code_of(error):
        case code if code in _ACCESS_DENIED_CODES:
            return Unavailable(database, reason=UnavailableReason.ACCESS_DENIED, detail=said)
        case code if code == WRITE_CONFLICT_CODE:
            return SerializationConflict(database, detail=said)
        case code if code in _LOCK_TIMEOUT_CODES:
            return LockWaitTimeout(database, detail=said)
        case _:
            return Unavailable(database, reason=UnavailableReason.TIMEOUT, detail=said)


def driver_message(error: BaseException) -> str:
    """Return what the server or the driver said, on one line, without the driver's view of the whole cluster."""
    details = _error_details(error) if isinstance(error, OperationFailure) else {}
    said = str(details.get("errmsg") or error)
    return " ".join(_CLUSTER.sub("", said).split()).rstrip(".")


def has_answered(error: BaseException) -> bool | None:
    """Return whether the server has answered, though with *error*; `None` where that says nothing about it."""
    if isinstance(error, PoolExhausted | WaitQueueTimeoutError):
        return None
    if isinstance(error, ConnectionFailure | TimeoutError) or is_access_denied(error):
        return False
    return True if isinstance(error, OperationFailure) else None


def is_unreachable(error: BaseException) -> bool:
    """Return whether no server answered, or only with a state that passes."""
    if isinstance(error, ConfigurationError):
        # What the driver says of a member that has just been started, and has not read its replica set yet.
        return "Sessions are not supported" in str(error)
    return isinstance(error, ConnectionFailure | ExecutionTimeout | TimeoutError | WTimeoutError) or (
        isinstance(error, OperationFailure) and code_of(error) in _TRANSIENT_CODES | _ACCESS_DENIED_CODES
    )


def is_access_denied(error: BaseException) -> bool:
    """Return whether the server has not let this program in."""
    return isinstance(error, OperationFailure) and code_of(error) in _ACCESS_DENIED_CODES


def is_ambiguous(error: BaseException) -> bool:
    """Return whether a write outside of a transaction that raised *error* may have been made."""
    if isinstance(error, ServerSelectionTimeoutError | WaitQueueTimeoutError | NotPrimaryError):
        # It was never sent, or rejected before anything was written.
        return False
    if isinstance(error, ConnectionFailure | WTimeoutError | TimeoutError):
        # It was sent, and no answer came; after a retry the server may say that the first attempt did nothing.
        return not (isinstance(error, PyMongoError) and error.has_error_label("NoWritesPerformed"))
    return False


def is_conflict(error: BaseException) -> bool:
    """Return whether the server has aborted a transaction that may be tried again."""
    return isinstance(error, OperationFailure) and error.has_error_label("TransientTransactionError")


def code_of(error: OperationFailure) -> int | None:
    """Return the server's error code; of a bulk write, that of the first write that failed."""
    code = _error_details(error).get("code")
    return error.code if code is None else int(code)


def find_duplicate_fields(error: OperationFailure, resource: Resource[Any]) -> tuple[str, ...]:
    """Return the fields whose values are taken; none when the server does not say."""
    pattern: Mapping[str, object] = _error_details(error).get("keyPattern") or {}
    if list(pattern) == ["_id"]:
        return resource.key
    return tuple(str(path).removeprefix("_id.") for path in pattern)


def null_not_allowed(fields: Iterable[str]) -> Invalid:
    """Return that each of *fields* was null, or left out, and must not be."""
    return Invalid(tuple(Fault(f"/{field}", "A value is needed", "null_not_allowed") for field in fields))


def entity_not_found(resource: Resource[Any], key: Key) -> CallRejected:
    """Build the rejection that no entity has *key*."""
    return CallRejected(NotFound(resource.name, key))


def version_conflict(resource: Resource[Any], key: Key, current: str) -> CallRejected:
    """Build the rejection that the entity with *key* has version *current* by now."""
    return CallRejected(Stale(resource.name, key, current))


def duplicate_key(resource: Resource[Any], fields: Iterable[str]) -> CallRejected:
    """Build the rejection that another entity has the same values in *fields*."""
    return CallRejected(AlreadyExists(resource.name, tuple(fields)))


def too_many_affected(max_affected: int) -> CallRejected:
    """Build the rejection that a change would reach more than *max_affected* entities."""
    return CallRejected(TooLarge("affected", max_affected, "entities"))


def _translate_operation_failure(error: OperationFailure, resource: Resource[Any]) -> Error:
    code = code_of(error)
    if code in DUPLICATE_KEY_CODES:
        return AlreadyExists(resource.name, find_duplicate_fields(error, resource))
    if code == VALIDATION_FAILED_CODE:
        return CheckFailed(resource.name, _find_invalid_fields(error, resource), "$jsonSchema")
    if code == TYPE_MISMATCH_CODE and resource.version is not None:
        # The only field that is counted up: another program has put something there that is no number.
        return CheckFailed(resource.name, (resource.version,), "$inc")
    # A document that is too large to be inserted has no code of its own: only the message tells it apart.
    if code in _TOO_LARGE_CODES or (
        code == _BAD_VALUE_CODE and "too large" in str(_error_details(error).get("errmsg"))
    ):
        return TooLarge("entity", MAX_DOCUMENT_BYTES)
    raise error


def _error_details(error: OperationFailure) -> Mapping[str, Any]:
    details: Mapping[str, Any] = error.details or {}
    if isinstance(error, BulkWriteError):
        # Inserts are ordered, so the first error is the one that ended the bulk write.
        errors: list[Mapping[str, Any]] = (
            details.get("writeErrors") or details.get("writeConcernErrors") or [{}]
        )
        return errors[0]
    return details


def _find_invalid_fields(error: OperationFailure, resource: Resource[Any]) -> tuple[str, ...]:
    """Return the fields that the validator of the collection names, however deep it names them."""
    found: list[str] = []

    # `errInfo` is a tree of the rules that failed: each names its field at a depth that depends on the rule.
    def collect(details: object) -> None:
        if isinstance(details, Mapping):
            found.extend(str(each) for each in [details.get("propertyName")] if each is not None)
            found.extend(str(each) for each in details.get("missingProperties", ()))
            for each in details.values():
                collect(each)
        if isinstance(details, list):
            for each in details:
                collect(each)

    collect(_error_details(error).get("errInfo"))
    named = [resource.key[0] if name == "_id" else name for name in found]
    return tuple(dict.fromkeys(name for name in named if name in resource.fields))
