"""What the driver raised → the error a caller can act on."""

from collections.abc import Iterable, Mapping
from typing import Any, Final

from pymongo.errors import (
    BulkWriteError,
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
    Obstacle,
    OutcomeUnknown,
    Stale,
    TooLarge,
    Unavailable,
)
from fastapi_easy.domain.ports.breaker import NotAdmitted
from fastapi_easy.domain.resources.resource import Resource

LARGEST: Final = 16 * 1024 * 1024
"""Bytes of a document."""

TAKEN: Final = frozenset({11000, 11001, 12582})
UNFIT: Final = 121
_TOO_LARGE: Final = frozenset({10334, 17280, 17419, 17420})
_BAD_VALUE: Final = 2

_BUSY: Final = frozenset(
    {
        *(6, 7, 24, 43, 50, 89, 91, 112, 133, 134, 189, 225, 237, 246, 251, 262, 290),
        *(10058, 10107, 11600, 11602, 13388, 13435, 13436),
    }
)
"""The server was in no state to answer, was interrupted, or somebody else was in the way (`error_codes.yml`)."""


class Refused(Exception):
    """A call was refused before or after the database was asked.

    Attributes:
        error: What the caller is told.
    """

    def __init__(self, error: Error) -> None:
        self.error = error
        super().__init__(error.code)


class PoolExhausted(Exception):
    """No connection became free in time."""


class TransactionLost(Exception):
    """The transaction has ended, with everything that was written in it."""


class CommitLost(Exception):
    """Nobody knows whether the transaction was committed."""


REFUSALS: Final = (
    PyMongoError,
    DocumentTooLarge,
    NotAdmitted,
    PoolExhausted,
    TransactionLost,
    CommitLost,
    Refused,
    TimeoutError,
)
"""What a call may raise; what of it means a defect of ours is raised again."""


def translate(
    error: BaseException, database: str, resource: Resource[Any], *, exposed: bool = False
) -> Error:
    """Turn what a call raised into an error a caller can act on.

    Args:
        error: What was raised.

        database: The name of the database.

        resource: Whose entities were asked for or written.

        exposed: It was a write that no transaction protects, so that silence tells nothing.

    Raises:
        BaseException: *error* itself, when it means a defect of ours.
    """
    match error:
        case Refused():
            return error.error
        case CommitLost():
            return OutcomeUnknown(database)
        case PoolExhausted() | TransactionLost() | NotAdmitted():
            return hindrance(error, database)
        case DocumentTooLarge():
            return TooLarge("entity", LARGEST)
        case _ if exposed and is_ambiguous(error):
            return OutcomeUnknown(database)
        case _ if is_silence(error):
            return hindrance(error, database)
        case OperationFailure():
            return _broken_rule(error, resource)
        case _:
            raise error


def hindrance(error: BaseException, database: str) -> Unavailable:
    """That *error* kept *database* from answering, and nothing was changed."""
    match error:
        case NotAdmitted():
            return Unavailable(database, error.retry_after, error.obstacle)
        case PoolExhausted() | WaitQueueTimeoutError():
            return Unavailable(database, obstacle=Obstacle.OVERLOAD)
        case TransactionLost():
            return Unavailable(database, obstacle=Obstacle.CONFLICT)
        case NetworkTimeout() | TimeoutError() | OperationFailure():
            return Unavailable(database, obstacle=Obstacle.DELAY)
        case _:
            return Unavailable(database)


def has_answered(error: BaseException) -> bool | None:
    """Whether the server has, though with *error*; `None` where that says nothing about it."""
    if isinstance(error, PoolExhausted | WaitQueueTimeoutError):
        return None
    if isinstance(error, ConnectionFailure | TimeoutError):
        return False
    return True if isinstance(error, OperationFailure) else None


