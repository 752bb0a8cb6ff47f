"""Tortoise's fields → kinds with their bounds, and the column types that hold them."""

from collections.abc import Callable, Mapping
from typing import Any, Final

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
from fastapi_easy.infrastructure.persistence.sqlalchemy.tables.kinds import FieldType
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

_KNOWN: Final[tuple[type[Any], ...]] = (
    CharEnumFieldInstance,
    IntEnumFieldInstance,
    fields.BigIntField,
    fields.SmallIntField,
    fields.IntField,
    fields.CharField,
    fields.TextField,
    fields.BooleanField,
    fields.DecimalField,
    fields.DatetimeField,
    fields.DateField,
    fields.TimeField,
    fields.TimeDeltaField,
    fields.FloatField,
    fields.JSONField,
    fields.UUIDField,
    fields.BinaryField,
    ArrayField,
)
"""From the special to the general."""

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

_FIELD_TYPES: Final[Mapping[type[Any], Callable[[Any], FieldType]]] = {
    CharEnumFieldInstance: lambda field: FieldType(kind=Kind.ENUM, enumeration=field.enum_type),
    IntEnumFieldInstance: lambda field: FieldType(kind=Kind.ENUM, enumeration=field.enum_type),
    fields.BigIntField: lambda _: _whole(64),
    fields.SmallIntField: lambda _: _whole(16),
    fields.IntField: lambda _: _whole(32),
    fields.CharField: lambda field: FieldType(kind=Kind.TEXT, max_length=field.max_length),
    fields.TextField: lambda _: FieldType(kind=Kind.TEXT),
    fields.BooleanField: lambda _: FieldType(kind=Kind.BOOLEAN),
    fields.DecimalField: lambda field: FieldType(
        kind=Kind.DECIMAL, precision=int(field.max_digits), scale=int(field.decimal_places)
    ),
    fields.DatetimeField: lambda _: FieldType(kind=Kind.DATETIME),
    fields.DateField: lambda _: FieldType(kind=Kind.DATE),
    fields.TimeField: lambda _: FieldType(kind=Kind.TIME),
    fields.TimeDeltaField: lambda _: FieldType(kind=Kind.DURATION),
    fields.FloatField: lambda _: FieldType(kind=Kind.FLOAT),
    fields.JSONField: lambda _: FieldType(kind=Kind.JSON),
    fields.UUIDField: lambda _: FieldType(kind=Kind.UUID),
    fields.BinaryField: lambda _: FieldType(kind=Kind.BINARY),
    ArrayField: lambda field: FieldType(kind=Kind.ARRAY, item=_ITEMS[field.element_type][0]),
}

_TYPES: Final[Mapping[type[Any], Callable[[Any], ColumnType]]] = {
    CharEnumFieldInstance: lambda field: EnumText(field.enum_type, field.max_length),
    IntEnumFieldInstance: lambda field: EnumNumber(field.enum_type),
    fields.BigIntField: lambda _: BigInteger(),
    fields.SmallIntField: lambda _: SmallInteger(),
    fields.IntField: lambda _: Integer(),
    fields.CharField: lambda field: String(field.max_length),
    fields.TextField: lambda _: Text(),
    fields.BooleanField: lambda _: Boolean(),
    fields.DecimalField: lambda field: Numeric(int(field.max_digits), int(field.decimal_places)),
    fields.DatetimeField: lambda _: AwareDateTime(),
    fields.DateField: lambda _: Date(),
    fields.TimeField: lambda _: NaiveTime(),
    fields.TimeDeltaField: lambda _: MicrosecondInterval(),
    fields.FloatField: lambda _: Double(),
    fields.JSONField: lambda _: TortoiseJson(),
    fields.UUIDField: lambda _: DashedUuid(),
    fields.BinaryField: lambda _: LargeBinary(),
    ArrayField: lambda field: ARRAY(_ITEMS[field.element_type][1]()),
}


def field_type_of(field: fields.Field[Any]) -> FieldType | None:
    """Return what values of *field* are; `None` when no kind fits, or when the field converts them by itself."""
    known = _known(field)
    return None if known is None else _FIELD_TYPES[known](field)


def column_type_of(field: fields.Field[Any]) -> ColumnType:
    """Return the type of the column for *field*, which `field_type_of` has a type for."""
    known = _known(field)
    if known is None:
        raise LookupError(f"no column type for {type(field).__name__}")
    return _TYPES[known](field)


def _known(field: fields.Field[Any]) -> type[Any] | None:
    known = next((cls for cls in _KNOWN if isinstance(field, cls)), None)
    if known is None or (known is ArrayField and getattr(field, "element_type", "") not in _ITEMS):
        return None
    # A subclass that converts values by itself may store anything.
    converts = any(getattr(type(field), name) is not getattr(known, name) for name in _CONVERSIONS)
    return None if converts else known


def _whole(bits: int) -> FieldType:
    return FieldType(kind=Kind.INTEGER, minimum=-(2 ** (bits - 1)), maximum=2 ** (bits - 1) - 1)
