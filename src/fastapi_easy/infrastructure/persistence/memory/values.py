"""Values as callers give them → values as a store keeps them."""

import copy
import decimal
import secrets
import uuid
from typing import Any, Final, assert_never

from fastapi_easy.domain.changes.patch import Values as Given
from fastapi_easy.domain.field import UNSET, Field, Kind
from fastapi_easy.domain.values.naive_times import in_utc

_WIDE: Final = decimal.Context(prec=200, rounding=decimal.ROUND_HALF_UP)


def initial_value(field: Field, given: Given) -> Any:
    """Return the value of *field* in a new row: what was given, else its default, else null."""
    if field.name in given:
        return to_stored(field, given[field.name])
    if field.default_factory is not None:
        return to_stored(field, field.default_factory())
    return None if field.default is UNSET else to_stored(field, field.default)


def make_key(kind: Kind, number: int) -> Any:
    """Return a new key of *kind* for the *number*th entity; `None` for kinds that no store generates."""
    match kind:
        case Kind.INTEGER:
            return number
        case Kind.TEXT:
            return f"{number:08x}{secrets.token_hex(8)}"
        case Kind.UUID:
            return uuid.uuid4()
        case (
            Kind.DECIMAL
            | Kind.FLOAT
            | Kind.BOOLEAN
            | Kind.DATE
            | Kind.TIME
            | Kind.DATETIME
            | Kind.DURATION
            | Kind.BINARY
            | Kind.ENUM
            | Kind.JSON
            | Kind.ARRAY
        ):
            return None
        case _:
            assert_never(kind)


def to_stored(field: Field, value: Any) -> Any:
    """Return *value* as the store keeps it: what a database would give back for it."""
    if value is None:
        return None
    match field.kind:
        case (
            Kind.TEXT
            | Kind.INTEGER
            | Kind.BOOLEAN
            | Kind.DATE
            | Kind.TIME
            | Kind.DURATION
            | Kind.UUID
            | Kind.BINARY
        ):
            return value
        case Kind.DECIMAL:
            return (
                value
                if field.scale is None
                else _WIDE.quantize(value, decimal.Decimal(1).scaleb(-field.scale))
            )
        case Kind.FLOAT:
            return float(value)
        case Kind.DATETIME:
            return in_utc(value)
        case Kind.ENUM:
            return value if field.enumeration is None else field.enumeration(value)
        case Kind.JSON | Kind.ARRAY:
            return copy.deepcopy(value)
        case _:
            assert_never(field.kind)
