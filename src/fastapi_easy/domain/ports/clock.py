"""What time it is."""

import datetime
from typing import Protocol, runtime_checkable


@runtime_checkable
class Clock(Protocol):
    """The time of day, and a time to measure with."""

    def now(self) -> datetime.datetime:
        """The time of day: aware, UTC."""
        ...

    def monotonic(self) -> float:
        """Seconds since some fixed moment; never goes back."""
        ...
