"""The time."""

import datetime
from typing import Protocol, runtime_checkable


@runtime_checkable
class Clock(Protocol):
    """The time of day, and a time to measure with."""

    def now(self) -> datetime.datetime:
        """Return the time of day: aware, UTC."""
        ...

    def monotonic(self) -> float:
        """Return the seconds since some fixed moment; never goes back."""
        ...
