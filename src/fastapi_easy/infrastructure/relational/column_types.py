"""Column types that keep the same promises on every database (ADR 13)."""

import datetime
import decimal
import enum
import functools
import uuid
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final, TypeAlias, TypeVar

from sqlalchemy import CHAR, Column, DateTime, LargeBinary, Text, Uuid, func, types
from sqlalchemy.dialects import mysql
from sqlalchemy.engine import Dialect
from sqlalchemy.types import TypeDecorator, TypeEngine

from fastapi_easy.domain.values.naive_times import in_utc
from fastapi_easy.domain.values.unexpected import UnexpectedValue
from fastapi_easy.infrastructure.relational.server import Server
from fastapi_easy.infrastructure.relational.unexpected_values import bindable, read_decimal, unexpected_time

T = TypeVar("T")

ColumnType: TypeAlias = TypeEngine[Any]
"""A type of SQLAlchemy's, for values of any Python type."""

ALIVE_COLUMN: Final = "fe_alive"
"""The name of the computed column that is 1 for rows that are not deleted, and null for those that are."""

OWN_COLUMN: Final = "fastapi_easy.own"
"""The key in the `info` of a column that no class has, because we compute it."""

WRITTEN_TYPE: Final = "fastapi_easy.written_type"
"""The key in the `info` of a column of the type that another library creates it with."""


def info_of(column: Column[Any]) -> Mapping[Any, Any]:
    """Return the `info` of *column*, to be read only.

    SQLAlchemy makes an empty one when it is first asked for, with which a column takes a kilobyte more.
    """
    info: Mapping[Any, Any] = vars(column).get("info", _NO_INFO)
    return info


_NO_INFO: Final[Mapping[Any, Any]] = MappingProxyType({})
_EPOCH: Final = datetime.datetime(1970, 1, 1)  # noqa: DTZ001 - SQLAlchemy keeps intervals as naive times
_ROOMY: Final = decimal.Context(prec=400)


class Unstorable(ValueError):
    """Raised for a value that a column cannot hold as exactly as promised.

    Attributes:
        column: The name of the column, where it is known.
    """

    def __init__(self, message: str, column: str | None = None) -> None:
        self.column = column
        super().__init__(message)


class ServerType(TypeDecorator[T]):
    """A type of another adapter that depends on more of the server than its dialect."""

    cache_ok = True

    def on(self, server: Server, *, indexed: bool) -> ColumnType:
        """Return the type to use in its place on *server*."""
        raise NotImplementedError


class SpelledType(types.UserDefinedType[Any]):
    """A type by its spelling, where SQLAlchemy has none.

    Args:
        spelling: Of the server.
    """

    cache_ok = True

    def __init__(self, spelling: str) -> None:
        self.spelling = spelling

    def get_col_spec(self, **_: Any) -> str:
        """Return the spelling."""
        return self.spelling


class UtcDateTime(TypeDecorator[datetime.datetime]):
    """Aware times in UTC with microseconds, whether or not the column keeps time zones."""

    impl = DateTime
    cache_ok = True

    def __init__(self, timezone: bool) -> None:
        super().__init__(timezone=timezone)
        self.timezone = timezone

    def load_dialect_impl(self, dialect: Dialect) -> ColumnType:
        if dialect.name in {"mysql", "mariadb"}:
            # Without digits MySQL rounds to whole seconds.
            return dialect.type_descriptor(mysql.DATETIME(fsp=6))
        return dialect.type_descriptor(DateTime(timezone=self.timezone))

    def process_bind_param(
        self, value: datetime.datetime | None, dialect: Dialect
    ) -> datetime.datetime | None:
        if value is None:
            return None
        if isinstance(value, UnexpectedValue):
            return bindable(value, dialect)
        aware = in_utc(value)
        keeps_zone = self.timezone and dialect.name == "postgresql"
        return aware if keeps_zone else aware.replace(tzinfo=None)

    def process_result_value(self, value: datetime.datetime | None, dialect: Dialect) -> Any:
        try:
            if value is None or value.tzinfo is datetime.UTC:
                return value
            if value.tzinfo is None:
                return value.replace(tzinfo=datetime.UTC)
            return value.astimezone(datetime.UTC)
        except (AttributeError, OverflowError):
            return unexpected_time(value)


