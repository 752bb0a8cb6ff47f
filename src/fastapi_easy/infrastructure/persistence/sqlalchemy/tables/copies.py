"""Our own copies of the users' tables, with types that keep our promises (ADR 13)."""

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final, assert_never

from sqlalchemy import (
    ARRAY,
    JSON,
    REAL,
    Boolean,
    Column,
    Date,
    DateTime,
    Enum,
    Float,
    Integer,
    Interval,
    LargeBinary,
    MetaData,
    Numeric,
    String,
    Table,
    Text,
    Time,
    UniqueConstraint,
    Uuid,
    text,
)
from sqlalchemy.dialects import mysql, postgresql
from sqlalchemy.exc import CompileError
from sqlalchemy.schema import ColumnDefault, DefaultClause
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.types import Double, TypeDecorator

from fastapi_easy.infrastructure.persistence.sqlalchemy.tables.custom_types.discovery import is_custom
from fastapi_easy.infrastructure.persistence.sqlalchemy.tables.kinds import (
    is_server_type,
    max_length_of,
    unwrap_decorators,
)
from fastapi_easy.infrastructure.persistence.sqlalchemy.tables.server_types.known_types import (
    adapt_server_type,
)
from fastapi_easy.infrastructure.persistence.sqlalchemy.tables.server_types.text_types import DomainValue
from fastapi_easy.infrastructure.relational.column_types import (
    AsyncpgUuid,
    ColumnType,
    EpochInterval,
    HexUuid,
    LongHexBytes,
    MysqlDecimal,
    ServerType,
    ShortHexBytes,
    UtcDateTime,
    enumeration_of,
)
from fastapi_easy.infrastructure.relational.mysql_types import MicrosecondTime, MysqlBoolean, MysqlDate
from fastapi_easy.infrastructure.relational.server import Server
from fastapi_easy.infrastructure.relational.single_precision import PostgresSingleItem, PostgresStoredFloat
from fastapi_easy.infrastructure.relational.sqlalchemy_internals import variants
from fastapi_easy.infrastructure.relational.sqlite.checked_types import SqliteBytes, SqliteUuid
from fastapi_easy.infrastructure.relational.sqlite.number_types import (
    SqliteBoolean,
    SqliteDecimal,
    SqliteFloat,
)
from fastapi_easy.infrastructure.relational.sqlite.time_types import (
    SqliteDate,
    SqliteDateTime,
    SqliteInterval,
    SqliteTime,
)
from fastapi_easy.infrastructure.relational.unexpected_values import PostgresNumber

MYSQL_INDEXED_LENGTH = 255
"""Characters of an indexed text without declared length on MySQL, which cannot index a whole TEXT."""

_SINGLE_BITS = 24
"""The most digits, binary ones, for which `FLOAT(p)` is a type of single precision."""

_DOUBLE_BITS = 53

_PRECISION = re.compile(r"\(\d\)")
_NOW_ON_UPDATE = re.compile(
    r"\s*current_timestamp(\s*\(\d*\))?\s+on\s+update\s+current_timestamp(\s*\(\d*\))?\s*", re.IGNORECASE
)
_NOW = frozenset({"now", "current_timestamp", "localtimestamp", "sysdate"})


class TableCopies:
    """The copies for one server. Tables that refer to each other are copied together.

    Attributes:
        metadata: The copies.
    """

    def __init__(self, server: Server) -> None:
        self._server = server
        self._copies: dict[Table, Table] = {}
        self.metadata = MetaData()

    @property
    def originals(self) -> Mapping[Table, Table]:
        """The copies so far, by what they are copies of."""
        return self._copies

    def copy_of(self, original: Table) -> Table:
        """Return the copy of *original*; its columns have the same names in the same order."""
        if original not in self._copies:
            # Tables of the same name in several metadata are one table in the database.
            copied = original.to_metadata(self.metadata)
            self._copies[original] = copied
            for column in original.columns:
                self._adapt(column, copied.columns[column.key])
            self._leave_out(copied)
            for target in _targets(original):
                _ = self.copy_of(target)
        return self._copies[original]

    def _adapt(self, original: Column[Any], copied: Column[Any]) -> None:
        declared = original.type
        if isinstance(unwrap_decorators(declared), Enum | postgresql.DOMAIN):
            # The copy's own type knows its table, without which PostgreSQL would not create the type.
            declared = copied.type
        adapted = adapt(declared, self._server, indexed=is_indexed(original))
        if self._server.name == "sqlite" and original.table.autoincrement_column is original:
            # Only INTEGER, by that very name, is filled in by SQLite.
            adapted = Integer()
        if adapted is not copied.type:
            copied.type = adapted
        self._adapt_defaults(copied)

    def _leave_out(self, copied: Table) -> None:
        """Leave out of statements and of what is created the columns of types that this server does not have."""
        missing = [column for column in copied.columns if not _can_spell(column.type, self._server)]
        for column in missing:
            # What SQLAlchemy calls the columns that no table is created with.
            column.system = True
            column.default = column.onupdate = None
        for index in [
            each for each in copied.indexes if any(each.columns.contains_column(one) for one in missing)
        ]:
            copied.indexes.discard(index)

    def _adapt_defaults(self, copied: Column[Any]) -> None:
        """Let defaults that are the server's clock have microseconds, which `CURRENT_TIMESTAMP` has not everywhere."""
        now = _now(self._server)
        if now is None or not isinstance(copied.type, UtcDateTime):
            return
        if isinstance(copied.server_default, DefaultClause):
            clause = copied.server_default.arg
            if _is_now(clause):
                copied.server_default = DefaultClause(text(now))
            elif _NOW_ON_UPDATE.fullmatch(str(clause)):
                copied.server_default = DefaultClause(text(f"{now} ON UPDATE {now}"))
        for name in ("default", "onupdate"):
            default = getattr(copied, name)
            if isinstance(default, ColumnDefault) and _is_now(default.arg):
                # `arg` is what the statement is made of; the object itself is wired to the column.
                default.arg = text(now)


