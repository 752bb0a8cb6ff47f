"""Text, JSON and Python objects become values of a field's type. Strict: nothing is guessed, rounded or repaired."""

import datetime
import enum
import math
import re
import uuid
from collections.abc import Callable
from decimal import Decimal
from typing import Any, Final, Never, TypeAlias, assert_never

from fastapi_easy.domain.field import Field, Kind

_TextParser: TypeAlias = Callable[[Field, str], object]

_INT64: Final = 2**63
# Bounded: Python takes quadratic time for the digits of a long number, and callers choose how many they send.
_INTEGER: Final = re.compile(r"-?[0-9]{1,40}", re.ASCII)
_DECIMAL: Final = re.compile(r"-?[0-9]{1,40}(\.[0-9]{1,40})?", re.ASCII)
_DECIMAL_OF_ANY_LENGTH: Final = re.compile(r"-?[0-9]+(\.[0-9]+)?", re.ASCII)
_FLOAT: Final = re.compile(r"-?[0-9]{1,40}(\.[0-9]{1,40})?([eE][+-]?[0-9]{1,3})?", re.ASCII)
_DATE: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", re.ASCII)
_TIME: Final = re.compile(r"[0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]{1,6})?)?", re.ASCII)
_DATETIME: Final = re.compile(
    r"([0-9]{4}-[0-9]{2}-[0-9]{2})[Tt ]"
    r"([0-9]{2}:[0-9]{2}(?::[0-9]{2}(?:\.[0-9]{1,6})?)?)"
    r"([Zz]|[+ -][0-9]{2}:[0-9]{2})?",
    re.ASCII,
)
_DURATION: Final = re.compile(
    r"(-)?P(?:([0-9]{1,9})D)?(?:T(?:([0-9]{1,9})H)?(?:([0-9]{1,9})M)?(?:([0-9]{1,9})(?:\.([0-9]{1,6}))?S)?)?",
    re.ASCII,
)
_UUID: Final = re.compile(r"[0-9a-fA-F]{8}-?([0-9a-fA-F]{4}-?){3}[0-9a-fA-F]{12}", re.ASCII)
_TRUTH: Final = {"true": True, "1": True, "false": False, "0": False}
# What a float keeps of any decimal (sys.float_info.dig): a number may have been one on its way here.
_SAFE_DIGITS: Final = 15
_JSON_TYPES: Final = frozenset({str, int, float, bool, Decimal, type(None)})


class ParseError(ValueError):
    """A value is not of the field's type, or out of its range. Never carries the value.

    Attributes:
        code: A stable word for programs.
    """

    def __init__(self, message: str, code: str) -> None:
        self.code = code
        super().__init__(message)


def parse_text(field: Field, text: str) -> Any:
    """Parse *text*, as in a query string or a path, to a value of *field*.

    Raises:
        ParseError: It spells none.
    """
    if "\x00" in text or not (text.isprintable() or _is_encodable(text)):
        raise ParseError("Must be valid Unicode text without NUL", "unsafe_text")
    try:
        return _FROM_TEXT[field.kind](field, text)
    except (ValueError, OverflowError) as error:
        if isinstance(error, ParseError):
            raise
        raise ParseError(f"Must be a valid {field.kind}", f"{field.kind}_parsing") from None


def parse_json_value(field: Field, value: Any) -> Any:
    """Parse the JSON scalar *value*, as in a `where` tree, to a value of *field*.

    Raises:
        ParseError: It stands for none.
    """
    match field.kind, value:
        case (Kind.BOOLEAN, bool()) | (Kind.JSON, _):
            return value
        case _, bool():
            raise ParseError(f"Must be a valid {field.kind}", f"{field.kind}_type")
        case Kind.INTEGER, int():
            return _check_range(field, value)
        case Kind.FLOAT, int() | float() | Decimal():
            return _to_finite_float(value)
        case Kind.DECIMAL, int() | float() | Decimal():
            number = Decimal(repr(value)) if isinstance(value, float) else Decimal(value)
            # Measured first: written out, 1e999999999 would fill the memory.
            return Decimal(format(_check_digits(field, number), "f"))
        case Kind.ENUM, int() | float() | Decimal() if field.enumeration is not None:
            return _member(field.enumeration, value)
        case ((Kind.BOOLEAN | Kind.INTEGER | Kind.FLOAT), _):
            raise ParseError(f"Must be a valid {field.kind}", f"{field.kind}_type")
        case _, str():
            return parse_text(field, value)
        case _:
            raise ParseError(f"Must be a valid {field.kind}", f"{field.kind}_type")


