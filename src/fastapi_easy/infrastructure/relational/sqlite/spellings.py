"""The values that texts in SQLite stand for, however they are spelled, and the form in which we store them.

SQLite compares texts: the same time in two spellings is two values to it. Where a column holds other spellings than
ours, statements compare its *normal form*: what we would have stored for the same value; what stands for no value stays
as it is. The functions of normal forms are registered with each connection. They take texts as bytes, which may be no
UTF-8, and never raise.
"""

import datetime
import decimal
import re
import uuid
from collections.abc import Callable, Mapping
from typing import Any, Final, TypeAlias

from fastapi_easy.domain.values.limits import MAX_BODY_DIGITS

NormalForm: TypeAlias = Callable[[Any], Any]
"""Returns the form in which we store the value that a text, given as bytes, spells; `None` for none."""

_TIME_OF_DAY: Final = r"[0-9]{2}:[0-9]{2}(?::[0-9]{2}(?:\.[0-9]{1,6}0*)?)?"
_DATETIME: Final = re.compile(
    rf"([0-9]{{4}}-[0-9]{{2}}-[0-9]{{2}})(?:[ Tt]({_TIME_OF_DAY})(?: ?([Zz]|[+-][0-9]{{2}}(?::?[0-9]{{2}})?))?)?",
    re.ASCII,
)
_DATE: Final = re.compile(
    r"([0-9]{4}-[0-9]{2}-[0-9]{2})(?:[ Tt]00:00(?::00(?:\.0+)?)?(?:[Zz]|[+-]00:?00)?)?", re.ASCII
)
_TIME: Final = re.compile(_TIME_OF_DAY, re.ASCII)
NUMBER: Final = re.compile(r"\s*[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]{1,4})?\s*", re.ASCII)
"""A text that is a number to SQLite."""

_EXACT_INTEGERS: Final = 2**53
"""Up to here every whole number is a double."""

_INTEGERS: Final = 2**63
_FRACTION: Final = 6
"""Digits of a second that a time of Python's holds."""


def read_datetime(stored: Any) -> datetime.datetime:
    """Return the point in time that *stored* spells; in UTC where it names no zone.

    Raises:
        ValueError: It spells none, or one that Python has no time for.
    """
    found = _DATETIME.fullmatch(_text(stored))
    if found is None:
        raise ValueError("not a time")
    date, time, zone = found.groups()
    moment = datetime.datetime.fromisoformat(f"{date}T{_shortened(time or '00:00')}{(zone or 'Z').upper()}")
    try:
        return moment.astimezone(datetime.UTC)
    except OverflowError:
        raise ValueError("in UTC before the first year, or after the last") from None


def read_date(stored: Any) -> datetime.date:
    """Return the date that *stored* spells, perhaps with midnight behind it.

    Raises:
        ValueError: It spells none, or a time of the day as well, which no date holds.
    """
    found = _DATE.fullmatch(_text(stored))
    if found is None:
        raise ValueError("not a date")
    return datetime.date.fromisoformat(found[1])


def read_time(stored: Any) -> datetime.time:
    """Return the time of day that *stored* spells.

    Raises:
        ValueError: It spells none.
    """
    if _TIME.fullmatch(_text(stored)) is None:
        raise ValueError("not a time of day")
    return datetime.time.fromisoformat(_shortened(stored))


def read_decimal(stored: Any) -> decimal.Decimal:
    """Return the number that *stored* is or spells; of a float the shortest that names it.

    Raises:
        ValueError: It is none, or one with more digits than numbers are written with.
    """
    if type(stored) is float:
        stored = repr(stored)
        if "e" not in stored and "n" not in stored:
            # Neither far from 1, nor infinite: most are like that, and need no further look.
            return decimal.Decimal(stored)
    elif type(stored) is int:
        return decimal.Decimal(stored)
    if NUMBER.fullmatch(_text(stored)) is None:
        raise ValueError("not a number")
    number = decimal.Decimal(stored)
    if number and abs(number.adjusted()) > MAX_BODY_DIGITS:
        raise ValueError("too many digits")
    return number


def read_uuid(stored: Any) -> uuid.UUID:
    """Return the UUID that *stored* spells, with dashes or without, or is in bytes.

    Raises:
        ValueError: It is none.
    """
    return uuid.UUID(bytes=stored) if isinstance(stored, bytes) else uuid.UUID(_text(stored))


def write_datetime(moment: datetime.datetime) -> str:
    """Spell *moment*, which is in UTC or without a zone, as we store it."""
    return moment.replace(tzinfo=None).isoformat(" ", "microseconds")


def write_time(time: datetime.time) -> str:
    """Spell *time* as we store it."""
    return time.replace(tzinfo=None).isoformat("microseconds")


def nearest_number(number: decimal.Decimal) -> int | float:
    """Return what statements compare *number* as: exactly, if it can be stored, else as the nearest number."""
    if _EXACT_INTEGERS < abs(number) < _INTEGERS and number == int(number):
        return int(number)
    return float(number)


def _normal(read: Callable[[Any], Any], write: Callable[[Any], Any]) -> NormalForm:
    def normal(stored: Any) -> Any:
        try:
            return write(read(stored.decode()))
        except (AttributeError, ValueError):
            # Null, a text that is no UTF-8, or one that stands for no value.
            return None

    return normal


NORMAL_FORMS: Final[Mapping[str, NormalForm]] = {
    "datetime_form": _normal(read_datetime, write_datetime),
    "date_form": _normal(read_date, datetime.date.isoformat),
    "time_form": _normal(read_time, write_time),
    "number_form": _normal(read_decimal, nearest_number),
    "uuid_form": _normal(read_uuid, lambda value: value.hex),
    "dashed_uuid_form": _normal(read_uuid, str),
}
"""The functions that statements call, by name (see `normal_form`)."""


def _text(stored: Any) -> str:
    if not isinstance(stored, str):
        raise ValueError("not a text")  # noqa: TRY004 - one error for all that cannot be read
    return stored


def _shortened(time: str) -> str:
    """Return *time* without zeros that Python's times have no room for."""
    whole, point, fraction = time.partition(".")
    return f"{whole}{point}{fraction[:_FRACTION]}"
