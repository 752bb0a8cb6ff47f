"""Values as callers give them → values as a store keeps them."""

import copy
import datetime
import decimal
import secrets
import uuid
from typing import Any, Final

from fastapi_easy.domain.changes.patch import Values as Given
from fastapi_easy.domain.field import UNSET, Field, Kind

_WIDE: Final = decimal.Context(prec=200, rounding=decimal.ROUND_HALF_UP)


def initial(field: Field, given: Given) -> Any:
    """The value of *field* in a new row: what was given, else its default, else null."""
    if field.name in given:
        return stored(field, given[field.name])
    if field.default_factory is not None:
        return stored(field, field.default_factory())
    return None if field.default is UNSET else stored(field, field.default)


def made_key(kind: Kind, number: int) -> Any:
    """A key of *kind* that nobody else has, for the entity that is the *number*th; null for kinds no store makes."""
    match kind:
        case Kind.INTEGER:
            return number
        case Kind.TEXT:
            return f"{number:08x}{secrets.token_hex(8)}"
        case Kind.UUID:
            return uuid.uuid4()
        case _:
            return None


def stored(field: Field, value: Any) -> Any:
    """*value* as the store keeps it: what a database would give back for it."""
    match field.kind:
        case _ if value is None:
            return None
        case Kind.DECIMAL if field.scale is not None:
            return _WIDE.quantize(value, decimal.Decimal(1).scaleb(-field.scale))
        case Kind.FLOAT:
            return float(value)
        case Kind.DATETIME:
            return value.astimezone(datetime.UTC)
        case Kind.ENUM if field.enumeration is not None:
            return field.enumeration(value)
        case Kind.JSON | Kind.ARRAY:
            return copy.deepcopy(value)
        case _:
            return value