class EpochInterval(TypeDecorator[datetime.timedelta]):
    """Durations where the database has no type for them: stored as SQLAlchemy's `Interval` does, with microseconds."""

    impl = DateTime
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> ColumnType:
        wanted = mysql.DATETIME(fsp=6) if dialect.name in {"mysql", "mariadb"} else DateTime()
        return dialect.type_descriptor(wanted)

    def process_bind_param(
        self, value: datetime.timedelta | None, dialect: Dialect
    ) -> datetime.datetime | None:
        if isinstance(value, UnexpectedValue):
            return bindable(value, dialect)
        return None if value is None else _EPOCH + value

    def process_result_value(
        self, value: datetime.datetime | None, dialect: Dialect
    ) -> datetime.timedelta | None:
        if isinstance(value, str):
            # A date without a day, on MySQL.
            return unexpected_time(value)
        return None if value is None else value - _EPOCH


class TextDecimal(TypeDecorator[decimal.Decimal]):
    """Decimals that the server returns as text, since most of them are only passed on as text."""

    impl = Text
    cache_ok = True

    def process_result_value(self, value: str | None, dialect: Dialect) -> Any:
        return None if value is None else read_decimal(value)


class MysqlDecimal(TypeDecorator[decimal.Decimal]):
    """Decimals without declared digits on MySQL, where `DECIMAL` alone would mean ten and no fraction."""

    impl = mysql.DECIMAL
    cache_ok = True

    def __init__(self) -> None:
        super().__init__(precision=65, scale=30)

    def process_result_value(self, value: decimal.Decimal | None, dialect: Dialect) -> decimal.Decimal | None:
        return None if value is None else plain_decimal(value)


class _HexBytes(types.TypeEngine[bytes]):
    """Bytes sent as text, because aiomysql 0.3 cannot send `bytes` with PyMySQL 1.2."""

    def bind_expression(self, bindvalue: Any) -> Any:
        return func.unhex(bindvalue)

    def bind_processor(self, dialect: Dialect) -> Any:
        return lambda value: None if value is None else value.hex()


class ShortHexBytes(_HexBytes, LargeBinary):
    """Bytes for aiomysql, of declared length."""


class LongHexBytes(_HexBytes, mysql.LONGBLOB):
    """Bytes for aiomysql, of any length."""


class AsyncpgUuid(TypeDecorator[uuid.UUID]):
    """UUIDs of Python's own class, where asyncpg gives one of its own."""

    impl = Uuid
    cache_ok = True

    def process_result_value(self, value: uuid.UUID | None, dialect: Dialect) -> uuid.UUID | None:
        return None if value is None else uuid.UUID(int=value.int)


class HexUuid(TypeDecorator[uuid.UUID]):
    """UUIDs on MySQL as 32 hexadecimal digits: MariaDB's own type sorts by time, not by value."""

    impl = CHAR
    cache_ok = True

    def __init__(self) -> None:
        super().__init__(32)

    def load_dialect_impl(self, dialect: Dialect) -> ColumnType:
        return dialect.type_descriptor(mysql.CHAR(32, charset="ascii", collation="ascii_bin"))

    def process_bind_param(self, value: uuid.UUID | None, dialect: Dialect) -> str | None:
        return None if value is None else value.hex

    def process_result_value(self, value: Any, dialect: Dialect) -> uuid.UUID | None:
        return value if value is None or isinstance(value, uuid.UUID) else uuid.UUID(value)


@functools.cache
def enumeration_of(name: str | None, labels: tuple[str, ...]) -> type[enum.Enum]:
    """Make an enumeration for a column that lists its *labels* as plain strings."""
    title = "".join(part.title() for part in (name or "choice").split("_"))
    members = [(_member_name(label, number), label) for number, label in enumerate(labels)]
    made: type[enum.Enum] = enum.StrEnum(title, members)  # type: ignore[misc] # the name is known at run time
    return made


def _member_name(label: str, number: int) -> str:
    name = label.upper()
    return name if name.isidentifier() and not name.startswith("_") else f"LABEL_{number}"


def plain_decimal(number: decimal.Decimal) -> decimal.Decimal:
    """Return *number* without trailing zeros in its fraction, and never in powers of ten."""
    short = number.normalize(_ROOMY)
    exponent = short.as_tuple().exponent
    if isinstance(exponent, int) and exponent > 0:
        return short.quantize(decimal.Decimal(1), context=_ROOMY)
    return short
