"""One value ↔ what MongoDB keeps for it.

| kind | kept as |
|---|---|
| text | string; an ObjectId where the store makes the key, or the field is marked `Annotated[str, ObjectId]` |
| integer | int or long |
| decimal | decimal, with 34 digits at most |
| float, boolean | double, bool |
| date | date, at midnight UTC |
| datetime | date, which has milliseconds |
| time | string like `12:30:00.000000` |
| duration | long, in microseconds |
| UUID | binData of subtype 4 |
| binary | binData |
| enumeration | the value of the member if all are strings or all whole numbers, else its name |
| array | array |
| JSON | document, array or scalar, whose names have no `$` in front and no `.` |
"""

import datetime
import decimal
import enum
import math
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from bson import Binary, Decimal128, ObjectId

from fastapi_easy.domain.field import Field, Kind
from fastapi_easy.domain.values.limits import integer_limits
from fastapi_easy.infrastructure.persistence.mongo.documents.json_values import decode_json, encode_json
from fastapi_easy.infrastructure.persistence.mongo.documents.scalars import (
    DECIMAL_DIGITS,
    Unstorable,
    checked_encoder,
    day,
    decode_datetime,
    decode_decimal,
    encode_datetime,
    encode_decimal,
    encode_duration,
    encode_exact_datetime,
    encode_object_id,
    number,
    text,
    time,
)

_WIDE_CONTEXT: Final = decimal.Context(prec=200, rounding=decimal.ROUND_HALF_UP)


@dataclass(frozen=True, slots=True)
class Codec:
    """How the values of one field are kept. Null is kept as null, or by leaving the field out.

    Attributes:
        encode: What is kept for a value. Raises `Unstorable`.

        decode: The value that is kept so, or that somebody else wrote in the same sense.

        types: What MongoDB calls the types that hold it; none for any.

        lower_bound: Nothing of these types comes before it.

        exact: What is kept for a value that is only compared, whatever limits the field has. Raises `Unstorable`
            when nothing that is kept can be equal to it.

        item: How the items of an array are kept.
    """

    encode: Callable[[Any], Any]
    decode: Callable[[Any], Any]
    types: tuple[str, ...]
    lower_bound: Any
    exact: Callable[[Any], Any]
    item: "Codec | None" = None


def make_codec(field: Field) -> Codec:
    """The codec for the values of *field*."""
    match field.kind:
        case Kind.TEXT if is_object_id(field):
            return _codec(encode_object_id, str, ("objectId",), ObjectId("0" * 24))
        case Kind.TEXT:
            return _codec(_text_encoder(field.max_length), unchanged, ("string",), "", exact=text)
        case Kind.INTEGER:
            return _codec(_integer_encoder(field), int, ("int", "long"), -math.inf, exact=_ENCODE_ANY_INTEGER)
        case Kind.DECIMAL:
            lower_bound = Decimal128("-Infinity")
            return _codec(
                _decimal_encoder(field),
                _decimal_decoder(field.scale),
                ("decimal",),
                lower_bound,
                exact=_ENCODE_ANY_DECIMAL,
            )
        case Kind.ENUM:
            return _enum_codec(field)
        case Kind.ARRAY:
            return _array_codec(field)
        # Written out, so that a type checker names a kind that is missing.
        case Kind.FLOAT | Kind.BOOLEAN | Kind.DATE | Kind.TIME | Kind.DATETIME | Kind.DURATION:
            return _CODECS_BY_KIND[field.kind]
        case Kind.UUID | Kind.BINARY | Kind.JSON:
            return _CODECS_BY_KIND[field.kind]


def _codec(
    encode: Callable[[Any], Any],
    decode: Callable[[Any], Any],
    types: tuple[str, ...],
    lower_bound: Any,
    *,
    exact: Callable[[Any], Any] | None = None,
) -> Codec:
    return Codec(encode, decode, types, lower_bound, exact or encode)


def is_object_id(field: Field) -> bool:
    """Whether *field* is a text that MongoDB keeps as an ObjectId."""
    return field.kind is Kind.TEXT and (field.generated or ObjectId in field.rules)


def unchanged(value: Any) -> Any:
    """*value*, which is kept as it is."""
    return value


def _text_encoder(max_length: int | None) -> Callable[[str], str]:
    def encode(value: str) -> str:
        kept = text(value)
        if max_length is not None and len(kept) > max_length:
            raise Unstorable(f"Longer than {max_length} characters.")
        return kept

    return text if max_length is None else encode


def _integer_encoder(field: Field) -> Callable[[int], int]:
    low, high = integer_limits(field)

    def encode(value: int) -> int:
        if not low <= value <= high:
            raise Unstorable("Outside the range of the field.")
        return int(value)

    return checked_encoder(int, encode)


