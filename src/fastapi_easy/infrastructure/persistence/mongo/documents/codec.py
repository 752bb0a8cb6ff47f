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
| JSON | document, array or scalar, whose names have no `$` in front and no `.`; Extended JSON as what it stands for |

Other programs keep other types in the same fields: `decoding` says which of them are a value of the kind all the same.
"""

import datetime
import decimal
import enum
import math
import uuid
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final, assert_never

from bson import Binary, Decimal128, ObjectId

from fastapi_easy.domain.field import Field, Kind
from fastapi_easy.domain.values.limits import integer_limits
from fastapi_easy.infrastructure.entities.documents import DocumentType
from fastapi_easy.infrastructure.persistence.mongo.documents.decoding import (
    Decoder,
    array_decoder,
    decimal_decoder,
    decode_binary,
    decode_boolean,
    decode_date,
    decode_datetime,
    decode_duration,
    decode_float,
    decode_integer,
    decode_text,
    decode_time,
    decode_uuid,
    enum_decoder,
)
from fastapi_easy.infrastructure.persistence.mongo.documents.json_values import decode_json, encode_json
from fastapi_easy.infrastructure.persistence.mongo.documents.scalars import (
    DECIMAL_DIGITS,
    Encoder,
    Unstorable,
    checked_encoder,
    encode_date,
    encode_datetime,
    encode_decimal,
    encode_duration,
    encode_exact_datetime,
    encode_float,
    encode_object_id,
    encode_text,
    encode_time,
)
from fastapi_easy.infrastructure.persistence.mongo.documents.typed_json import typed_json

_WIDE_CONTEXT: Final = decimal.Context(prec=200, rounding=decimal.ROUND_HALF_UP)
"""Wide enough to round to the scale of a field before the digits are counted."""


def _no_other_forms(_: object) -> tuple[()]:
    return ()


@dataclass(frozen=True, slots=True)
class Codec:
    """The encoder and decoder of the values of one field. Null is kept as null, or by leaving the field out.

    Attributes:
        encode: Returns the BSON for a value. Raises `Unstorable`.

        decode: Returns the value for BSON, also for what other programs write in the same sense. Raises `NotOfKind`.

        types: MongoDB's names of the types that hold it; none for any.

        lower_bound: The least value of these types.

        encode_operand: Encodes a value that is only compared, whatever limits the field has. Raises `Unstorable` when
            no stored value can be equal to it.

        item: The codec of the items of an array.

        usual: The Python condition, about `kept`, that nearly all BSON in such a field fulfils and that `decode` would
            return as it is; empty where it returns something else.

        other_forms: Returns the BSON of other types that is decoded to the same value, though the server does not find
            it equal to what `encode` returns.
    """

    encode: Encoder
    decode: Decoder
    types: tuple[str, ...]
    lower_bound: Any
    encode_operand: Encoder
    item: "Codec | None" = None
    usual: str = ""
    other_forms: Callable[[Any], Iterable[Any]] = _no_other_forms


def make_codec(field: Field) -> Codec:  # noqa: C901, PLR0911, PLR0912 (a branch for each kind)
    """Make the codec for the values of *field*."""
    match field.kind:
        case Kind.TEXT if is_object_id(field):
            return _codec(
                encode_object_id, decode_text, ("objectId",), ObjectId("0" * 24), other_forms=_as_text
            )
        case Kind.TEXT:
            return _codec(
                _text_encoder(field.max_length),
                decode_text,
                ("string",),
                "",
                encode_operand=encode_text,
                usual="type(kept) is str",
                other_forms=_as_object_id,
            )
        case Kind.INTEGER:
            return _codec(
                _integer_encoder(field),
                decode_integer,
                ("int", "long"),
                -math.inf,
                encode_operand=_ENCODE_ANY_INTEGER,
                usual="type(kept) is int",
            )
        case Kind.DECIMAL:
            lower_bound = Decimal128("-Infinity")
            return _codec(
                _decimal_encoder(field),
                decimal_decoder(field.scale),
                ("decimal",),
                lower_bound,
                encode_operand=_ENCODE_ANY_DECIMAL,
                other_forms=_as_double,
            )
        case Kind.ENUM:
            return _enum_codec(field)
        case Kind.ARRAY:
            return _array_codec(field)
        case Kind.FLOAT:
            return _FLOAT
        case Kind.BOOLEAN:
            return _BOOLEAN
        case Kind.DATE:
            return _DATE
        case Kind.TIME:
            return _TIME
        case Kind.DATETIME:
            return _DATETIME
        case Kind.DURATION:
            return _DURATION
        case Kind.UUID:
            return _UUID
        case Kind.BINARY:
            return _BINARY
        case Kind.JSON if isinstance(field.document, DocumentType):
            return _codec(*typed_json(field.document.annotation), (), None)
        case Kind.JSON:
            return _JSON
        case never:
            assert_never(never)


def _codec(
    encode: Encoder,
    decode: Decoder,
    types: tuple[str, ...],
    lower_bound: Any,
    *,
    encode_operand: Encoder | None = None,
    usual: str = "",
    other_forms: Callable[[Any], Iterable[Any]] = _no_other_forms,
) -> Codec:
    return Codec(
        encode,
        decode,
        types,
        lower_bound,
        encode_operand or encode,
        usual=usual,
        other_forms=other_forms,
    )


def is_object_id(field: Field) -> bool:
    """Return whether *field* is a text that MongoDB keeps as an ObjectId."""
    return field.kind is Kind.TEXT and (field.generated or ObjectId in field.rules)


def _unchanged(value: uuid.UUID) -> uuid.UUID:
    return value


def _as_text(value: object) -> Iterable[str]:
    """Yield the text of the same letters, for a field that is kept as ObjectIds."""
    try:
        yield encode_text(value)
    except Unstorable:
        return


def _as_object_id(value: object) -> Iterable[ObjectId]:
    """Yield the ObjectId that the text *value* spells, if it does."""
    try:
        yield encode_object_id(value)
    except Unstorable:
        return


def _as_double(value: Any) -> Iterable[float]:
    """Yield the double that is shown as the decimal *value*, if it is another number."""
    number = decimal.Decimal(value) if isinstance(value, decimal.Decimal | int) else decimal.Decimal("NaN")
    if number.is_finite():
        nearest = float(number)
        if decimal.Decimal(nearest) != number and decimal.Decimal(str(nearest)) == number:
            yield nearest


def _text_encoder(max_length: int | None) -> Callable[[str], str]:
    def encode(value: str) -> str:
        kept = encode_text(value)
        if max_length is not None and len(kept) > max_length:
            raise Unstorable(f"Longer than {max_length} characters")
        return kept

    return encode_text if max_length is None else encode


def _integer_encoder(field: Field) -> Callable[[int], int]:
    low, high = integer_limits(field)

    def encode(value: int) -> int:
        if not low <= value <= high:
            raise Unstorable("Outside the range of the field")
        return int(value)

    return checked_encoder(int, encode)


def _decimal_encoder(field: Field) -> Callable[[decimal.Decimal], Decimal128]:
    unit = None if field.scale is None else decimal.Decimal(1).scaleb(-field.scale)
    digits = min(field.precision or DECIMAL_DIGITS, DECIMAL_DIGITS)

    def encode(value: decimal.Decimal | int) -> Decimal128:
        number = decimal.Decimal(value)
        if not number.is_finite():
            raise Unstorable("Must be a finite number")
        rounded = number if unit is None else _WIDE_CONTEXT.quantize(number, unit)
        if len(rounded.normalize(_WIDE_CONTEXT).as_tuple().digits) > digits:
            raise Unstorable("Has more digits than can be stored")
        try:
            return encode_decimal(rounded)
        except decimal.DecimalException:
            raise Unstorable("Has more digits than can be stored") from None

    return checked_encoder((decimal.Decimal, int), encode)


def _enum_codec(field: Field) -> Codec:
    enumeration: Any = (
        field.enumeration
    )  # an Enum class: calling it finds a member, which has no type of its own
    values = [member.value for member in enumeration]
    is_text = all(isinstance(value, str) for value in values)
    is_number = all(isinstance(value, int) and not isinstance(value, bool) for value in values)
    # BSON has no type for mixed values that sorts and compares as one, so then the names are kept.
    kept = {member: member.value if is_text or is_number else member.name for member in enumeration}
    members: dict[object, enum.Enum] = {value: member for member, value in kept.items()}

    def encode(value: object) -> object:
        try:
            return kept[enumeration(value)]
        except ValueError:
            raise Unstorable("Must be one of the values of the enumeration", "enum") from None

    return _codec(
        encode,
        enum_decoder(members, is_number=is_number),
        ("int", "long") if is_number else ("string",),
        -math.inf if is_number else "",
    )


def _array_codec(field: Field) -> Codec:
    item = make_codec(Field(name=field.name, kind=field.item or Kind.TEXT, rules=field.item_rules))

    def encode_items(value: Sequence[object]) -> list[object]:
        return [item.encode(each) for each in value]

    encode = checked_encoder((list, tuple), encode_items)
    return Codec(encode, array_decoder(item.decode), ("array",), [], encode, item)


_ENCODE_ANY_INTEGER: Final = _integer_encoder(Field(name="any", kind=Kind.INTEGER))
_ENCODE_ANY_DECIMAL: Final = _decimal_encoder(Field(name="any", kind=Kind.DECIMAL))
_EMPTY_BINARY: Final = Binary(b"", 0)
_FIRST_DAY: Final = datetime.datetime(1, 1, 1)  # noqa: DTZ001 - the driver takes naive times for UTC

_FLOAT: Final = _codec(
    checked_encoder((float, int), float),
    decode_float,
    ("double", "int", "long"),
    -math.inf,
    encode_operand=checked_encoder((float, int), encode_float),
    usual="type(kept) is float and -1.7976931348623157e308 <= kept <= 1.7976931348623157e308",
)
_BOOLEAN: Final = _codec(
    checked_encoder(bool, bool), decode_boolean, ("bool",), False, usual="type(kept) is bool"
)
_DATE: Final = _codec(checked_encoder(datetime.date, encode_date), decode_date, ("date",), _FIRST_DAY)
_TIME: Final = _codec(checked_encoder(datetime.time, encode_time), decode_time, ("string",), "")
_DATETIME: Final = _codec(
    checked_encoder(datetime.datetime, encode_datetime),
    decode_datetime,
    ("date",),
    _FIRST_DAY,
    encode_operand=checked_encoder(datetime.datetime, encode_exact_datetime),
)
_DURATION: Final = _codec(
    checked_encoder(datetime.timedelta, encode_duration),
    decode_duration,
    ("int", "long"),
    -math.inf,
)
_UUID: Final = _codec(
    checked_encoder(uuid.UUID, _unchanged),
    decode_uuid,
    ("binData",),
    _EMPTY_BINARY,
    usual="type(kept) is UUID",
)
_BINARY: Final = _codec(
    checked_encoder(bytes, bytes), decode_binary, ("binData",), _EMPTY_BINARY, usual="type(kept) is bytes"
)
_JSON: Final = _codec(encode_json, decode_json, (), None)
