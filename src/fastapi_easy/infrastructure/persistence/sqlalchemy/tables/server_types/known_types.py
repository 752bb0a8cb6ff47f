"""Which column types of servers are known, what their values are, and how they are read and written."""

import enum
from collections.abc import Mapping
from typing import Any, Final

import pydantic
from sqlalchemy import ARRAY, JSON, BigInteger, Enum, Integer, Numeric, String, Text
from sqlalchemy.dialects import mysql, postgresql
from sqlalchemy.dialects.postgresql.ranges import AbstractRange
from sqlalchemy.types import TypeEngine, UserDefinedType

from fastapi_easy.domain.field import Comparison, Kind
from fastapi_easy.infrastructure.persistence.sqlalchemy.tables.field_type import FieldType
from fastapi_easy.infrastructure.persistence.sqlalchemy.tables.server_types import spellings
from fastapi_easy.infrastructure.persistence.sqlalchemy.tables.server_types.text_types import (
    AddressText,
    BitNumber,
    MoneyAmount,
    ServerText,
    ServerTexts,
    SetText,
    YearNumber,
)
from fastapi_easy.infrastructure.relational.column_types import ColumnType, SpelledType
from fastapi_easy.infrastructure.relational.server import Server

_MONEY_DIGITS: Final = 19
_CONVERSIONS: Final = ("bind_processor", "result_processor", "bind_expression", "column_expression")


def _text(comparison: Comparison, check: spellings.SpellingCheck | None = None) -> FieldType:
    return FieldType(kind=Kind.TEXT, comparison=comparison, check=check)


_EQUAL: Final = _text(Comparison.EQUALITY)

_TEXTS: Final[tuple[tuple[type[ColumnType], FieldType], ...]] = (
    (postgresql.INET, _text(Comparison.ORDER, spellings.INTERFACE)),
    (postgresql.CIDR, _text(Comparison.ORDER, spellings.NETWORK)),
    (postgresql.MACADDR, _text(Comparison.ORDER, spellings.MAC)),
    (postgresql.MACADDR8, _text(Comparison.ORDER, spellings.MAC_8)),
    (postgresql.HSTORE, _EQUAL),
    (postgresql.TSQUERY, _EQUAL),
    (AbstractRange, _EQUAL),
)
"""Types of PostgreSQL whose values are texts, as it spells them, by what can be compared natively."""

_SPELLINGS: Final[Mapping[str, FieldType]] = {"XML": _text(Comparison.NONE)}
"""Types that SQLAlchemy has no class for, by what a user's class spells."""


def server_field_type(plain: ColumnType) -> FieldType | None:
    """Return what values of the server's type *plain* are; `None` when nothing is known of it."""
    match plain:
        case postgresql.BIT():
            return _bits(plain)
        case postgresql.MONEY():
            return FieldType(kind=Kind.DECIMAL, precision=_MONEY_DIGITS, scale=2, comparison=Comparison.ORDER)
        case mysql.BIT():
            return FieldType(kind=Kind.INTEGER, minimum=0, maximum=2 ** (plain.length or 1) - 1)
        case mysql.YEAR():
            return FieldType(kind=Kind.INTEGER, minimum=0, maximum=2155, check=spellings.YEAR)
        case mysql.SET():
            members = tuple(plain.values)
            # Its own length is that of the longest member, and not of all of them with commas in between.
            length = max(0, sum(len(each) + 1 for each in members) - 1)
            return FieldType(
                kind=Kind.TEXT, max_length=length, stored_length=length, check=spellings.one_of_set(members)
            )
        case ARRAY():
            return _array(plain)
        case _:
            known = next((found for cls, found in _TEXTS if isinstance(plain, cls)), None)
            return _SPELLINGS.get(spelling_of(plain) or "") if known is None else known


