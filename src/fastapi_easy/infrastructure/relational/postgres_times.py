"""Times of PostgreSQL that Python cannot hold, as the numbers it keeps and the texts it shows.

PostgreSQL counts days and microseconds from the year 2000. What lies outside Python's years, `infinity`, `24:00` and
times of day with an offset are shown as the server itself spells them, so that the text can be compared again.
"""

import datetime
import re
from typing import Final

FIRST_DAY: Final = datetime.date(2000, 1, 1).toordinal()
"""The day from which PostgreSQL counts."""

DATE_TEXTS: Final = (
    r"-?infinity|([1-9][0-9]{4,6}|[0-9]{4}(?=.* BC))-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])( BC)?"
)
"""Dates outside Python's years."""

DATETIME_TEXTS: Final = (
    r"-?infinity|([1-9][0-9]{4,5}|[0-9]{4}(?=.* BC))-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])"
    r"( ([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](\.[0-9]{1,6})?(\+00)?)?( BC)?"
)
"""Points in time outside Python's years."""

TIME_TEXTS: Final = (
    r"24:00:00|([01][0-9]|2[0-3]|24(?=:00:00[+-])):[0-5][0-9]:[0-5][0-9](\.[0-9]{1,6})?"
    r"[+-][01][0-9](:[0-5][0-9](:[0-5][0-9])?)?"
)
"""The end of the day, and times of day with an offset."""

DURATION_TEXTS: Final = (
    r"-?infinity|(?=.)([+-]?[0-9]{1,9} years?)?( ?[+-]?[0-9]{1,2} mons?)?( ?[+-]?[0-9]{1,10} days?)?"
    r"( ?[+-]?[0-9]{2,10}:[0-5][0-9]:[0-5][0-9](\.[0-9]{1,6})?)?"
)
"""Durations with years or of more days than Python counts."""

_CYCLE: Final = 146_097
"""Days of 400 years, after which the calendar repeats itself."""

_DAY: Final = 86_400_000_000
_HOUR: Final = 3_600_000_000
_MINUTE: Final = 60_000_000
_SECOND: Final = 1_000_000
_INFINITIES: Final = {
    32: {2**31 - 1: "infinity", -(2**31): "-infinity"},
    64: {2**63 - 1: "infinity", -(2**63): "-infinity"},
}
_NUMBERS: Final = {
    bits: {text: number for number, text in texts.items()} for bits, texts in _INFINITIES.items()
}
_INFINITE_INTERVALS: Final = {
    "infinity": (2**31 - 1, 2**31 - 1, 2**63 - 1),
    "-infinity": (-(2**31), -(2**31), -(2**63)),
}
_DATE: Final = re.compile(r"([0-9]{4,7})-([0-9]{2})-([0-9]{2})(?: ([0-9][^ ]*))?( BC)?", re.ASCII)
_TIME: Final = re.compile(
    r"([0-9]+):([0-9]{2}):([0-9]{2})(?:\.([0-9]{1,6}))?"
    r"(?:([+-])([0-9]{2})(?::([0-9]{2}))?(?::([0-9]{2}))?)?",
    re.ASCII,
)
_UNITS: Final = re.compile(r"([+-]?[0-9]+) (year|mon|day)s?", re.ASCII)
_CLOCK: Final = re.compile(r"([+-]?)([0-9]+:[0-9]{2}:[0-9]{2}(?:\.[0-9]{1,6})?)$", re.ASCII)


def date_text(days: int) -> str:
    """Return the date that lies *days* after the first of 2000, as PostgreSQL spells it."""
    return _INFINITIES[32].get(days) or "".join(_calendar(days))


def days_of(text: str) -> int:
    """Return the number that `date_text` made *text* of.

    Raises:
        ValueError: It is no date.
    """
    if text in _NUMBERS[32]:
        return _NUMBERS[32][text]
    days, time = _split(text)
    if time is not None:
        raise ValueError(text)
    return days


def timestamp_text(microseconds: int, zone: str = "") -> str:
    """Return the time that lies *microseconds* after the beginning of 2000, as PostgreSQL spells it.

    Args:
        microseconds: The number that PostgreSQL keeps.

        zone: What follows the time: `+00` where the column keeps zones.
    """
    infinity = _INFINITIES[64].get(microseconds)
    if infinity is not None:
        return infinity
    days, rest = divmod(microseconds, _DAY)
    date, era = _calendar(days)
    return f"{date} {clock_text(rest)}{zone}{era}"