def adapt(declared: ColumnType, server: Server, *, indexed: bool) -> ColumnType:
    """Return the type to use in place of *declared* on *server*.

    Args:
        declared: The user's type; stays as it is.

        server: Where the column is.

        indexed: The column is part of a key, a unique rule, an index or a reference.
    """
    plain = unwrap_decorators(_variant(declared, server.dialect.name))
    if isinstance(plain, Interval | postgresql.INTERVAL):
        return _interval(plain, server)
    if isinstance(plain, ServerType):
        return plain.on(server, indexed=indexed)
    if is_custom(plain):
        return _custom(plain, server, indexed=indexed)
    if isinstance(plain, TypeDecorator):
        return plain
    if isinstance(plain, postgresql.DOMAIN):
        inner = adapt(plain.data_type, server, indexed=indexed)
        return DomainValue(plain, inner) if server.name == "postgresql" else inner
    if is_server_type(plain):
        return adapt_server_type(plain, server) or plain
    return _adapt_on_any_server(plain, server) or _adapt_on_server(plain, server, indexed=indexed)


def _custom(plain: ColumnType, server: Server, *, indexed: bool) -> ColumnType:
    """Return *plain*, a type of the user's, with the type beneath it adapted, unless it chooses that by itself."""
    if (
        not isinstance(plain, TypeDecorator)
        or type(plain).load_dialect_impl is not TypeDecorator.load_dialect_impl
    ):
        return plain
    adapted = adapt(plain.impl_instance, server, indexed=indexed)
    if adapted is plain.impl_instance:
        return plain
    copied: ColumnType = plain.copy()
    vars(copied).update(impl=adapted, impl_instance=adapted)
    return copied


def is_indexed(column: Column[Any]) -> bool:
    """Return whether *column* is part of a key, a unique rule, an index or a reference."""
    table = column.table
    rules = (each for each in table.constraints if isinstance(each, UniqueConstraint))
    return (
        column.primary_key
        or bool(column.unique)
        or bool(column.index)
        or bool(column.foreign_keys)
        or any(rule.columns.contains_column(column) for rule in rules)
        or any(index.columns.contains_column(column) for index in table.indexes)
    )


def _can_spell(type_: ColumnType, server: Server) -> bool:
    try:
        _ = type_.compile(server.dialect)
    except CompileError:
        return False
    return True


def _targets(table: Table) -> Iterator[Table]:
    for reference in table.foreign_keys:
        yield reference.column.table


def _variant(declared: ColumnType, dialect: str) -> ColumnType:
    declared_variants = variants(declared)
    return declared_variants.get(
        dialect, declared_variants.get("mysql", declared) if dialect == "mariadb" else declared
    )


def _adapt_on_any_server(plain: ColumnType, server: Server) -> ColumnType | None:
    match plain:
        case Enum():
            return plain if getattr(plain, "enum_class", None) is not None else _labels(plain)
        case DateTime():
            timezone = bool(plain.timezone)
            return SqliteDateTime(timezone) if server.name == "sqlite" else UtcDateTime(timezone)
        case JSON():
            return _null_as_null(plain)
        case ARRAY():
            return _array(plain, server)
        case Uuid():
            return _uuid(server)
        case _:
            return None


def _adapt_on_server(plain: ColumnType, server: Server, *, indexed: bool) -> ColumnType:
    match server.name, plain:
        case "postgresql", Numeric() | Float():
            return _number_on_postgres(plain)
        case "sqlite", _:
            return next((make(plain) for cls, make in _ON_SQLITE if isinstance(plain, cls)), plain)
        case "mysql", String():
            return _text_on_mysql(plain, server, indexed=indexed)
        case "mysql", LargeBinary():
            return _bytes_on_mysql(plain, server)
        case "mysql", _:
            return _value_on_mysql(plain)
        case _:
            return plain


