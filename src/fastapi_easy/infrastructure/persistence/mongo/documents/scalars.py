"""Single values ↔ BSON."""

import datetime
import decimal
import math
import re
import struct
from collections.abc import Callable
from typing import Any, Final, TypeAlias, assert_never

from bson import Decimal128, ObjectId
from bson.datetime_ms import DatetimeMS

from fastapi_easy.domain.field import Kind
from fastapi_easy.domain.values.limits import INTEGER_LIMITS
from fastapi_easy.domain.values.naive_times import in_utc

DECIMAL_DIGITS: Final = 34
"""Significant digits of a decimal (IEEE 754, decimal128)."""

_FLOOR_CONTEXT: Final = decimal.Context(
    prec=DECIMAL_DIGITS, rounding=decimal.ROUND_FLOOR, Emin=-6143, Emax=6144, traps=[]
)
_HEX: Final = re.compile(r"[0-9a-f]{24}")
_MICROSECOND: Final = datetime.timedelta(microseconds=1)
_BELOW_MIN_DATETIME: Final = DatetimeMS(INTEGER_LIMITS[0])
_MAX_DATETIME: Final = datetime.datetime(9999, 12, 31, 23, 59, 59, 999_000)  # noqa: DTZ001 - as for every time that is kept


_WIDE_CONTEXT: Final = decimal.Context(prec=200)
"""So wide that no product with a power of ten is rounded."""

_pack_halves: Final = struct.Struct("<QQ").pack
_SPECIAL_BITS: Final = 0x6000_0000_0000_0000
"""Both set in the upper half of an infinity, a NaN, and a number whose coefficient is encoded in the other way."""

_COEFFICIENT_MASK: Final = 0x0001_FFFF_FFFF_FFFF
_MAX_COEFFICIENT: Final = 10**DECIMAL_DIGITS - 1
_MIN_EXPONENT: Final = -6176
_MAX_EXPONENT: Final = 6111


Encoder: TypeAlias = Callable[[Any], Any]
"""Returns the BSON for a value. Raises `Unstorable`."""


class Unstorable(ValueError):
    """MongoDB cannot keep a value. Raised by every encoder here.

    Attributes:
        code: A stable word for programs.
    """

    def __init__(self, sentence: str, code: str = "out_of_range") -> None:
        self.code = code
        super().__init__(sentence)


def checked_encoder(kinds: type | tuple[type, ...], encode: Encoder) -> Encoder:
    """Wrap *encode* so that it rejects values of other types than *kinds*.

    A mapping in place of a scalar could hold operators, so it must never get as far as the server.
    """

    def checked(value: object) -> object:
        if not isinstance(value, kinds):
            raise Unstorable("Has another type than the field", "type")
        return encode(value)

    return checked


def encode_object_id(value: object) -> ObjectId:
    """Return the ObjectId that *value* spells, in the driver's own spelling only."""
    if not isinstance(value, str) or not _HEX.fullmatch(value):
        raise Unstorable("Must be 24 hexadecimal digits in lower case", "encode_object_id")
    return ObjectId(value)


def encode_text(value: object) -> str:
    """Return *value* as a plain `str`, if every character of it can be kept."""
    if not isinstance(value, str):
        raise Unstorable("Has another type than the field", "type")
    if "\x00" in value or (not value.isascii() and any("\ud800" <= each <= "\udfff" for each in value)):
        raise Unstorable("Holds a character that cannot be stored")
    # The driver rejects an enumeration of strings, or any other subclass of `str`.
    return str.__str__(value)


def encode_date(value: datetime.date) -> datetime.datetime:
    """Return midnight in UTC of the day *value*."""
    return datetime.datetime(value.year, value.month, value.day)  # noqa: DTZ001 - the driver takes naive for UTC


def encode_time(value: datetime.time) -> str:
    """Return *value* as a text that sorts as times do."""
    if value.tzinfo is not None:
        raise Unstorable("Must not have a time zone")
    return value.isoformat("microseconds")


