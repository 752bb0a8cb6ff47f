"""BSON → values, each kind from what MongoDB takes for the same value, and from nothing else.

Every decoder here raises `NotOfKind` for what would have to be changed: a text is no number, 2.5 no integer, 1 not
true. What the server finds equal to a value of the kind is that value: 2.0 and a whole decimal are integers.
"""

import datetime
import decimal
import enum
import math
from collections.abc import Callable, Mapping
from typing import Any, Final, TypeAlias
from uuid import UUID

from bson import Decimal128, ObjectId

from fastapi_easy.domain.values.limits import INTEGER_LIMITS
from fastapi_easy.infrastructure.persistence.mongo.documents.scalars import decode_decimal

Decoder: TypeAlias = Callable[[Any], Any]
"""Returns the value for BSON. Raises `NotOfKind`."""

_WIDE_CONTEXT: Final = decimal.Context(prec=200, rounding=decimal.ROUND_HALF_UP)
"""Wide enough to give a number the digits of its field."""

_MIDNIGHT: Final = datetime.time()
_EPOCH: Final = datetime.datetime(1970, 1, 1)  # noqa: DTZ001 - as for every time that is kept
_EPOCH_IN_UTC: Final = _EPOCH.replace(tzinfo=datetime.UTC)


class NotOfKind(ValueError):
    """A stored value is none that the kind of its field can hold."""


def decode_text(kept: object) -> str:
    """Return *kept*, a string, or an ObjectId as its 24 digits."""
    if type(kept) is str:
        return kept
    if isinstance(kept, ObjectId):
        return str(kept)
    raise NotOfKind


def decode_integer(kept: object) -> int:
    """Return the integer of 64 bits that *kept* is equal to."""
    number: float | decimal.Decimal
    match kept:
        case bool():
            raise NotOfKind
        case int():
            # A long is a subclass of `int` of the driver's own, which JSON encoders may not know.
            return int(kept)
        case float():
            number = kept
        case Decimal128():
            number = kept.to_decimal()
        case _:
            raise NotOfKind
    # Of a number with a great exponent nothing is computed before this. NaN is in no range.
    if INTEGER_LIMITS[0] <= _ordered(number) <= INTEGER_LIMITS[1] and number == int(number):
        return int(number)
    raise NotOfKind


def decode_float(kept: object) -> float:
    """Return the finite float that *kept* is equal to."""
    match kept:
        case bool():
            raise NotOfKind
        case int():
            found = float(kept)
            exact = found == kept
        case float():
            found, exact = kept, True
        case Decimal128():
            number = kept.to_decimal()
            found = float(number) if number.is_finite() else math.nan
            exact = math.isfinite(found) and decimal.Decimal(found) == number
        case _:
            raise NotOfKind
    if exact and math.isfinite(found):
        return found
    raise NotOfKind


def decode_boolean(kept: object) -> bool:
    """Return *kept*, if it is true or false."""
    if isinstance(kept, bool):
        return kept
    raise NotOfKind


def decimal_decoder(scale: int | None) -> Decoder:
    """Build the decoder of decimals with *scale* digits after the point; with more where more are kept."""
    unit = None if scale is None else decimal.Decimal(1).scaleb(-scale)

    def decode(kept: object) -> decimal.Decimal:
        match kept:
            case Decimal128():
                number = decode_decimal(kept)
            case bool():
                raise NotOfKind
            case int():
                number = decimal.Decimal(kept)
            case float():
                # What everybody means by the double nearest to 9.99.
                number = decimal.Decimal(str(kept))
            case _:
                raise NotOfKind
        if unit is None or number.same_quantum(unit):
            return _finite(number)
        if number.adjusted() > _WIDE_CONTEXT.prec // 2 or not number.is_finite():
            return _finite(number)
        # The same number of digits after the point from every store: 1.50 and not 1.5.
        rounded = _WIDE_CONTEXT.quantize(number, unit)
        return rounded if rounded == number else number

    return decode


def decode_date(kept: object) -> datetime.date:
    """Return the day that begins at *kept*."""
    if isinstance(kept, datetime.datetime) and kept.time() == _MIDNIGHT:
        return kept.date()
    raise NotOfKind


def decode_datetime(kept: object) -> datetime.datetime:
    """Make *kept*, which the driver gives without an offset, aware. A sum takes a tenth of what `replace` does."""
    if isinstance(kept, datetime.datetime):
        return _EPOCH_IN_UTC + (kept - _EPOCH)
    raise NotOfKind


def decode_time(kept: object) -> datetime.time:
    """Return the time that *kept* spells as `encode_time` does; another spelling is another text to the server."""
    if type(kept) is str:
        try:
            found = datetime.time.fromisoformat(kept)
        except ValueError:
            raise NotOfKind from None
        if found.isoformat("microseconds") == kept:
            return found
    raise NotOfKind


def decode_duration(kept: object) -> datetime.timedelta:
    """Return the duration of *kept* microseconds."""
    return datetime.timedelta(microseconds=decode_integer(kept))


def decode_uuid(kept: object) -> UUID:
    """Return *kept*, if it is a UUID of the standard's subtype."""
    if isinstance(kept, UUID):
        return kept
    raise NotOfKind


def decode_binary(kept: object) -> bytes:
    """Return the bytes of *kept*, whatever their subtype."""
    if isinstance(kept, bytes):
        return bytes(kept)
    raise NotOfKind


def enum_decoder(members: Mapping[object, enum.Enum], *, is_number: bool) -> Decoder:
    """Build the decoder of the *members* of an enumeration by the values that are kept for them."""

    def decode(kept: object) -> enum.Enum:
        found = members.get(decode_integer(kept) if is_number else kept if type(kept) is str else None)
        if found is None:
            raise NotOfKind
        return found

    return decode


def array_decoder(decode: Decoder) -> Decoder:
    """Build the decoder of arrays whose items *decode* reads, all of them or none."""

    def decode_items(kept: object) -> list[object]:
        if not isinstance(kept, list):
            raise NotOfKind
        return [decode(each) for each in kept]

    return decode_items


def _finite(number: decimal.Decimal) -> decimal.Decimal:
    if number.is_finite():
        return number
    raise NotOfKind


def _ordered(number: float | decimal.Decimal) -> float | decimal.Decimal:
    """Return *number*, or infinity in place of NaN, which a decimal does not compare without an error."""
    return math.inf if number != number else number  # noqa: PLR0124 - so NaN is known
