"""How each kind of field is read: a value of its own Python type as it is, anything else as JSON would be."""

import base64
import binascii
import datetime
import enum
import json
import math
import re
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Annotated, Any, Final

import annotated_types
import pydantic
from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

from fastapi_easy.domain.field import Field, Kind
from fastapi_easy.domain.values.kind_schemas import (
    TEXT_DOCUMENTS,
    WITHOUT_NUL,
    bytes_document,
    decimal_document,
)
from fastapi_easy.domain.values.value_parsing import Unreadable, read_text

_DECIMAL: Final = re.compile(r"-?[0-9]{1,100}(\.[0-9]{1,100})?", re.ASCII)
_LARGEST_FLOAT: Final = 1.7976931348623157e308
_MOST_DIGITS: Final = 100

_WITHOUT_NUL: Final = pydantic.Field(json_schema_extra={"pattern": WITHOUT_NUL})


@dataclass(frozen=True, slots=True)
class Reads:
    """Annotation metadata: makes the value of a field, before pydantic's own rules see it.

    Attributes:
        read: Makes the value; raises `Unreadable`.

        document: Makes the JSON Schema of what it reads from that of the value.
    """

    read: Callable[[Any], Any]
    document: Callable[[dict[str, Any]], dict[str, Any]]

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        """Run *read* in front of everything else that is said of the field."""
        return core_schema.no_info_before_validator_function(self._checked, handler(source))

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        """Describe what callers may send."""
        return self.document(handler(schema))

    def _checked(self, value: Any) -> Any:
        try:
            return self.read(value)
        except Unreadable as error:
            # Braces would be taken for placeholders.
            raise PydanticCustomError(error.code, str(error).replace("{", "(").replace("}", ")")) from None


def input_type(field: Field) -> Any:
    """Return what callers may give for *field*, as an annotation for pydantic's validator and JSON Schema."""
    python_type: Any = Any if field.kind is Kind.JSON else field.python_type
    rules: list[Any] = [*_bounds(field), *field.rules]
    if field.kind is Kind.ARRAY:
        python_type = list[input_type(_item(field))]  # type: ignore[misc]
    elif (reads := _reads(field)) is not None:
        # The last one in the list is asked first.
        rules.append(reads)
    annotation = Annotated[(python_type, *rules)] if rules else python_type
    if field.nullable and field.kind is not Kind.JSON:
        annotation = annotation | None
    elif field.kind is Kind.JSON and not field.nullable:
        annotation = Annotated[annotation, pydantic.AfterValidator(_not_null)]
    return annotation


def _item(field: Field) -> Field:
    return Field(name=field.name, kind=field.item or Kind.TEXT)


def _bounds(field: Field) -> list[Any]:
    rules: list[Any] = []
    if field.kind in {Kind.TEXT, Kind.BINARY, Kind.ARRAY}:
        if field.min_length is not None:
            rules.append(annotated_types.MinLen(field.min_length))
        if field.max_length is not None:
            rules.append(annotated_types.MaxLen(field.max_length))
        if field.kind is Kind.TEXT and not any(getattr(rule, "pattern", None) for rule in field.rules):
            rules.append(_WITHOUT_NUL)
    elif field.kind is Kind.INTEGER:
        # 64 bits where nothing else is said: JSON of most callers and every store ends there.
        rules.append(annotated_types.Ge(-(2**63) if field.minimum is None else field.minimum))
        rules.append(annotated_types.Le(2**63 - 1 if field.maximum is None else field.maximum))
    elif field.kind is Kind.DECIMAL and field.precision is not None:
        rules.append(pydantic.Field(max_digits=field.precision, decimal_places=field.scale or 0))
    return rules


def _not_null(value: Any) -> Any:
    if value is None:
        raise PydanticCustomError("null", "Must not be null")
    return value


def _reads(field: Field) -> Reads | None:
    match field.kind:
        case Kind.TEXT | Kind.INTEGER | Kind.BOOLEAN | Kind.ARRAY:
            return None
        case Kind.DECIMAL:
            return Reads(_decimal, lambda inner: decimal_document(field, inner))
        case Kind.FLOAT:
            return Reads(
                _float, lambda inner: {"minimum": -_LARGEST_FLOAT, "maximum": _LARGEST_FLOAT, **inner}
            )
        case Kind.DATE | Kind.TIME | Kind.DATETIME | Kind.DURATION | Kind.UUID:
            return Reads(_text_of(field), lambda inner: {**inner, **TEXT_DOCUMENTS[field.kind]})
        case Kind.BINARY:
            return Reads(_bytes, lambda _: bytes_document(field))
        case Kind.ENUM:
            return _enum(field)
        case Kind.JSON:
            return Reads(_json, lambda _: {})


