"""A clock for tests that stands still until it is advanced."""

import datetime
from typing import Final

_START: Final = datetime.datetime(2026, 1, 1, 12, tzinfo=datetime.UTC)


class FrozenClock:
    """A `Clock` whose two times move by `advance` only."""

    def __init__(self, now: datetime.datetime = _START) -> None:
        self._now = now.astimezone(datetime.UTC)
        self._monotonic = 0.0

    def now(self) -> datetime.datetime:
        """Return the time of day it was created with or moved to."""
        return self._now

    def monotonic(self) -> float:
        """Return the seconds by which it was moved in total."""
        return self._monotonic

    def advance(self, by: float | datetime.timedelta) -> None:
        """Move both times forward *by* seconds or a timedelta; never back."""
        step = by if isinstance(by, datetime.timedelta) else datetime.timedelta(seconds=by)
        if step < datetime.timedelta(0):
            raise ValueError("time cannot go backwards")
        self._now += step
        self._monotonic += step.total_seconds()
