"""Errors that a caller can act on: a closed union of values, and the one exception.

An interface words each error once, in a `match` without `case _`, so that a new member of `Error` which an
interface does not word is a type error.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, TypeAlias, TypeVar

from returns.result import Failure, Success

from fastapi_easy.domain.lock_refusals import LockHeld as LockHeld  # noqa: PLC0414 (one of the errors)
from fastapi_easy.domain.lock_refusals import LockLost as LockLost  # noqa: PLC0414 (likewise)
from fastapi_easy.domain.lock_refusals import TooManyLocks as TooManyLocks  # noqa: PLC0414 (likewise)
from fastapi_easy.domain.migrations.stopped import MigrationStopped
from fastapi_easy.domain.unavailable import (
    Deadlock,
    LockWaitTimeout,
    SerializationConflict,
    StorageFull,
)
from fastapi_easy.domain.unavailable import Unavailable as Unavailable  # noqa: PLC0414 (one of the errors)
from fastapi_easy.domain.unavailable import UnavailableReason as UnavailableReason  # noqa: PLC0414 (its reason)

Key: TypeAlias = Any
"""What identifies an entity: one value, or a tuple of values in the order of `Resource.key`."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing wrong with the caller's input.

    Attributes:
        pointer: JSON Pointer (RFC 6901) into *source*; `""` is the whole of it.

        message: A sentence for people. Never repeats the input.

        code: A stable word for programs, like `string_too_long`.

        source: The part of the input: `body`, `query`, `path` or `header`.
    """

    pointer: str
    message: str
    code: str
    source: str = "body"


@dataclass(frozen=True, slots=True)
class Invalid:
    """The input does not have the shape or the values the resource asks for; nothing was changed."""

    code: ClassVar[str] = "invalid"
    faults: tuple[Fault, ...]


@dataclass(frozen=True, slots=True)
class BadQuery:
    """A query parameter cannot be understood.

    Attributes:
        parameter: The name of the parameter, as the caller wrote it (shortened to 64 characters).

        reason: A sentence for people.

        suggestion: The nearest allowed spelling, if one is near.
    """

    code: ClassVar[str] = "bad_query"
    parameter: str
    reason: str
    suggestion: str | None = None


@dataclass(frozen=True, slots=True)
class Unauthenticated:
    """The caller is not authenticated."""

    code: ClassVar[str] = "unauthenticated"
    scheme: str = "Bearer"


@dataclass(frozen=True, slots=True)
class Forbidden:
    """The caller may not do this.

    Attributes:
        field: The field that is off limits, when the action itself is allowed.
    """

    code: ClassVar[str] = "forbidden"
    resource: str
    action: str
    field: str | None = None


@dataclass(frozen=True, slots=True)
class NotFound:
    """No such entity, or none that this caller may see."""

    code: ClassVar[str] = "not_found"
    resource: str
    key: Key


@dataclass(frozen=True, slots=True)
class AlreadyExists:
    """Another entity has the same values in fields that must be unique; nothing was changed.

    Attributes:
        fields: The fields of the broken rule, in its order; empty when the store does not say.
    """

    code: ClassVar[str] = "already_exists"
    resource: str
    fields: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ReferenceBroken:
    """The change would leave a reference to something that does not exist; nothing was changed.

    Attributes:
        fields: The fields that hold the reference; empty when other entities still refer to this one, or when the
            reference is none of the class: of a trigger, say, that writes another table.

        is_target_missing: Of a reference without fields: whether what was to be referred to does not exist.
    """

    code: ClassVar[str] = "reference_broken"
    resource: str
    fields: tuple[str, ...]
    is_target_missing: bool = False


@dataclass(frozen=True, slots=True)
class CheckFailed:
    """A rule of the store, or of a use case of the user's own, refused the values; nothing was changed.

    Attributes:
        fields: The fields the rule is about, as far as that is known.

        constraint: The name of the rule, when it has one; for logs, never shown to callers.

        reason: A sentence for the caller: that of a use case of the user's own, or of the store's own code, which
            raised it for callers (a trigger's `RAISE`, `SIGNAL`); a constraint gives none.
    """

    code: ClassVar[str] = "check_failed"
    resource: str
    fields: tuple[str, ...]
    constraint: str | None = None
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class UnreadableEntity:
    """An entity is stored with values that its fields cannot hold, and its resource is read strictly.

    Attributes:
        key: What identifies it; `None` when the caller may not know.

        fields: The fields with such values.
    """

    code: ClassVar[str] = "unreadable_entity"
    resource: str
    key: Key
    fields: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class PositionExpired:
    """The change feed of a resource does not go back to the position that was asked for, or never had it.

    Whoever follows has missed changes, reads the entities anew, and follows from now on.
    """

    code: ClassVar[str] = "position_expired"
    resource: str


@dataclass(frozen=True, slots=True)
class Stale:
    """The entity has changed since the caller read it (optimistic concurrency); nothing was changed.

    Attributes:
        current: The version the entity has now.
    """

    code: ClassVar[str] = "stale"
    resource: str
    key: Key
    current: str


@dataclass(frozen=True, slots=True)
class PreconditionRequired:
    """A change to this resource must say which version it is based on."""

    code: ClassVar[str] = "precondition_required"
    resource: str


@dataclass(frozen=True, slots=True)
class IdempotencyMismatch:
    """The idempotency key was used before, with another request."""

    code: ClassVar[str] = "idempotency_mismatch"
    key: str


@dataclass(frozen=True, slots=True)
class InFlight:
    """The first request with this idempotency key has not ended yet."""

    code: ClassVar[str] = "idempotency_in_flight"
    key: str
    retry_after: float = 1.0
    """Seconds."""


@dataclass(frozen=True, slots=True)
class AlreadyHandled:
    """The message that asks for this was handled before, by the same consumer; nothing was changed."""

    code: ClassVar[str] = "already_handled"
    message_id: str


@dataclass(frozen=True, slots=True)
class TooLarge:
    """The request is larger than a limit.

    Attributes:
        what: The thing that is limited, like `body` or `where`.

        limit: The largest allowed number of *unit*.
    """

    code: ClassVar[str] = "too_large"
    what: str
    limit: int
    unit: str = "bytes"

    @property
    def sentence(self) -> str:
        """Return what is too large, for callers, without a full stop."""
        unit = self.unit
        if self.limit == 1:
            unit = f"{unit.removesuffix('ies')}y" if unit.endswith("ies") else unit.removesuffix("s")
        if self.what == "affected":
            return f"The change would affect more than {self.limit} {unit}"
        return f"{self.what} is larger than {self.limit} {unit}"


@dataclass(frozen=True, slots=True)
class RateLimited:
    """The caller has exceeded a rate limit."""

    code: ClassVar[str] = "rate_limited"
    retry_after: float
    """Seconds."""


@dataclass(frozen=True, slots=True)
class DeadlineExceeded:
    """The caller does not wait any longer; nothing was changed.

    Attributes:
        dependency: What was waited for, or would have been.
    """

    code: ClassVar[str] = "deadline_exceeded"
    dependency: str


@dataclass(frozen=True, slots=True)
class OutcomeUnknown:
    """The answer to a commit was lost: the change may or may not have been made.

    May be repeated only with the same idempotency key.
    """

    code: ClassVar[str] = "outcome_unknown"
    dependency: str


@dataclass(frozen=True, slots=True)
class Unsupported:
    """The store behind this resource cannot do what was asked."""

    code: ClassVar[str] = "unsupported"
    resource: str
    capability: str


Error: TypeAlias = (
    Invalid
    | BadQuery
    | Unauthenticated
    | Forbidden
    | NotFound
    | AlreadyExists
    | ReferenceBroken
    | CheckFailed
    | UnreadableEntity
    | PositionExpired
    | Stale
    | PreconditionRequired
    | IdempotencyMismatch
    | InFlight
    | AlreadyHandled
    | TooLarge
    | RateLimited
    | LockHeld
    | TooManyLocks
    | LockLost
    | Unavailable
    | StorageFull
    | Deadlock
    | SerializationConflict
    | LockWaitTimeout
    | DeadlineExceeded
    | OutcomeUnknown
    | Unsupported
    | MigrationStopped
)

T = TypeVar("T")

Outcome: TypeAlias = Success[T] | Failure[Error]
"""The result of every port method and every use case. mypy narrows it in `match` without a plugin."""


class DeclarationError(Exception):
    """Declarations contradict themselves, each other or their store. Raised once, at start.

    Attributes:
        mistakes: Every mistake found, each a sentence with the way to mend it.

        subject: What they are in: `declarations`, or `settings`.
    """

    def __init__(self, mistakes: Sequence[str], *, subject: str = "declarations") -> None:
        self.mistakes = tuple(mistakes)
        self.subject = subject
        count = len(self.mistakes)
        heading = f"{count} mistake{'' if count == 1 else 's'} in the {subject}:"
        super().__init__("\n".join([heading, *(f"  {n}. {each}" for n, each in enumerate(self.mistakes, 1))]))
