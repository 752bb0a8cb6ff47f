"""How asyncpg reads and writes times, so that each value of PostgreSQL's is one in Python.

Its own codecs make the last time of Python and `infinity` one value, in both directions, and fail on what Python has
no object for. These give an `UnexpectedValue` there, and take no longer for all others.
"""

import datetime
from collections.abc import Callable
from typing import Any, Final, TypeAlias

from fastapi_easy.domain.values.unexpected import UnexpectedValue
from fastapi_easy.infrastructure.relational.postgres_times import (
    FIRST_DAY,
    clock_of,
    clock_text,
    date_text,
    days_of,
    interval_of,
    interval_text,
    microseconds_of,
    offset_text,
    timestamp_text,
)

Numbers: TypeAlias = tuple[int, ...]
"""What asyncpg calls the tuple format: the numbers that PostgreSQL keeps."""

MAX_DATES: Final = 50_000
"""Dates kept of those read; beyond, they are made anew."""

_MONTHS: Final = 12
_MICROSECOND: Final = datetime.timedelta(microseconds=1)
"""To multiply it takes half the time that a new duration of so many microseconds does."""

_START: Final = datetime.datetime(2000, 1, 1)  # noqa: DTZ001 - of columns without a time zone
_START_UTC: Final = datetime.datetime(2000, 1, 1, tzinfo=datetime.UTC)
_MIDNIGHT: Final = datetime.datetime(1, 1, 1)  # noqa: DTZ001 - only the time of day is used
_DAY: Final = 86_400_000_000
_duration: Final = datetime.timedelta


class Dates(dict[Numbers, object]):
    """The dates read so far: most dates come many times, and to look one up is quicker than to make it."""

    def __missing__(self, numbers: Numbers) -> object:
        """Make the date of *numbers*."""
        try:
            made: object = datetime.date.fromordinal(numbers[0] + FIRST_DAY)
        except (ValueError, OverflowError):
            made = UnexpectedValue(date_text(numbers[0]))
        if len(self) < MAX_DATES:
            self[numbers] = made
        return made


def encode_date(value: Any) -> Numbers:
    """Return the number of a date."""
    if isinstance(value, UnexpectedValue):
        return (days_of(value.shown),)
    return (value.toordinal() - FIRST_DAY,)


def decode_timestamp(numbers: Numbers) -> object:
    """Return a time of a column without a time zone."""
    try:
        return _START + _MICROSECOND * numbers[0]
    except OverflowError:
        return UnexpectedValue(timestamp_text(numbers[0]))


def encode_timestamp(value: Any) -> Numbers:
    """Return the number of a time without a zone."""
    if isinstance(value, UnexpectedValue):
        return (microseconds_of(value.shown),)
    if not isinstance(value, datetime.datetime):
        value = datetime.datetime(value.year, value.month, value.day)  # noqa: DTZ001 - of a date
    return ((value - _START) // _MICROSECOND,)


def decode_timestamptz(numbers: Numbers) -> object:
    """Return a time of a column with a time zone, in UTC."""
    try:
        return _START_UTC + _MICROSECOND * numbers[0]
    except OverflowError:
        return UnexpectedValue(timestamp_text(numbers[0], "+00"))


def encode_timestamptz(value: Any) -> Numbers:
    """Return the number of a time with a zone; of one without, as of a date, in the local zone."""
    if type(value) is datetime.datetime and value.tzinfo is datetime.UTC:
        return ((value - _START_UTC) // _MICROSECOND,)
    if isinstance(value, UnexpectedValue):
        return (microseconds_of(value.shown),)
    if not isinstance(value, datetime.datetime):
        value = datetime.datetime(value.year, value.month, value.day)  # noqa: DTZ001 - of a date
    return ((value.astimezone(datetime.UTC) - _START_UTC) // _MICROSECOND,)


def decode_time(numbers: Numbers) -> object:
    """Return a time of day."""
    if numbers[0] >= _DAY:
        return UnexpectedValue(clock_text(numbers[0]))
    return (_MIDNIGHT + _MICROSECOND * numbers[0]).time()


def encode_time(value: Any) -> Numbers:
    """Return the microseconds since midnight."""
    if isinstance(value, UnexpectedValue):
        return (clock_of(value.shown)[0],)
    return (_microseconds(value),)


def decode_timetz(numbers: Numbers) -> object:
    """Return a time of day in UTC; what has another offset is no time of day by itself."""
    clock, west = numbers
    if west:
        return UnexpectedValue(clock_text(clock) + offset_text(west))
    return decode_time((clock,))


def encode_timetz(value: Any) -> Numbers:
    """Return the microseconds since midnight and the offset, which is none unless the value has one."""
    if isinstance(value, UnexpectedValue):
        return clock_of(value.shown)
    offset = value.utcoffset()
    return _microseconds(value), 0 if offset is None else -int(offset.total_seconds())


def decode_interval(numbers: Numbers) -> object:
    """Return a duration; a month is 30 days, as PostgreSQL compares them, but 12 of them are a year and no 360 days."""
    months, days, microseconds = numbers
    if -_MONTHS < months < _MONTHS:
        try:
            return _duration(days + 30 * months, 0, microseconds)
        except OverflowError:
            pass
    return UnexpectedValue(interval_text(months, days, microseconds))


def encode_interval(value: Any) -> Numbers:
    """Return months, days and microseconds."""
    if isinstance(value, UnexpectedValue):
        return interval_of(value.shown)
    return 0, value.days, value.seconds * 1_000_000 + value.microseconds


def _microseconds(value: datetime.time) -> int:
    return ((value.hour * 60 + value.minute) * 60 + value.second) * 1_000_000 + value.microsecond


_Codec: TypeAlias = tuple[Callable[[Any], Numbers], Callable[[Numbers], object]]

_CODECS: Final[dict[str, _Codec]] = {
    "date": (encode_date, Dates().__getitem__),
    "timestamp": (encode_timestamp, decode_timestamp),
    "timestamptz": (encode_timestamptz, decode_timestamptz),
    "time": (encode_time, decode_time),
    "timetz": (encode_timetz, decode_timetz),
    "interval": (encode_interval, decode_interval),
}


async def register_codecs(driver: Any) -> None:
    """Let asyncpg's connection *driver* read and write times this way; costs no trip to the server."""
    for name, (encoder, decoder) in _CODECS.items():
        await driver.set_type_codec(
            name, schema="pg_catalog", encoder=encoder, decoder=decoder, format="tuple"
        )
