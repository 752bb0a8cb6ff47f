"""Column types → the kinds of their values, with bounds."""

import enum
from collections.abc import Iterator
from typing import Any, Final, assert_never

import annotated_types
import pydantic
from sqlalchemy import (
    ARRAY,
    JSON,
    BigInteger,
    Boolean,
    Date,
    DateTime,
    Enum,
    Float,
    Integer,
    Interval,
    LargeBinary,
    Numeric,
    SmallInteger,
    String,
    Time,
    Uuid,
)
from sqlalchemy.dialects import mysql, postgresql
from sqlalchemy.types import BINARY, VARBINARY, TypeDecorator

from fastapi_easy.domain.field import Kind
from fastapi_easy.infrastructure.persistence.sqlalchemy.tables.field_type import FieldType
from fastapi_easy.infrastructure.persistence.sqlalchemy.tables.server_types.known_types import (
    server_field_type,
)
from fastapi_easy.infrastructure.relational.column_types import ColumnType, ServerType, enumeration_of

_CONVERSIONS: Final = (
    "process_bind_param",
    "process_result_value",
    "process_literal_param",
    "bind_processor",
    "result_processor",
    "bind_expression",
    "column_expression",
)

_KINDS: Final[tuple[tuple[type[ColumnType], Kind], ...]] = (
    (Enum, Kind.ENUM),
    (String, Kind.TEXT),
    (Boolean, Kind.BOOLEAN),
    (Integer, Kind.INTEGER),
    (Float, Kind.FLOAT),
    (Numeric, Kind.DECIMAL),
    (DateTime, Kind.DATETIME),
    (Date, Kind.DATE),
    (Time, Kind.TIME),
    (Interval, Kind.DURATION),
    (postgresql.INTERVAL, Kind.DURATION),
    (Uuid, Kind.UUID),
    (LargeBinary, Kind.BINARY),
    (BINARY, Kind.BINARY),
    (VARBINARY, Kind.BINARY),
    (mysql.TINYBLOB, Kind.BINARY),
    (mysql.MEDIUMBLOB, Kind.BINARY),
    (mysql.LONGBLOB, Kind.BINARY),
    (JSON, Kind.JSON),
    (ARRAY, Kind.ARRAY),
)
"""From the special to the general, since `Enum` is a `String` and `Float` a `Numeric`."""

_BITS: Final[tuple[tuple[type[ColumnType], int], ...]] = (
    (mysql.TINYINT, 8),
    (mysql.MEDIUMINT, 24),
    (SmallInteger, 16),
    (BigInteger, 64),
    (Integer, 32),
)


def unwrap_decorators(declared: ColumnType) -> ColumnType:
    """Return the type behind decorators that convert nothing, or nothing that this adapter does not do itself."""
    while isinstance(declared, TypeDecorator) and not isinstance(declared, Interval | ServerType):
        cls = type(declared)
        converts = any(getattr(cls, name) is not getattr(TypeDecorator, name) for name in _CONVERSIONS)
        # SQLModel's own decorators keep times in UTC, which `UtcDateTime` does with microseconds.
        if converts and not cls.__module__.startswith("sqlmodel"):
            return declared
        declared = declared.impl_instance
    return declared


def field_type_of(declared: ColumnType) -> FieldType | None:
    """Return what values of a column of type *declared* are; `None` when no kind fits."""
    plain = unwrap_decorators(declared)
    if isinstance(plain, TypeDecorator) and not isinstance(plain, Interval):
        # Only its class, and what it does with samples, say which values it gives (`custom_types`).
        return None
    if isinstance(plain, postgresql.DOMAIN):
        # What it allows beyond its type is for the server to check.
        return field_type_of(plain.data_type)
    if isinstance(plain, mysql.SET):
        return server_field_type(plain)
    kind = next((kind for cls, kind in _KINDS if isinstance(plain, cls)), None)
    return server_field_type(plain) if kind is None else _read(kind, plain)


