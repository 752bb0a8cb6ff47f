"""The tables that a journal names, as a relational database has them."""

import weakref
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

from sqlalchemy import JSON, BigInteger, Boolean, Column, LargeBinary, MetaData, String, Table, Text, Uuid
from sqlalchemy.dialects.mysql import LONGTEXT, VARCHAR
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.types import TypeEngine

from fastapi_easy.domain.changes.journal import SystemTable
from fastapi_easy.domain.errors import DeclarationError
from fastapi_easy.domain.field import Field, Kind
from fastapi_easy.infrastructure.relational.column_types import UtcDateTime

_drawn: Final["weakref.WeakKeyDictionary[SystemTable, Table]"] = weakref.WeakKeyDictionary()
_MYSQL: Final = ("mysql", "mariadb")
_BYTEWISE: Final = "utf8mb4_bin"


def table_of(system: SystemTable) -> Table:
    """Return the table of *system*, drawn once.

    Raises:
        DeclarationError: A field is of a kind that system tables do not have.
    """
    found = _drawn.get(system)
    if found is None:
        columns = [_column(system, field) for field in system.fields]
        found = _drawn[system] = Table(system.name, MetaData(), *columns, mysql_engine="InnoDB")
    return found


def tables_of(systems: Iterable[SystemTable]) -> MetaData:
    """Return the tables of *systems* together, to be created where they are missing."""
    together = MetaData()
    for system in systems:
        _ = table_of(system).to_metadata(together)
    return together


def _column(system: SystemTable, field: Field) -> Column[Any]:
    typed = _TYPES.get(field.kind)
    if typed is None:
        raise DeclarationError(
            [
                f"{system.name}: a system table has no column for {field.name!r}, a {field.kind}: use another kind"
            ]
        )
    is_key = field.name in system.key
    return Column(field.name, typed(field), primary_key=is_key, nullable=field.nullable and not is_key)


def _text(field: Field) -> TypeEngine[Any]:
    if field.max_length is None:
        return Text().with_variant(LONGTEXT(collation=_BYTEWISE), *_MYSQL)
    return String(field.max_length).with_variant(VARCHAR(field.max_length, collation=_BYTEWISE), *_MYSQL)


_TYPES: Final[Mapping[Kind, Callable[[Field], TypeEngine[Any]]]] = {
    Kind.TEXT: _text,
    Kind.INTEGER: lambda _: BigInteger(),
    Kind.BOOLEAN: lambda _: Boolean(),
    Kind.DATETIME: lambda _: UtcDateTime(timezone=True),
    Kind.UUID: lambda _: Uuid(),
    Kind.BINARY: lambda _: LargeBinary(),
    Kind.JSON: lambda _: JSON(none_as_null=True).with_variant(JSONB(none_as_null=True), "postgresql"),
}
