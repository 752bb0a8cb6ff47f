"""Times without a zone: whether they are UTC, or what the clock on this machine's wall shows."""

import datetime
from typing import Final

_NEAR: Final = datetime.timedelta(minutes=2)
"""How far from now a time is that somebody has just asked a clock for; zones differ by a quarter of an hour or more."""


def in_utc(moment: datetime.datetime) -> datetime.datetime:
    """Return *moment* in UTC. Without a zone it is UTC, unless only this machine's local clock shows it right now.

    Args:
        moment: Aware, or what somebody has made without a zone, like `datetime.now()` or `datetime.utcnow()`.
    """
    if moment.tzinfo is not None:
        return moment if moment.tzinfo is datetime.UTC else moment.astimezone(datetime.UTC)
    as_utc = moment.replace(tzinfo=datetime.UTC)
    now = datetime.datetime.now(datetime.UTC)
    if abs(as_utc - now) > _NEAR:
        for each in _local_readings(moment):
            if abs(each - now) <= _NEAR:
                return each
    return as_utc


def is_of_no_clock(moment: datetime.datetime) -> bool:
    """Return whether *moment* has no zone and no clock shows it right now, so that nobody knows which was meant."""
    if moment.tzinfo is not None:
        return False
    now = datetime.datetime.now(datetime.UTC)
    readings = (moment.replace(tzinfo=datetime.UTC), *_local_readings(moment))
    return all(abs(each - now) > _NEAR for each in readings)


def _local_readings(moment: datetime.datetime) -> tuple[datetime.datetime, ...]:
    """Return what *moment* means on this machine: two times in the hour that clocks show twice."""
    try:
        return tuple(moment.replace(fold=each).astimezone(datetime.UTC) for each in (0, 1))
    except (OverflowError, OSError, ValueError):
        # The first and the last days of all have no local time.
        return ()
