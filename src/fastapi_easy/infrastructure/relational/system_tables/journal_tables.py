"""The tables that a journal names, as a relational database has them."""

import weakref
from collections.abc import Iterable
from typing import Any, Final, assert_never

from sqlalchemy import JSON, BigInteger, Boolean, Column, LargeBinary, MetaData, String, Table, Text, Uuid
from sqlalchemy.dialects.mysql import LONGTEXT, VARCHAR
from sqlalchemy.dialects.postgresql import JSONB

from fastapi_easy.domain.changes.journal import SystemTable
from fastapi_easy.domain.errors import DeclarationError
from fastapi_easy.domain.field import Field, Kind
from fastapi_easy.infrastructure.relational.column_types import ColumnType, UtcDateTime

_system_tables: Final["weakref.WeakKeyDictionary[SystemTable, Table]"] = weakref.WeakKeyDictionary()
_MYSQL: Final = ("mysql", "mariadb")
_BYTEWISE: Final = "utf8mb4_bin"


def table_of(system: SystemTable) -> Table:
    """Return the table of *system*, made once.

    Raises:
        DeclarationError: A field is of a kind that system tables do not have.
    """
    found = _system_tables.get(system)
    if found is None:
        columns = [_column(system, field) for field in system.fields]
        found = _system_tables[system] = Table(system.name, MetaData(), *columns, mysql_engine="InnoDB")
    return found


def tables_of(systems: Iterable[SystemTable]) -> MetaData:
    """Return the tables of *systems* together, to be created where they are missing."""
    together = MetaData()
    for system in systems:
        _ = table_of(system).to_metadata(together)
    return together


def _column(system: SystemTable, field: Field) -> Column[Any]:
    column_type = _type_of(field)
    if column_type is None:
        raise DeclarationError(
            [
                f"{system.name}: a system table has no column for {field.name!r}, a {field.kind}: use another kind"
            ]
        )
    is_key = field.name in system.key
    return Column(field.name, column_type, primary_key=is_key, nullable=field.nullable and not is_key)


def _text(field: Field) -> ColumnType:
    if field.max_length is None:
        return Text().with_variant(LONGTEXT(collation=_BYTEWISE), *_MYSQL)
    return String(field.max_length).with_variant(VARCHAR(field.max_length, collation=_BYTEWISE), *_MYSQL)


def _type_of(field: Field) -> ColumnType | None:
    match field.kind:
        case Kind.TEXT:
            return _text(field)
        case Kind.INTEGER:
            return BigInteger()
        case Kind.BOOLEAN:
            return Boolean()
        case Kind.DATETIME:
            return UtcDateTime(timezone=True)
        case Kind.UUID:
            return Uuid()
        case Kind.BINARY:
            return LargeBinary()
        case Kind.JSON:
            return JSON(none_as_null=True).with_variant(JSONB(none_as_null=True), "postgresql")
        case Kind.DECIMAL | Kind.FLOAT | Kind.DATE | Kind.TIME | Kind.DURATION | Kind.ENUM | Kind.ARRAY:
            # No system table has needed one yet.
            return None
        case _:
            assert_never(field.kind)