def _decimal_encoder(field: Field) -> Callable[[decimal.Decimal], Decimal128]:
    unit = None if field.scale is None else decimal.Decimal(1).scaleb(-field.scale)
    digits = min(field.precision or DECIMAL_DIGITS, DECIMAL_DIGITS)

    def encode(value: decimal.Decimal | int) -> Decimal128:
        number = decimal.Decimal(value)
        if not number.is_finite():
            raise Unstorable("Must be a finite number.")
        exact = number if unit is None else _WIDE_CONTEXT.quantize(number, unit)
        if len(exact.normalize(_WIDE_CONTEXT).as_tuple().digits) > digits:
            raise Unstorable("Has more digits than can be stored.")
        try:
            return encode_decimal(exact)
        except decimal.DecimalException:
            raise Unstorable("Has more digits than can be stored.") from None

    return checked_encoder((decimal.Decimal, int), encode)


def _decimal_decoder(scale: int | None) -> Callable[[Any], decimal.Decimal]:
    unit = None if scale is None else decimal.Decimal(1).scaleb(-scale)

    def decode(kept: Any) -> decimal.Decimal:
        number = decode_decimal(kept) if isinstance(kept, Decimal128) else decimal.Decimal(str(kept))
        if unit is None or number.same_quantum(unit) or not number.is_finite():
            return number
        return _WIDE_CONTEXT.quantize(number, unit)

    return decode


def _enum_codec(field: Field) -> Codec:
    enumeration: Any = field.enumeration
    values = [member.value for member in enumeration]
    is_text = all(isinstance(value, str) for value in values)
    is_number = all(isinstance(value, int) and not isinstance(value, bool) for value in values)
    kept = {member: member.value if is_text or is_number else member.name for member in enumeration}
    members: dict[Any, enum.Enum] = {value: member for member, value in kept.items()}

    def encode(value: Any) -> Any:
        try:
            return kept[enumeration(value)]
        except ValueError:
            raise Unstorable("Must be one of the values of the enumeration.", "enum") from None

    def decode(value: Any) -> enum.Enum:
        if value not in members:
            raise LookupError(f"{value!r} is stored in {field.name!r}, but is not a {enumeration.__name__}")
        return members[value]

    return _codec(
        encode, decode, ("int", "long") if is_number else ("string",), -math.inf if is_number else ""
    )


def _array_codec(field: Field) -> Codec:
    item = make_codec(Field(name=field.name, kind=field.item or Kind.TEXT))

    def items(value: Any) -> list[Any]:
        return [item.encode(each) for each in value]

    encode = checked_encoder((list, tuple), items)
    return Codec(encode, lambda kept: [item.decode(each) for each in kept], ("array",), [], encode, item)


_ENCODE_ANY_INTEGER: Final = _integer_encoder(Field(name="any", kind=Kind.INTEGER))
_ENCODE_ANY_DECIMAL: Final = _decimal_encoder(Field(name="any", kind=Kind.DECIMAL))
_EMPTY_BINARY: Final = Binary(b"", 0)
_FIRST_DAY: Final = datetime.datetime(1, 1, 1)  # noqa: DTZ001 - likewise

_CODECS_BY_KIND: Final[Mapping[Kind, Codec]] = {
    Kind.FLOAT: _codec(
        checked_encoder((float, int), float),
        float,
        ("double", "int", "long"),
        -math.inf,
        exact=checked_encoder((float, int), number),
    ),
    Kind.BOOLEAN: _codec(checked_encoder(bool, unchanged), bool, ("bool",), False),
    Kind.DATE: _codec(checked_encoder(datetime.date, day), lambda kept: kept.date(), ("date",), _FIRST_DAY),
    Kind.TIME: _codec(checked_encoder(datetime.time, time), datetime.time.fromisoformat, ("string",), ""),
    Kind.DATETIME: _codec(
        checked_encoder(datetime.datetime, encode_datetime),
        decode_datetime,
        ("date",),
        _FIRST_DAY,
        exact=checked_encoder(datetime.datetime, encode_exact_datetime),
    ),
    Kind.DURATION: _codec(
        checked_encoder(datetime.timedelta, encode_duration),
        lambda kept: datetime.timedelta(microseconds=kept),
        ("int", "long"),
        -math.inf,
    ),
    Kind.UUID: _codec(checked_encoder(uuid.UUID, unchanged), unchanged, ("binData",), _EMPTY_BINARY),
    Kind.BINARY: _codec(checked_encoder(bytes, bytes), bytes, ("binData",), _EMPTY_BINARY),
    Kind.JSON: _codec(encode_json, decode_json, (), None),
}
