"""The time of the machine."""

import datetime
import time


class SystemClock:
    """Implements `Clock`."""

    def now(self) -> datetime.datetime:
        """The time of day: aware, UTC."""
        return datetime.datetime.now(datetime.UTC)

    def monotonic(self) -> float:
        """Seconds since some fixed moment; never goes back."""
        return time.monotonic()
