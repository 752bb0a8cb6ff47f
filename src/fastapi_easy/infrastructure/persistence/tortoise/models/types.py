"""Column types that hold what Tortoise itself reads and writes, and keep the promises of every store (ADR 15)."""

import datetime
import enum
import uuid
from typing import Any, TypeVar, assert_never

from sqlalchemy import CHAR, JSON, BigInteger, DateTime, SmallInteger, String, Time, Uuid
from sqlalchemy.dialects import mysql, postgresql
from sqlalchemy.engine import Dialect
from sqlalchemy.types import TypeDecorator

from fastapi_easy.domain.values.unexpected import UnexpectedValue
from fastapi_easy.infrastructure.relational.column_types import (
    ColumnType,
    ServerType,
    Unstorable,
    UtcDateTime,
)
from fastapi_easy.infrastructure.relational.mysql_types import MicrosecondTime
from fastapi_easy.infrastructure.relational.server import Server
from fastapi_easy.infrastructure.relational.sqlite.checked_types import SqliteUuid
from fastapi_easy.infrastructure.relational.sqlite.time_types import (
    SqliteDateTime,
    SqliteMicroseconds,
    SqliteTime,
)

E = TypeVar("E", bound=enum.Enum)

_MYSQL = frozenset({"mysql", "mariadb"})


class TortoiseSqliteDateTime(SqliteDateTime):
    """Times on SQLite in columns that Tortoise has created, whose values it writes with their zone."""

    cache_ok = True
    foreign_types = ("TIMESTAMP",)


class AwareDateTime(ServerType[datetime.datetime]):
    """Aware times."""

    impl = DateTime
    cache_ok = True

    def __init__(self) -> None:
        super().__init__(timezone=True)

    def on(self, server: Server, *, indexed: bool) -> ColumnType:
        return (
            TortoiseSqliteDateTime(timezone=True) if server.name == "sqlite" else UtcDateTime(timezone=True)
        )


class DashedUuid(ServerType[uuid.UUID]):
    """UUIDs as Tortoise keeps them: 36 characters with dashes, or PostgreSQL's own type."""

    impl = CHAR
    cache_ok = True

    def __init__(self) -> None:
        super().__init__(36)

    def on(self, server: Server, *, indexed: bool) -> ColumnType:
        return SqliteUuid(dashes=True) if server.name == "sqlite" else self

    def load_dialect_impl(self, dialect: Dialect) -> ColumnType:
        if dialect.name == "postgresql":
            return dialect.type_descriptor(Uuid())
        if dialect.name in _MYSQL:
            return dialect.type_descriptor(mysql.CHAR(36, charset="ascii", collation="ascii_bin"))
        return dialect.type_descriptor(CHAR(36))

    def process_bind_param(self, value: uuid.UUID | None, dialect: Dialect) -> Any:
        return value if value is None or dialect.name == "postgresql" else str(value)

    def process_result_value(self, value: Any, dialect: Dialect) -> uuid.UUID | None:
        if value is None:
            return None
        # asyncpg gives a class of its own.
        return uuid.UUID(int=value.int) if isinstance(value, uuid.UUID) else uuid.UUID(value)


class MicrosecondInterval(ServerType[datetime.timedelta]):
    """Durations as whole numbers of microseconds."""

    impl = BigInteger
    cache_ok = True

    def on(self, server: Server, *, indexed: bool) -> ColumnType:
        return SqliteMicroseconds() if server.name == "sqlite" else self

    def process_bind_param(self, value: datetime.timedelta | None, dialect: Dialect) -> int | None:
        if isinstance(value, UnexpectedValue):
            # A duration of another type of column; every whole number is one that Python holds.
            raise Unstorable("not a number of microseconds")
        return None if value is None else value // datetime.timedelta(microseconds=1)

    def process_result_value(self, value: int | None, dialect: Dialect) -> datetime.timedelta | None:
        return None if value is None else datetime.timedelta(microseconds=value)


class NaiveTime(ServerType[datetime.time]):
    """Times of day with microseconds and without a zone, also from a column that keeps one."""

    impl = Time
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> ColumnType:
        return dialect.type_descriptor(mysql.TIME(fsp=6) if dialect.name in _MYSQL else Time())

    def on(self, server: Server, *, indexed: bool) -> ColumnType:
        match server.name:
            case "sqlite":
                return SqliteTime()
            case "mysql":
                return MicrosecondTime()
            case "postgresql":
                return Time()
            case _:
                assert_never(server.name)

    def process_bind_param(self, value: datetime.time | None, dialect: Dialect) -> datetime.time | None:
        return None if value is None else value.replace(tzinfo=None)

    def process_result_value(self, value: datetime.time | None, dialect: Dialect) -> datetime.time | None:
        return None if value is None else value.replace(tzinfo=None)


class TortoiseJson(TypeDecorator[Any]):
    """JSON as Tortoise stores it; `None` is NULL, not the JSON value `null`."""

    impl = JSON
    cache_ok = True

    def __init__(self) -> None:
        super().__init__(none_as_null=True)

    def load_dialect_impl(self, dialect: Dialect) -> ColumnType:
        own: ColumnType = JSON(none_as_null=True)
        if dialect.name == "postgresql":
            own = postgresql.JSONB(none_as_null=True)
        return dialect.type_descriptor(own)


class EnumText(ServerType[enum.Enum]):
    """Members of an enumeration as the text of their values."""

    impl = String
    cache_ok = True

    def __init__(self, enumeration: type[enum.Enum], length: int, collation: str | None = None) -> None:
        super().__init__(length, collation)
        self.enumeration = enumeration
        self.length = length
        self.collation = collation
        self._members = {str(each.value): each for each in enumeration}

    def on(self, server: Server, *, indexed: bool) -> ColumnType:
        return EnumText(self.enumeration, self.length, server.bytewise) if server.name == "mysql" else self

    def process_bind_param(self, value: enum.Enum | None, dialect: Dialect) -> str | None:
        return None if value is None else str(value.value)

    def process_result_value(self, value: str | None, dialect: Dialect) -> enum.Enum | None:
        return None if value is None else self._members[value]


class EnumNumber(TypeDecorator[enum.Enum]):
    """Members of an enumeration as their values, which are small whole numbers."""

    impl = SmallInteger
    cache_ok = True

    def __init__(self, enumeration: type[enum.Enum]) -> None:
        super().__init__()
        self.enumeration = enumeration

    def process_bind_param(self, value: enum.Enum | None, dialect: Dialect) -> int | None:
        return None if value is None else int(value.value)

    def process_result_value(self, value: int | None, dialect: Dialect) -> enum.Enum | None:
        return None if value is None else self.enumeration(value)
