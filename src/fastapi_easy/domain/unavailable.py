"""A dependency that did not do what was asked, and why: nothing was changed, and the call may be repeated."""

import enum
from dataclasses import dataclass, field
from typing import ClassVar, Final


class UnavailableReason(enum.Enum):
    """The reason why a dependency is unavailable. Nothing was changed in any case."""

    NO_RESPONSE = enum.auto()
    """No response came, or the connection broke."""

    CONFLICT = enum.auto()
    """It rolled back for a deadlock or a serialization conflict; a retry at once may succeed."""

    TIMEOUT = enum.auto()
    """It took too long, or a lock was held by somebody else for too long."""

    OVERLOAD = enum.auto()
    """Too many of our own calls wait for it already (bulkhead, connection pool)."""

    CIRCUIT_OPEN = enum.auto()
    """It was not called: its circuit breaker is open, or an operator has isolated it."""

    READ_ONLY = enum.auto()
    """It answers, and takes no changes: a standby, or a database that may only be read."""

    STORAGE_FULL = enum.auto()
    """It answers, and has no room left for the change: its disk, or its quota, is full."""

    ACCESS_DENIED = enum.auto()
    """It refuses the user or the password of this program, until an operator sets one of both right."""

    UNKNOWN_DATABASE = enum.auto()
    """The server answers, and has no database of that name, or not for this user."""


REFUSALS: Final = frozenset({UnavailableReason.ACCESS_DENIED, UnavailableReason.UNKNOWN_DATABASE})
"""The reasons that no waiting removes: an operator has to change the settings, or the server."""


@dataclass(frozen=True, slots=True)
class Unavailable:
    """A dependency did not answer; nothing was changed, the call may be repeated.

    Attributes:
        retry_after: Seconds.

        reason: Decides whether the call is retried here.

        detail: What the dependency or its driver said, for operators; never for callers.
    """

    code: ClassVar[str] = "unavailable"
    dependency: str
    retry_after: float = 1.0
    reason: UnavailableReason = field(default=UnavailableReason.NO_RESPONSE, compare=False, repr=False)
    detail: str = field(default="", compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class StorageFull(Unavailable):
    """The store has no room left for the change; nothing was changed, and what is stored can be read.

    It is no use to repeat the call before somebody has made room. Whoever handles `Unavailable` handles it too.
    """

    code: ClassVar[str] = "storage_full"
    reason: UnavailableReason = field(default=UnavailableReason.STORAGE_FULL, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Deadlock(Unavailable):
    """The database has rolled the call back to end a deadlock with another one; nothing was changed."""

    code: ClassVar[str] = "deadlock"
    reason: UnavailableReason = field(default=UnavailableReason.CONFLICT, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class SerializationConflict(Unavailable):
    """Another call changed the same entities at the same time, and only one of both could be; nothing was changed."""

    code: ClassVar[str] = "serialization_conflict"
    reason: UnavailableReason = field(default=UnavailableReason.CONFLICT, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class LockWaitTimeout(Unavailable):
    """Another call held a lock on the same entities, or on their table, for too long; nothing was changed."""

    code: ClassVar[str] = "lock_wait_timeout"
    reason: UnavailableReason = field(default=UnavailableReason.TIMEOUT, compare=False, repr=False)