def _value_on_mysql(plain: ColumnType) -> ColumnType:
    match plain:
        case Time():
            return MicrosecondTime()
        case Date():
            return MysqlDate()
        case Boolean():
            return MysqlBoolean()
        case Numeric() | Float():
            return _number_on_mysql(plain)
        case _:
            return plain


def _labels(plain: Enum) -> ColumnType:
    enumeration = enumeration_of(plain.name, tuple(plain.enums))
    return Enum(
        enumeration,
        values_callable=lambda members: [str(each.value) for each in members],
        name=plain.name,
        native_enum=plain.native_enum,
        length=plain.length,
        schema=plain.schema,
    )


def _interval(plain: ColumnType, server: Server) -> ColumnType:
    match server.name:
        case "postgresql":
            return plain
        case "mysql":
            return EpochInterval()
        case "sqlite":
            return SqliteInterval()
        case _:
            assert_never(server.name)


def _uuid(server: Server) -> ColumnType:
    match server.name, server.dialect.driver:
        case "mysql", _:
            return HexUuid()
        case "sqlite", _:
            return SqliteUuid()
        case _, "asyncpg":
            return AsyncpgUuid()
        case name, _:
            return Uuid(native_uuid=name == "postgresql")


def _null_as_null(plain: JSON) -> ColumnType:
    adapted = plain.copy()
    adapted.none_as_null = True
    return adapted


def _array(plain: ARRAY[Any], server: Server) -> ColumnType:
    item = adapt(plain.item_type, server, indexed=False)
    if isinstance(item, PostgresStoredFloat):
        item = PostgresSingleItem(is_single=True)
    return postgresql.ARRAY(item, dimensions=plain.dimensions) if server.name == "postgresql" else plain


def _number_on_sqlite(plain: Numeric[Any] | Float[Any]) -> ColumnType:
    if isinstance(plain, Float) or not plain.asdecimal:
        return SqliteFloat(plain.precision)
    return SqliteDecimal(plain.precision, plain.scale)


_ON_SQLITE: Final[tuple[tuple[type[ColumnType], Callable[[Any], ColumnType]], ...]] = (
    (Numeric, _number_on_sqlite),
    (Float, _number_on_sqlite),
    (Boolean, lambda _: SqliteBoolean()),
    (Date, lambda _: SqliteDate()),
    (Time, lambda _: SqliteTime()),
    (LargeBinary, lambda plain: SqliteBytes(plain.length)),
)


def _number_on_mysql(plain: Numeric[Any] | Float[Any]) -> ColumnType:
    if plain.precision is not None:
        return plain
    # FLOAT alone would have seven digits there, DECIMAL alone no fraction.
    return Double() if isinstance(plain, Float) or not plain.asdecimal else MysqlDecimal()


def _number_on_postgres(plain: Numeric[Any] | Float[Any]) -> ColumnType:
    is_single = isinstance(plain, REAL) or (
        isinstance(plain, Float) and (plain.precision or _DOUBLE_BITS) <= _SINGLE_BITS
    )
    return PostgresStoredFloat(is_single=True) if is_single else PostgresNumber(plain)


def _text_on_mysql(plain: String, server: Server, *, indexed: bool) -> ColumnType:
    length = max_length_of(plain)
    if length is None and indexed:
        return mysql.VARCHAR(MYSQL_INDEXED_LENGTH, collation=server.bytewise)
    if length is None or isinstance(plain, Text):
        return mysql.LONGTEXT(collation=server.bytewise)
    return mysql.VARCHAR(length, collation=server.bytewise)


def _bytes_on_mysql(plain: LargeBinary, server: Server) -> ColumnType:
    needs_hex = server.dialect.driver == "aiomysql"
    if plain.length is None:
        return LongHexBytes() if needs_hex else mysql.LONGBLOB()
    return ShortHexBytes(plain.length) if needs_hex else plain


def _now(server: Server) -> str | None:
    match server.name:
        case "sqlite":
            # As long as the values that are written, so that text order is time order.
            return "(strftime('%Y-%m-%d %H:%M:%f000', 'now'))"
        case "mysql":
            return "CURRENT_TIMESTAMP(6)"
        case "postgresql":
            # Its `now()` has microseconds already.
            return None
        case _:
            assert_never(server.name)


def _is_now(clause: object) -> bool:
    if isinstance(clause, FunctionElement):
        return str(getattr(clause, "name", "")).lower() in _NOW
    return _PRECISION.sub("", str(clause)).strip("() ").lower() in _NOW