def parse_value(field: Field, value: Any) -> Any:
    """Read the value of *field* that *value* is, or stands for as JSON: what Python code says in a query.

    Raises:
        ParseError: It is of another type, or out of range.
    """
    if type(value) in _JSON_TYPES:
        return parse_json_value(field, value)
    match field.kind, value:
        case Kind.ENUM, enum.Enum() if field.enumeration is type(value):
            return value
        case _, enum.Enum():
            return parse_value(field, value.value)
        case Kind.DATETIME, datetime.datetime():
            return _to_utc(value)
        case Kind.DATE, datetime.date() if not isinstance(value, datetime.datetime):
            return value
        case Kind.TIME, datetime.time() if value.tzinfo is None:
            return value
        case (Kind.DURATION, datetime.timedelta()) | (Kind.UUID, uuid.UUID()):
            return value
        case _:
            return parse_json_value(field, value)


def to_json_value(value: object) -> str | int | float | None:
    """Return a JSON scalar from which `parse_json_value` makes *value* again."""
    match value:
        case enum.Enum():  # first: it may be an integer as well
            scalar: str | int | float | None = value.value
            return scalar
        case None | bool() | int() | float():
            return value
        case Decimal():
            return format(value, "f")
        case datetime.datetime():
            return value.astimezone(datetime.UTC).isoformat()
        case datetime.date() | datetime.time():
            return value.isoformat()
        case datetime.timedelta():
            return _write_duration(value)
        case _:
            return str(value)


def from_json_value(field: Field, value: Any) -> Any:
    """Return the value of *field* from which `to_json_value` made *value*, also where callers may not write it.

    Raises:
        ParseError: It was made from a value of another type.
    """
    match field.kind, value:
        case _, bool():
            return parse_json_value(field, value)
        case (_, None) | (Kind.TEXT, str()) | (Kind.INTEGER, int()) | (Kind.FLOAT, float()):
            return value
        case Kind.DECIMAL, str() if _DECIMAL_OF_ANY_LENGTH.fullmatch(value):
            return Decimal(value)
        case _:
            return parse_json_value(field, value)


def format_text(value: object) -> str:
    """Return text from which `parse_text` makes *value* again."""
    written = to_json_value(value)
    return ("true" if written else "false") if isinstance(written, bool) else str(written)


def _is_encodable(text: str) -> bool:
    try:
        _ = text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _check_range(field: Field, number: int) -> int:
    low = -_INT64 if field.minimum is None else field.minimum
    high = _INT64 - 1 if field.maximum is None else field.maximum
    if not low <= number <= high:
        raise ParseError(f"Must be between {low} and {high}", "out_of_range")
    return number


def _integer(field: Field, text: str) -> int:
    if not _INTEGER.fullmatch(text):
        raise ParseError("Must be a whole number", "integer_parsing")
    return _check_range(field, int(text))


def _decimal(field: Field, text: str) -> Decimal:
    if not _DECIMAL.fullmatch(text):
        raise ParseError("Must be a decimal number", "decimal_parsing")
    return _check_digits(field, Decimal(text))


def _check_digits(field: Field, number: Decimal) -> Decimal:
    if not number.is_finite():
        raise ParseError("Must be a finite number", "finite_number")
    exponent = int(number.as_tuple().exponent)
    digits = max(len(number.as_tuple().digits) + max(exponent, 0), -exponent)
    allowed = max(field.precision or _SAFE_DIGITS, _SAFE_DIGITS)
    if digits > allowed:
        raise ParseError(f"Must have at most {allowed} digits", "decimal_max_digits")
    return number


def _to_finite_float(number: float | Decimal) -> float:
    try:
        nearest = float(number)
    except OverflowError:  # an integer beyond every float
        nearest = math.inf
    if not math.isfinite(nearest):
        raise ParseError("Must be a finite number", "finite_number")
    return nearest


def _float(field: Field, text: str) -> float:
    if not _FLOAT.fullmatch(text):
        raise ParseError("Must be a number", "float_parsing")
    return _to_finite_float(float(text))