def is_silence(error: BaseException) -> bool:
    """Whether nobody answered, or with nothing but that it cannot be done now."""
    return isinstance(error, ConnectionFailure | ExecutionTimeout | TimeoutError | WTimeoutError) or (
        isinstance(error, OperationFailure) and code_of(error) in _BUSY
    )


def is_ambiguous(error: BaseException) -> bool:
    """Whether a write outside of a transaction that raised *error* may have been made."""
    if isinstance(error, ServerSelectionTimeoutError | WaitQueueTimeoutError | NotPrimaryError):
        return False
    if isinstance(error, ConnectionFailure | WTimeoutError | TimeoutError):
        return not (isinstance(error, PyMongoError) and error.has_error_label("NoWritesPerformed"))
    return False


def is_conflict(error: BaseException) -> bool:
    """Whether the server has ended a transaction so that it may be tried again."""
    return isinstance(error, OperationFailure) and error.has_error_label("TransientTransactionError")


def code_of(error: OperationFailure) -> int | None:
    """The number of what went wrong; of several writes, with the first of them that did."""
    refused = _refusal(error).get("code")
    return error.code if refused is None else int(refused)


def taken_fields(error: OperationFailure, resource: Resource[Any]) -> tuple[str, ...]:
    """The fields whose values are taken; none when the server does not say."""
    pattern: Mapping[str, Any] = _refusal(error).get("keyPattern") or {}
    if list(pattern) == ["_id"]:
        return resource.key
    return tuple(str(path).removeprefix("_id.") for path in pattern)


def null_refused(fields: Iterable[str]) -> Invalid:
    """Each of *fields* was null, or left out, and must not be."""
    return Invalid(tuple(Fault(f"/{field}", "A value is needed.", "null_not_allowed") for field in fields))


def missing(resource: Resource[Any], key: Key) -> Refused:
    """No entity has *key*."""
    return Refused(NotFound(resource.name, key))


def stale(resource: Resource[Any], key: Key, current: str) -> Refused:
    """The entity with *key* has version *current* by now."""
    return Refused(Stale(resource.name, key, current))


def taken(resource: Resource[Any], fields: Iterable[str]) -> Refused:
    """Another entity has the same values in *fields*."""
    return Refused(AlreadyExists(resource.name, tuple(fields)))


def too_many(max_affected: int) -> Refused:
    """A change would reach more than *max_affected* entities."""
    return Refused(TooLarge("affected", max_affected, "entities"))


def _broken_rule(error: OperationFailure, resource: Resource[Any]) -> Error:
    code = code_of(error)
    if code in TAKEN:
        return AlreadyExists(resource.name, taken_fields(error, resource))
    if code == UNFIT:
        return CheckFailed(resource.name, _unfit_fields(error, resource), "$jsonSchema")
    # There is no number of its own for a document that is too large to be inserted.
    if code in _TOO_LARGE or (code == _BAD_VALUE and "too large" in str(_refusal(error).get("errmsg"))):
        return TooLarge("entity", LARGEST)
    raise error


def _refusal(error: OperationFailure) -> Mapping[str, Any]:
    details: Mapping[str, Any] = error.details or {}
    if isinstance(error, BulkWriteError):
        refused = details.get("writeErrors") or details.get("writeConcernErrors") or [{}]
        first: Mapping[str, Any] = refused[0]
        return first
    return details


def _unfit_fields(error: OperationFailure, resource: Resource[Any]) -> tuple[str, ...]:
    """The fields that the validator of the collection names."""
    found: list[str] = []

    def look(details: Any) -> None:
        if isinstance(details, Mapping):
            found.extend(str(each) for each in [details.get("propertyName")] if each is not None)
            found.extend(str(each) for each in details.get("missingProperties", ()))
            for each in details.values():
                look(each)
        if isinstance(details, list):
            for each in details:
                look(each)

    look(_refusal(error).get("errInfo"))
    named = [resource.key[0] if name == "_id" else name for name in found]
    return tuple(dict.fromkeys(name for name in named if name in resource.fields))