def _read(kind: Kind, plain: ColumnType) -> FieldType | None:
    """Return *kind* with the bounds that *plain* declares; `None` for an array of what nothing is known of."""
    match kind:
        case Kind.TEXT:
            length = max_length_of(plain)
            return FieldType(kind=kind, max_length=length, stored_length=length)
        case Kind.BINARY:
            return FieldType(kind=kind, max_length=max_length_of(plain))
        case Kind.INTEGER:
            low, high = _bounds(plain)
            return FieldType(kind=kind, minimum=low, maximum=high)
        case Kind.DECIMAL:
            return _decimal(plain)
        case Kind.ENUM:
            return FieldType(kind=kind, enumeration=_enumeration(plain))
        case Kind.ARRAY:
            return _array(plain)
        case Kind.FLOAT | Kind.BOOLEAN | Kind.DATE | Kind.TIME | Kind.DATETIME | Kind.DURATION:
            return FieldType(kind=kind)
        case Kind.UUID | Kind.JSON:
            return FieldType(kind=kind)
        case _:
            assert_never(kind)


def max_length_of(plain: ColumnType) -> int | None:
    """Return the characters or bytes that values of type *plain* have at most; `None` when it does not say."""
    length: int | None = getattr(plain, "length", None)
    return length


def _decimal(plain: ColumnType) -> FieldType:
    if not getattr(plain, "asdecimal", True):
        return FieldType(kind=Kind.FLOAT)
    precision, scale = getattr(plain, "precision", None), getattr(plain, "scale", None)
    # NUMERIC(5) has no fraction; NUMERIC alone has any.
    return FieldType(
        kind=Kind.DECIMAL, precision=precision, scale=0 if scale is None and precision is not None else scale
    )


def _bounds(plain: ColumnType) -> tuple[int, int]:
    bits = next(bits for cls, bits in _BITS if isinstance(plain, cls))
    if getattr(plain, "unsigned", False):
        return 0, 2**bits - 1
    return -(2 ** (bits - 1)), 2 ** (bits - 1) - 1


def _enumeration(plain: ColumnType) -> type[enum.Enum]:
    declared: type[enum.Enum] | None = getattr(plain, "enum_class", None)
    if declared is not None:
        return declared
    return enumeration_of(getattr(plain, "name", None), tuple(getattr(plain, "enums", ())))


def _array(plain: ColumnType) -> FieldType | None:
    item = field_type_of(getattr(plain, "item_type"))  # noqa: B009 - only ARRAY has it
    if item is None:
        return None
    return (
        FieldType(kind=Kind.ARRAY, item=item.kind, item_rules=tuple(_item_rules(item)))
        if holds_items(plain)
        else (server_field_type(plain))
    )


def is_server_type(plain: ColumnType) -> bool:
    """Return whether *plain* is a type of the server's that it reads and spells itself."""
    if isinstance(plain, ARRAY):
        return not holds_items(plain)
    return server_field_type(plain) is not None


def holds_items(plain: ColumnType) -> bool:
    """Return whether the array *plain* holds items that the driver reads as values of their kind."""
    declared: Any = plain
    item = field_type_of(declared.item_type)
    return (
        (declared.dimensions or 1) == 1
        and item is not None
        and item.kind not in {Kind.ARRAY, Kind.JSON, Kind.ENUM}
        and server_field_type(unwrap_decorators(declared.item_type)) is None
    )


def _item_rules(item: FieldType) -> Iterator[Any]:
    """Yield what the column asks of each item: a longer text or fraction would be cut off without a word."""
    if item.max_length is not None:
        yield annotated_types.MaxLen(item.max_length)
    if item.minimum is not None and item.maximum is not None:
        yield annotated_types.Ge(item.minimum)
        yield annotated_types.Le(item.maximum)
    if item.precision is not None:
        yield pydantic.Field(max_digits=item.precision, decimal_places=item.scale or 0)