def microseconds_of(text: str) -> int:
    """Return the number that `timestamp_text` made *text* of.

    Raises:
        ValueError: It is no time.
    """
    if text in _NUMBERS[64]:
        return _NUMBERS[64][text]
    days, time = _split(text)
    return days * _DAY + (0 if time is None else clock_of(time)[0])


def clock_text(microseconds: int) -> str:
    """Return the time of day *microseconds* after midnight: `24:00:00` at its end."""
    hours, rest = divmod(microseconds, _HOUR)
    minutes, rest = divmod(rest, _MINUTE)
    seconds, fraction = divmod(rest, _SECOND)
    digits = f".{fraction:06d}".rstrip("0") if fraction else ""
    return f"{hours:02d}:{minutes:02d}:{seconds:02d}{digits}"


def clock_of(text: str) -> tuple[int, int]:
    """Return the microseconds since midnight that *text* spells, and the seconds of its offset, west of Greenwich.

    Raises:
        ValueError: It is no time of day.
    """
    found = _TIME.fullmatch(text)
    if found is None:
        raise ValueError(text)
    hours, minutes, seconds, fraction, sign, *offset = found.groups()
    clock = (
        int(hours) * _HOUR
        + int(minutes) * _MINUTE
        + int(seconds) * _SECOND
        + int((fraction or "0").ljust(6, "0"))
    )
    east = sum(int(part or 0) * size for part, size in zip(offset, (3600, 60, 1), strict=True))
    return clock, east if sign == "-" else -east


def offset_text(west: int) -> str:
    """Return the offset of a time *west* seconds behind UTC: `+02`, `-03:30`."""
    minutes, seconds = divmod(abs(west), 60)
    hours, minutes = divmod(minutes, 60)
    text = f"{'-' if west > 0 else '+'}{hours:02d}"
    if minutes or seconds:
        text += f":{minutes:02d}"
    return f"{text}:{seconds:02d}" if seconds else text


def interval_text(months: int, days: int, microseconds: int) -> str:
    """Return a duration as PostgreSQL spells it: `1 year -2 days +04:05:06`."""
    for infinity, numbers in _INFINITE_INTERVALS.items():
        if numbers == (months, days, microseconds):
            return infinity
    sign = -1 if months < 0 else 1
    years, rest = divmod(abs(months), 12)
    parts, is_negative = [], False
    for number, unit in ((sign * years, "year"), (sign * rest, "mon"), (days, "day")):
        if number:
            plus = "+" if is_negative and number > 0 else ""
            parts.append(f"{plus}{number} {unit}{'' if number == 1 else 's'}")
            is_negative = number < 0
    if microseconds or not parts:
        before = "-" if microseconds < 0 else "+" if is_negative else ""
        parts.append(before + clock_text(abs(microseconds)))
    return " ".join(parts)


def interval_of(text: str) -> tuple[int, int, int]:
    """Return the months, days and microseconds that `interval_text` made *text* of."""
    if text in _INFINITE_INTERVALS:
        return _INFINITE_INTERVALS[text]
    units = {"year": 0, "mon": 0, "day": 0}
    for number, unit in _UNITS.findall(text):
        units[unit] += int(number)
    clock = _CLOCK.search(text)
    microseconds = 0 if clock is None else clock_of(clock[2])[0]
    negative = clock is not None and clock[1] == "-"
    return units["year"] * 12 + units["mon"], units["day"], -microseconds if negative else microseconds


def _calendar(days: int) -> tuple[str, str]:
    """Return a date and what follows it, ` BC` before the first year."""
    cycles, rest = divmod(days + FIRST_DAY - 1, _CYCLE)
    date = datetime.date.fromordinal(rest + 1)
    year = date.year + 400 * cycles
    shown, era = (year, "") if year > 0 else (1 - year, " BC")
    return f"{shown:04d}-{date.month:02d}-{date.day:02d}", era


def _split(text: str) -> tuple[int, str | None]:
    """Return the days of the date in *text*, and its time of day."""
    found = _DATE.fullmatch(text)
    if found is None:
        raise ValueError(text)
    year, month, day, time, era = found.groups()
    number = 1 - int(year) if era else int(year)
    cycles, rest = divmod(number - 1, 400)
    date = datetime.date(rest + 1, int(month), int(day))
    return date.toordinal() + cycles * _CYCLE - FIRST_DAY, time
