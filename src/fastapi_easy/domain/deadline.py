"""Deadlines: the moment when a caller stops waiting, by which everything that is done for it has to end.

Code that waits for another process caps its timeout to what is left. Nothing is cancelled from outside: giving up a
statement in the middle costs its connection, and leaves its outcome unknown.
"""

import time
from contextvars import ContextVar
from typing import Final


class Deadline:
    """The deadline of the current task and of the tasks that it starts; it ends for tasks that outlive it.

    Begins when it is made, and has to be ended. Inside of another one the sooner of the two counts.

    Args:
        seconds: From now.

    Attributes:
        at: The moment, on the clock of `time.monotonic`; `None` once it has ended.
    """

    __slots__ = ("_outer", "at")

    def __init__(self, seconds: float) -> None:
        at: float = time.monotonic() + seconds
        outer = _CURRENT.get()
        if outer is not None:
            if outer.at is None:
                # Ended, but not for this task: it was started within and has outlived it.
                outer = None
            elif outer.at < at:
                at = outer.at
        self.at: float | None = at
        self._outer = outer
        _ = _CURRENT.set(self)

    @property
    def remaining(self) -> float:
        """Seconds until then; 0 or less when it has passed, or has ended."""
        return 0.0 if self.at is None else self.at - time.monotonic()

    def end(self) -> None:
        """End it: what it was for has been done."""
        self.at = None
        if self._outer is not None:
            _ = _CURRENT.set(self._outer)


_CURRENT: Final[ContextVar[Deadline | None]] = ContextVar("fastapi_easy_deadline", default=None)


def remaining_seconds() -> float | None:
    """Return the seconds that the current task has left; 0 or less when it is too late, `None` without a deadline."""
    current = _CURRENT.get()
    return None if current is None or current.at is None else current.at - time.monotonic()


def leave_deadline() -> None:
    """Forget the deadline of whoever started the current task, which works for others as well and outlives it."""
    _ = _CURRENT.set(None)


def within(seconds: float) -> float:
    """Return *seconds*, or those left until the deadline when they are fewer; never less than 0."""
    left = remaining_seconds()
    return seconds if left is None or left >= seconds else max(0.0, left)
