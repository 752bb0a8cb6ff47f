"""What becomes of a call whose lock was not granted, or was lost: three of the errors a caller can act on."""

from dataclasses import dataclass
from typing import ClassVar


@dataclass(frozen=True, slots=True)
class LockHeld:
    """Somebody else holds the lock."""

    code: ClassVar[str] = "lock_held"
    name: str
    retry_after: float = 1.0
    """Seconds."""


@dataclass(frozen=True, slots=True)
class TooManyLocks(LockHeld):
    """This process holds as many session locks as it may; nothing was changed.

    Whoever handles `LockHeld` handles it too.
    """

    code: ClassVar[str] = "too_many_locks"


@dataclass(frozen=True, slots=True)
class LockLost:
    """The lock ran out while the work was being done; nothing was changed."""

    code: ClassVar[str] = "lock_lost"
    name: str
