"""Tortoise's fields → the kinds of their values with bounds, and the column types that hold them."""

from collections.abc import Callable, Mapping
from typing import Any, Final, TypeAlias

from sqlalchemy import (
    ARRAY,
    BigInteger,
    Boolean,
    Date,
    Double,
    Integer,
    LargeBinary,
    Numeric,
    SmallInteger,
    String,
    Text,
)
from tortoise import fields
from tortoise.contrib.postgres.fields import ArrayField
from tortoise.fields.data import CharEnumFieldInstance, IntEnumFieldInstance

from fastapi_easy.domain.field import Kind
from fastapi_easy.infrastructure.persistence.sqlalchemy.tables.field_type import FieldType
from fastapi_easy.infrastructure.persistence.tortoise.models.types import (
    AwareDateTime,
    DashedUuid,
    EnumNumber,
    EnumText,
    MicrosecondInterval,
    NaiveTime,
    TortoiseJson,
)
from fastapi_easy.infrastructure.relational.column_types import ColumnType

_Types: TypeAlias = tuple[FieldType, ColumnType]
"""The values of a field, and the column that holds them."""

_CONVERSIONS: Final = ("to_db_value", "to_python_value")

_ITEMS: Final[Mapping[str, tuple[Kind, type[ColumnType]]]] = {
    "INT": (Kind.INTEGER, Integer),
    "INTEGER": (Kind.INTEGER, Integer),
    "SMALLINT": (Kind.INTEGER, SmallInteger),
    "BIGINT": (Kind.INTEGER, BigInteger),
    "TEXT": (Kind.TEXT, Text),
    "VARCHAR": (Kind.TEXT, String),
    "BOOL": (Kind.BOOLEAN, Boolean),
    "BOOLEAN": (Kind.BOOLEAN, Boolean),
    "DATE": (Kind.DATE, Date),
    "DOUBLE PRECISION": (Kind.FLOAT, Double),
}


def _whole(bits: int) -> FieldType:
    return FieldType(kind=Kind.INTEGER, minimum=-(2 ** (bits - 1)), maximum=2 ** (bits - 1) - 1)


def _char_enum(field: Any) -> _Types:
    return FieldType(kind=Kind.ENUM, enumeration=field.enum_type), EnumText(field.enum_type, field.max_length)


def _int_enum(field: Any) -> _Types:
    return FieldType(kind=Kind.ENUM, enumeration=field.enum_type), EnumNumber(field.enum_type)


def _char(field: Any) -> _Types:
    length = field.max_length
    return FieldType(kind=Kind.TEXT, max_length=length, stored_length=length), String(length)


def _decimal(field: Any) -> _Types:
    precision, scale = int(field.max_digits), int(field.decimal_places)
    return FieldType(kind=Kind.DECIMAL, precision=precision, scale=scale), Numeric(precision, scale)


def _array(field: Any) -> _Types:
    kind, column_type = _ITEMS[field.element_type]
    return FieldType(kind=Kind.ARRAY, item=kind), ARRAY(column_type())


_WITH_ARGUMENTS: Final[Mapping[type[fields.Field[Any]], Callable[[Any], _Types]]] = {
    CharEnumFieldInstance: _char_enum,
    IntEnumFieldInstance: _int_enum,
    fields.CharField: _char,
    fields.DecimalField: _decimal,
    ArrayField: _array,
}
_WITHOUT_ARGUMENTS: Final[Mapping[type[fields.Field[Any]], tuple[FieldType, type[ColumnType]]]] = {
    fields.BigIntField: (_whole(64), BigInteger),
    fields.SmallIntField: (_whole(16), SmallInteger),
    fields.IntField: (_whole(32), Integer),
    fields.TextField: (FieldType(kind=Kind.TEXT), Text),
    fields.BooleanField: (FieldType(kind=Kind.BOOLEAN), Boolean),
    fields.DatetimeField: (FieldType(kind=Kind.DATETIME), AwareDateTime),
    fields.DateField: (FieldType(kind=Kind.DATE), Date),
    fields.TimeField: (FieldType(kind=Kind.TIME), NaiveTime),
    fields.TimeDeltaField: (FieldType(kind=Kind.DURATION), MicrosecondInterval),
    fields.FloatField: (FieldType(kind=Kind.FLOAT), Double),
    fields.JSONField: (FieldType(kind=Kind.JSON), TortoiseJson),
    fields.UUIDField: (FieldType(kind=Kind.UUID), DashedUuid),
    fields.BinaryField: (FieldType(kind=Kind.BINARY), LargeBinary),
}
_KNOWN: Final = (*_WITH_ARGUMENTS, *_WITHOUT_ARGUMENTS)
"""From the special to the general: an enumeration is a `CharField` or a `SmallIntField` as well."""


def field_type_of(field: fields.Field[Any]) -> FieldType | None:
    """Return what values of *field* are; `None` when no kind fits, or when the field converts them by itself."""
    types = _types_of(field)
    return None if types is None else types[0]


def column_type_of(field: fields.Field[Any]) -> ColumnType:
    """Return the type of the column for *field*, which `field_type_of` has a type for."""
    types = _types_of(field)
    if types is None:
        raise LookupError(f"no column type for {type(field).__name__}")
    return types[1]


def _types_of(field: fields.Field[Any]) -> _Types | None:
    known = next((cls for cls in _KNOWN if isinstance(field, cls)), None)
    if known is None or (known is ArrayField and getattr(field, "element_type", "") not in _ITEMS):
        return None
    # A subclass that converts values by itself may store anything.
    if any(getattr(type(field), name) is not getattr(known, name) for name in _CONVERSIONS):
        return None
    if known in _WITH_ARGUMENTS:
        return _WITH_ARGUMENTS[known](field)
    field_type, column_type = _WITHOUT_ARGUMENTS[known]
    return field_type, column_type()