def _boolean(field: Field, text: str) -> bool:
    if text not in _TRUTH:
        raise ParseError("Must be true or false", "boolean_parsing")
    return _TRUTH[text]


def _date(field: Field, text: str) -> datetime.date:
    if not _DATE.fullmatch(text):
        raise ParseError("Must be a date like 2026-11-23", "date_parsing")
    return datetime.date.fromisoformat(text)


def _time(field: Field, text: str) -> datetime.time:
    if not _TIME.fullmatch(text):
        raise ParseError("Must be a time like 08:30:00", "time_parsing")
    return datetime.time.fromisoformat(text)


def _datetime(field: Field, text: str) -> datetime.datetime:
    found = _DATETIME.fullmatch(text)
    if found is None:
        raise ParseError("Must be a time like 2026-11-23T08:30:00Z", "datetime_parsing")
    date, time, offset = found.groups()
    if offset is None:
        raise _missing_offset_error()
    # An unescaped plus arrives from a query string as a space.
    zone = "+00:00" if offset in "Zz" else offset.replace(" ", "+")
    return datetime.datetime.fromisoformat(f"{date}T{time}{zone}").astimezone(datetime.UTC)


def _to_utc(time: datetime.datetime) -> datetime.datetime:
    if time.utcoffset() is None:
        raise _missing_offset_error()
    try:
        return time.astimezone(datetime.UTC)
    except OverflowError:  # in UTC it would be before the first year, or after the last
        raise ParseError(f"Must be a valid {Kind.DATETIME}", f"{Kind.DATETIME}_parsing") from None


def _missing_offset_error() -> ParseError:
    return ParseError("Must include a UTC offset, like Z or +01:00", "timezone_aware")


def _duration(field: Field, text: str) -> datetime.timedelta:
    found = _DURATION.fullmatch(text)
    if found is None or text.endswith(("P", "T")):
        raise ParseError("Must be an ISO 8601 duration like P1DT2H", "duration_parsing")
    sign, *parts, fraction = found.groups()
    days, hours, minutes, seconds = (int(part or 0) for part in parts)
    length = datetime.timedelta(
        days=days,
        hours=hours,
        minutes=minutes,
        seconds=seconds,
        microseconds=int((fraction or "0").ljust(6, "0")),
    )
    return -length if sign else length


def _write_duration(length: datetime.timedelta) -> str:
    sign, whole = ("-", -length) if length < datetime.timedelta() else ("", length)
    return f"{sign}P{whole.days}DT{whole.seconds}.{whole.microseconds:06d}S"


def _uuid(field: Field, text: str) -> uuid.UUID:
    if not _UUID.fullmatch(text):
        raise ParseError("Must be a UUID", "uuid_parsing")
    return uuid.UUID(text)


def _member(enumeration: type[enum.Enum], value: object) -> enum.Enum:
    for member in enumeration:
        if member.value == value or str(member.value) == value:
            return member
    allowed = ", ".join(str(member.value) for member in enumeration)
    raise ParseError(f"Must be one of {allowed}", "enum")


def _enum(field: Field, text: str) -> str | enum.Enum:
    return text if field.enumeration is None else _member(field.enumeration, text)


def _text(field: Field, text: str) -> str:
    return text


def _reject_kind(field: Field, text: str) -> Never:
    raise ParseError(f"A {field.kind} cannot be given as text", f"{field.kind}_type")


def _text_parser(kind: Kind) -> _TextParser:  # noqa: C901, PLR0911, PLR0912 - a table that mypy knows to be total
    match kind:
        case Kind.TEXT:
            return _text
        case Kind.INTEGER:
            return _integer
        case Kind.DECIMAL:
            return _decimal
        case Kind.FLOAT:
            return _float
        case Kind.BOOLEAN:
            return _boolean
        case Kind.DATE:
            return _date
        case Kind.TIME:
            return _time
        case Kind.DATETIME:
            return _datetime
        case Kind.DURATION:
            return _duration
        case Kind.UUID:
            return _uuid
        case Kind.ENUM:
            return _enum
        case Kind.BINARY | Kind.JSON | Kind.ARRAY:
            return _reject_kind
        case _:
            assert_never(kind)


_FROM_TEXT: Final = {kind: _text_parser(kind) for kind in Kind}