def spelling_of(plain: ColumnType) -> str | None:
    """Return what a class that does nothing but spell the name of a type spells, in capitals; else `None`."""
    cls = type(plain)
    if not isinstance(plain, UserDefinedType) or any(
        getattr(cls, name) is not getattr(TypeEngine, name) for name in _CONVERSIONS
    ):
        return None
    spell = getattr(plain, "get_col_spec", None)
    try:
        return None if spell is None else str(spell()).upper()
    except TypeError:
        return None


def adapt_server_type(plain: ColumnType, server: Server) -> ColumnType | None:
    """Return the type to use in place of the server's type *plain*; `None` when it is no such type.

    Where the server has no such type, the column is one of plain texts or numbers.
    """
    found = server_field_type(plain)
    if found is None:
        return None
    if server.name == "mysql" and isinstance(plain, mysql.SET):
        return SetText(plain)
    if server.name == "mysql" and isinstance(plain, mysql.BIT | mysql.YEAR):
        return BitNumber(plain) if isinstance(plain, mysql.BIT) else YearNumber(plain)
    if server.name == "postgresql" and not isinstance(plain, mysql.BIT | mysql.YEAR | mysql.SET):
        return _on_postgres(plain, found)
    return _elsewhere(found)


def _on_postgres(plain: ColumnType, found: FieldType) -> ColumnType:
    match plain:
        case postgresql.BIT():
            # Cast to a length, too many bits would be cut off, and too few filled up.
            return ServerText(plain, SpelledType("VARBIT"))
        case postgresql.MONEY():
            return MoneyAmount(plain)
        case postgresql.INET():
            return AddressText(plain)
        case ARRAY() if found.kind is Kind.ARRAY:
            return ServerTexts(plain, labels_of(plain.item_type))
        case _:
            return ServerText(plain)


def _elsewhere(found: FieldType) -> ColumnType | None:
    match found.kind:
        case Kind.INTEGER:
            return BigInteger() if (found.maximum or 0) >= 2**31 else Integer()
        case Kind.DECIMAL:
            return Numeric(found.precision, found.scale)
        case Kind.TEXT:
            return Text() if found.max_length is None else String(found.max_length)
        case _:
            # No other store has arrays, and a resource with one is refused there.
            return None


def labels_of(item: ColumnType) -> Mapping[enum.Enum, str]:
    """Return what the members of an enumeration are stored as."""
    members: Any = getattr(item, "enum_class", None)
    stored = tuple(getattr(item, "enums", ()))
    if members is None:
        return {}
    return dict(zip(members, stored, strict=True)) if len(members) == len(stored) else {}


def _bits(plain: postgresql.BIT) -> FieldType:
    length = plain.length or (None if plain.varying else 1)
    if plain.varying:
        return FieldType(
            kind=Kind.TEXT,
            max_length=length,
            comparison=Comparison.EQUALITY,
            check=spellings.matching("[01]*", "Must be a text of 0 and 1"),
        )
    return _text(
        Comparison.EQUALITY,
        spellings.matching(f"[01]{{{length}}}", f"Must be {length} characters of 0 and 1"),
    )


def _array(plain: ARRAY[Any]) -> FieldType:
    """Return what an array is whose items no kind of array can hold."""
    item: ColumnType = plain.item_type
    if (plain.dimensions or 1) > 1 or isinstance(item, ARRAY):
        return _EQUAL
    if isinstance(item, Enum):
        labels = list(item.enums)

        def is_label(value: object) -> object:
            if value not in labels:
                raise ValueError(f"must be one of {', '.join(labels)}")
            return value

        described = pydantic.WithJsonSchema({"type": "string", "enum": labels})
        rules: tuple[Any, ...] = (pydantic.AfterValidator(is_label), described)
        return FieldType(kind=Kind.ARRAY, item=Kind.TEXT, item_rules=rules)
    if isinstance(item, JSON):
        # `json` cannot be compared.
        return _text(Comparison.NONE)
    return FieldType(kind=Kind.ARRAY, item=Kind.TEXT)
