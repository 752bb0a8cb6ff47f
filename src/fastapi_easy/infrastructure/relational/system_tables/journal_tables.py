"""The tables that a journal names, as a relational database has them."""

import weakref
from collections.abc import Iterable
from typing import Any, Final, assert_never

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    Uuid,
    literal_column,
)
from sqlalchemy.dialects.mysql import LONGTEXT, VARCHAR
from sqlalchemy.dialects.postgresql import JSONB

from fastapi_easy.domain.changes.journal import SystemIndex, SystemTable
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
        found = _system_tables[system] = Table(
            system.name,
            MetaData(),
            *columns,
            mysql_engine="InnoDB",
            # Else SQLite would give the number of a row that was removed once more.
            sqlite_autoincrement=system.number is not None,
        )
        if system.number is not None:
            _ = Index(f"{system.name}_key", *(found.columns[name] for name in system.key), unique=True)
        for each in system.every_index:
            _add_index(found, each)
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
    if field.name == system.number:
        number_type = column_type.with_variant(Integer(), "sqlite")
        return Column(field.name, number_type, primary_key=True, autoincrement=True)
    is_key = field.name in system.key
    return Column(
        field.name,
        column_type,
        # Rows with numbers are kept in the order of these: on SQLite, MySQL and MariaDB nothing else can be numbered.
        primary_key=is_key and system.number is None,
        nullable=field.nullable and not is_key,
        autoincrement=False,
    )


def _add_index(table: Table, index: SystemIndex) -> None:
    columns = [table.columns[name] for name in index.fields]
    name = f"{table.name}_{'_'.join(index.fields)}"
    if index.below is None:
        _ = Index(name, *columns)
        return
    limited, limit = index.below
    condition = table.columns[limited] < literal_column(str(limit))
    _ = Index(name, *columns, postgresql_where=condition, sqlite_where=condition)


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
