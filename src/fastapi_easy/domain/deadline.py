"""When whoever asked stops waiting: then everything that is done for them has to have ended.

Whoever waits for something far away bounds the wait by what is left. Nothing is cut from outside: who gives up a
statement in the middle loses its connection, and does not know what became of it.
"""

import time
from contextvars import ContextVar
from typing import Final


class Deadline:
    """Of what the current task does, and of the tasks that it starts; those that outlive it are freed of it.

    Begins when it is made, and is to be ended. Inside of another one the sooner of the two counts.

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


def within(seconds: float) -> float:
    """Return *seconds*, or those left until the deadline when they are fewer; never less than 0."""
    left = remaining_seconds()
    return seconds if left is None or left >= seconds else max(0.0, left)
