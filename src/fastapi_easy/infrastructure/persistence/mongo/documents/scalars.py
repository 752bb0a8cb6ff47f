"""Single values ↔ what BSON has for them."""

import datetime
import decimal
import math
import re
import struct
from collections.abc import Callable
from typing import Any, Final

from bson import Decimal128, ObjectId
from bson.datetime_ms import DatetimeMS

from fastapi_easy.domain.field import Kind
from fastapi_easy.domain.values.limits import INTEGER_LIMITS

DECIMAL_DIGITS: Final = 34
"""Significant digits of a decimal (IEEE 754, decimal128)."""

_FLOOR_CONTEXT: Final = decimal.Context(
    prec=DECIMAL_DIGITS, rounding=decimal.ROUND_FLOOR, Emin=-6143, Emax=6144, traps=[]
)
_HEX: Final = re.compile(r"[0-9a-f]{24}")
_MICROSECOND: Final = datetime.timedelta(microseconds=1)
_EPOCH: Final = datetime.datetime(1970, 1, 1)  # noqa: DTZ001 - as for every time that is kept
_EPOCH_IN_UTC: Final = _EPOCH.replace(tzinfo=datetime.UTC)
_BELOW_MIN_DATETIME: Final = DatetimeMS(INTEGER_LIMITS[0])
_MAX_DATETIME: Final = datetime.datetime(9999, 12, 31, 23, 59, 59, 999_000)  # noqa: DTZ001 - as for every time that is kept


_WIDE_CONTEXT: Final = decimal.Context(prec=200)
_pack_halves: Final = struct.Struct("<QQ").pack
_SPECIAL_BITS: Final = 0x6000_0000_0000_0000
"""Set in the upper half of what is no finite number, or written in another way."""

_COEFFICIENT_MASK: Final = 0x0001_FFFF_FFFF_FFFF
_MAX_COEFFICIENT: Final = 10**DECIMAL_DIGITS - 1
_MIN_EXPONENT: Final = -6176
_MAX_EXPONENT: Final = 6111


class Unstorable(ValueError):
    """MongoDB cannot keep a value. Raised by everything here.

    Attributes:
        code: A stable word for programs.
    """

    def __init__(self, sentence: str, code: str = "out_of_range") -> None:
        self.code = code
        super().__init__(sentence)


def checked_encoder(kinds: type | tuple[type, ...], encode: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """*encode* for values of *kinds*: a mapping in place of a scalar must never get as far as the server."""

    def checked(value: Any) -> Any:
        if not isinstance(value, kinds):
            raise Unstorable("Has another type than the field.", "type")
        return encode(value)

    return checked


def encode_object_id(value: Any) -> ObjectId:
    """The ObjectId that *value* spells, as the driver itself would spell it."""
    if not isinstance(value, str) or not _HEX.fullmatch(value):
        raise Unstorable("Must be 24 hexadecimal digits in lower case.", "encode_object_id")
    return ObjectId(value)


def text(value: Any) -> str:
    """*value*, if every character of it can be kept."""
    if not isinstance(value, str):
        raise Unstorable("Has another type than the field.", "type")
    if "\x00" in value or (not value.isascii() and any("\ud800" <= each <= "\udfff" for each in value)):
        raise Unstorable("Holds a character that cannot be stored.")
    # An enumeration of strings, or any other heir of `str`, would not be taken.
    return str.__str__(value)


def day(value: datetime.date) -> datetime.datetime:
    """Midnight in UTC."""
    return datetime.datetime(value.year, value.month, value.day)  # noqa: DTZ001 - the driver takes naive for UTC


def time(value: datetime.time) -> str:
    """*value* so that texts sort as times do."""
    if value.tzinfo is not None:
        raise Unstorable("Must not have a time zone.")
    return value.isoformat("microseconds")


def encode_datetime(value: datetime.datetime) -> datetime.datetime:
    """*value* in UTC, without what is finer than a millisecond."""
    try:
        aware = value.replace(tzinfo=datetime.UTC) if value.tzinfo is None else value.astimezone(datetime.UTC)
    except OverflowError:
        raise Unstorable("Is out of range in UTC.") from None
    return aware.replace(tzinfo=None, microsecond=aware.microsecond // 1000 * 1000)


def decode_datetime(kept: datetime.datetime) -> datetime.datetime:
    """*kept*, which the driver gives without an offset. A tenth of what `replace` takes."""
    return _EPOCH_IN_UTC + (kept - _EPOCH)


def encode_exact_datetime(value: datetime.datetime) -> datetime.datetime:
    """*value* in UTC, if it is not finer than a millisecond."""
    if value.microsecond % 1000:
        raise Unstorable("Must not be more precise than a millisecond.")
    return encode_datetime(value)


def encode_duration(value: datetime.timedelta) -> int:
    """Microseconds."""
    microseconds = value // _MICROSECOND
    if not INTEGER_LIMITS[0] <= microseconds <= INTEGER_LIMITS[1]:
        raise Unstorable("Is longer than can be stored.")
    return microseconds


def encode_decimal(number: decimal.Decimal) -> Decimal128:
    """*number*, which is finite, as it is kept. As `Decimal128(number)`, in a tenth of the time.

    Raises:
        decimal.DecimalException: It has too many digits.
    """
    exponent = number.as_tuple().exponent
    if isinstance(exponent, int) and _MIN_EXPONENT <= exponent <= _MAX_EXPONENT:
        coefficient = abs(int(number.scaleb(-exponent, _WIDE_CONTEXT)))
        if coefficient <= _MAX_COEFFICIENT:
            high = exponent - _MIN_EXPONENT << 49 | coefficient >> 64 | number.is_signed() << 63
            return Decimal128.from_bid(_pack_halves(coefficient & 0xFFFF_FFFF_FFFF_FFFF, high))
    return Decimal128(number)


def decode_decimal(kept: Decimal128) -> decimal.Decimal:
    """The same number. As `Decimal128.to_decimal`, which puts it together digit by digit."""
    high, low = kept.__getstate__()
    coefficient = (high & _COEFFICIENT_MASK) << 64 | low
    if high & _SPECIAL_BITS == _SPECIAL_BITS or coefficient > _MAX_COEFFICIENT:
        return kept.to_decimal()
    found = decimal.Decimal(coefficient).scaleb((high >> 49 & 0x3FFF) + _MIN_EXPONENT, _WIDE_CONTEXT)
    return found.copy_negate() if high >> 63 else found


def number(value: float) -> float:
    """*value*, if it equals anything."""
    found = float(value)
    if math.isnan(found):
        raise Unstorable("Must not be NaN.")
    return found


def encode_floor(kind: Kind, value: Any) -> Any:
    """The largest of what can be kept that is not above *value*, for kinds that cannot keep every value."""
    match kind:
        case Kind.DATETIME:
            try:
                return encode_datetime(value)
            except Unstorable:
                # In its own zone still, or already, in the calendar; in UTC not.
                return _BELOW_MIN_DATETIME if value.year == datetime.MINYEAR else _MAX_DATETIME
        case Kind.DECIMAL:
            return Decimal128(_FLOOR_CONTEXT.plus(decimal.Decimal(value)))
        case _:
            # A duration of many millennia.
            return INTEGER_LIMITS[1] if value > datetime.timedelta(0) else -math.inf