def encode_datetime(value: datetime.datetime) -> datetime.datetime:
    """Return *value* in UTC, without what is finer than a millisecond."""
    try:
        aware = in_utc(value)
    except OverflowError:
        raise Unstorable("Is out of range in UTC") from None
    return aware.replace(tzinfo=None, microsecond=aware.microsecond // 1000 * 1000)


def encode_exact_datetime(value: datetime.datetime) -> datetime.datetime:
    """Return *value* in UTC, if it is not finer than a millisecond."""
    if value.microsecond % 1000:
        raise Unstorable("Must not be more precise than a millisecond")
    return encode_datetime(value)


def encode_duration(value: datetime.timedelta) -> int:
    """Return *value* in microseconds."""
    microseconds = value // _MICROSECOND
    if not INTEGER_LIMITS[0] <= microseconds <= INTEGER_LIMITS[1]:
        raise Unstorable("Is longer than can be stored")
    return microseconds


def encode_decimal(number: decimal.Decimal) -> Decimal128:
    """Encode *number*, which is finite, like `Decimal128(number)`, in a tenth of the time.

    Raises:
        decimal.DecimalException: It has too many digits.
    """
    exponent = number.as_tuple().exponent
    if isinstance(exponent, int) and _MIN_EXPONENT <= exponent <= _MAX_EXPONENT:
        coefficient = abs(int(number.scaleb(-exponent, _WIDE_CONTEXT)))
        if coefficient <= _MAX_COEFFICIENT:
            # The binary integer decimal (BID) layout: sign, 14 bits of exponent, 113 bits of coefficient.
            high = exponent - _MIN_EXPONENT << 49 | coefficient >> 64 | number.is_signed() << 63
            return Decimal128.from_bid(_pack_halves(coefficient & 0xFFFF_FFFF_FFFF_FFFF, high))
    return Decimal128(number)


def decode_decimal(kept: Decimal128) -> decimal.Decimal:
    """Decode *kept* like `Decimal128.to_decimal`, which puts the number together digit by digit."""
    high, low = kept.__getstate__()
    coefficient = (high & _COEFFICIENT_MASK) << 64 | low
    if high & _SPECIAL_BITS == _SPECIAL_BITS or coefficient > _MAX_COEFFICIENT:
        return kept.to_decimal()
    found = decimal.Decimal(coefficient).scaleb((high >> 49 & 0x3FFF) + _MIN_EXPONENT, _WIDE_CONTEXT)
    return found.copy_negate() if high >> 63 else found


def encode_float(value: float) -> float:
    """Return *value* as a float, if it equals anything: NaN does not."""
    found = float(value)
    if math.isnan(found):
        raise Unstorable("Must not be NaN")
    return found


def encode_floor(kind: Kind, value: Any) -> Any:
    """Return the largest storable value that is not above *value*, for kinds that cannot keep every value."""
    match kind:
        case Kind.DATETIME:
            try:
                return encode_datetime(value)
            except Unstorable:
                # Within the calendar in its own time zone, but not in UTC.
                return _BELOW_MIN_DATETIME if value.year == datetime.MINYEAR else _MAX_DATETIME
        case Kind.DECIMAL:
            return Decimal128(_FLOOR_CONTEXT.plus(decimal.Decimal(value)))
        case Kind.DURATION:
            # Only one of many millennia does not fit into a long of microseconds.
            return INTEGER_LIMITS[1] if value > datetime.timedelta(0) else -math.inf
        case (
            Kind.TEXT
            | Kind.INTEGER
            | Kind.FLOAT
            | Kind.BOOLEAN
            | Kind.DATE
            | Kind.TIME
            | Kind.UUID
            | Kind.BINARY
            | Kind.ENUM
            | Kind.JSON
            | Kind.ARRAY
        ):
            raise ValueError(f"MongoDB keeps every value of the kind {kind.value}, or none near it")
        case never:
            assert_never(never)