def _text_of(field: Field) -> Callable[[Any], Any]:
    bare = replace(field, nullable=False, rules=())
    own, keep = _OWN[field.kind]

    def read(value: Any) -> Any:
        if isinstance(value, str):
            return read_text(bare, value)
        if isinstance(value, own):
            return keep(bare, value)
        raise Unreadable("Must be a string", "string_type")

    return read


def _date(field: Field, value: datetime.date) -> Any:
    return read_text(field, value.isoformat()) if isinstance(value, datetime.datetime) else value


def _time(field: Field, value: datetime.time) -> Any:
    return value if value.tzinfo is None else read_text(field, value.isoformat())


def _datetime(field: Field, value: datetime.date) -> Any:
    if not isinstance(value, datetime.datetime) or value.utcoffset() is None:
        return read_text(field, value.isoformat())
    try:
        return value.astimezone(datetime.UTC)
    except OverflowError:
        raise Unreadable("Must be a valid datetime", "datetime_parsing") from None


_OWN: Final[Mapping[Kind, tuple[type[Any], Callable[[Field, Any], Any]]]] = {
    Kind.DATE: (datetime.date, _date),
    Kind.TIME: (datetime.time, _time),
    # A date is no time, and is told so as its text would be.
    Kind.DATETIME: (datetime.date, _datetime),
    Kind.DURATION: (datetime.timedelta, lambda _, value: value),
    Kind.UUID: (uuid.UUID, lambda _, value: value),
}
"""What values of a kind that is text in JSON are in Python, and how they are taken."""


def _decimal(value: Any) -> Any:
    if isinstance(value, str):
        if not _DECIMAL.fullmatch(value):
            raise Unreadable("Must be a decimal number like 12.50", "decimal_parsing")
        return Decimal(value)
    if isinstance(value, float):
        # As JSON spells it: 0.1 and not the fraction nearest to it.
        value = Decimal(float.__repr__(value))
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        raise Unreadable("Must be a decimal number, as a string or a number", "decimal_type")
    number = Decimal(value)
    if len(number.as_tuple().digits) + abs(int(number.as_tuple().exponent)) > 2 * _MOST_DIGITS:
        raise Unreadable("Has too many digits", "decimal_max_digits")
    return number


def _float(value: Any) -> Any:
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        raise Unreadable("Must be a number", "float_type")
    try:
        number = float(value)
    except OverflowError:
        number = math.inf
    if not math.isfinite(number):
        raise Unreadable("Must be a finite number", "finite_number")
    return number


def _bytes(value: Any) -> bytes:
    if isinstance(value, str):
        try:
            return base64.b64decode(value, validate=True)
        except (binascii.Error, ValueError):
            raise Unreadable("Must be base64", "base64") from None
    if isinstance(value, bytes | bytearray | memoryview):
        return bytes(value)
    raise Unreadable("Must be a string in base64", "string_type")


def _enum(field: Field) -> Reads | None:
    enumeration = field.enumeration
    if enumeration is None:
        return None
    # By type and value, since True == 1 == 1.0 in Python and not in JSON.
    members = {(type(each.value), each.value): each for each in enumeration}
    values = [each.value for each in enumeration]
    refused = Unreadable(
        f"Must be one of {', '.join(json.dumps(each, default=str) for each in values)}", "enum"
    )

    def read(value: Any) -> enum.Enum:
        try:
            return members[type(value), value]
        except (KeyError, TypeError):
            if isinstance(value, enumeration):
                return value
            raise refused from None

    return Reads(read, lambda _: {"enum": values})


def _json(value: Any) -> Any:
    """Return *value* with ordinary floats in place of exact numbers, as every store knows them; changed in place."""
    kind = type(value)
    if kind is dict:
        for name, member in value.items():
            if type(member) is not str:
                value[name] = _json(member)
    elif kind is list:
        for place, item in enumerate(value):
            if type(item) is not str:
                value[place] = _json(item)
    elif kind is int:
        if not -(2**63) <= value < 2**64:
            raise Unreadable("Holds an integer of more than 64 bits", "int_range")
    elif kind not in _PLAIN:
        return _float_of(value)
    return value


_PLAIN: Final = frozenset({str, bool, float, type(None)})


def _float_of(value: Any) -> float:
    if not isinstance(value, Decimal):
        raise Unreadable("Holds what JSON cannot", "json_type")
    return float(value)
