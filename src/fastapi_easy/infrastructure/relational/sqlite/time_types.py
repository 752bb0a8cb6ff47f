"""Times on SQLite, which are texts of one length."""

import datetime
from typing import Any, Final

from sqlalchemy import BigInteger, Date, Time
from sqlalchemy.engine import Dialect
from sqlalchemy.types import TypeDecorator

from fastapi_easy.domain.values.naive_times import in_utc
from fastapi_easy.infrastructure.relational.column_types import EpochInterval, UtcDateTime
from fastapi_easy.infrastructure.relational.sqlite.spelled_type import (
    Processor,
    SpellingWatch,
    SqliteType,
    encoder,
)
from fastapi_easy.infrastructure.relational.sqlite.spellings import (
    read_date,
    read_datetime,
    read_time,
    write_datetime,
    write_time,
)

_EPOCH: Final = datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)
_DATETIME_LENGTH: Final = len("2026-01-01 10:00:00.000000")
_DATE_LENGTH: Final = len("2026-01-01")
_TIME_LENGTH: Final = len("10:00:00.000000")
_DATETIME_PATTERN: Final = "????-??-?? ??:??:??.??????"


class SqliteDateTime(SqliteType[datetime.datetime], UtcDateTime):
    """Aware times in UTC with microseconds, which are texts of one length."""

    normal_form = "datetime_form"
    own_pattern = _DATETIME_PATTERN
    cache_ok = True

    def bind_processor(self, dialect: Dialect) -> Processor:
        return encoder(_write_utc)

    def result_processor(self, dialect: Dialect, coltype: object) -> Processor:
        return _datetime_reader(self.watch)


class SqliteInterval(SqliteType[datetime.timedelta], EpochInterval):
    """Durations as SQLAlchemy's `Interval` stores them."""

    normal_form = "datetime_form"
    own_pattern = _DATETIME_PATTERN
    cache_ok = True

    def bind_processor(self, dialect: Dialect) -> Processor:
        return encoder(lambda value: write_datetime(_EPOCH + value))

    def result_processor(self, dialect: Dialect, coltype: object) -> Processor:
        read = _datetime_reader(self.watch)
        return lambda stored: None if stored is None else read(stored) - _EPOCH


class SqliteMicroseconds(TypeDecorator[datetime.timedelta]):
    """Durations as whole numbers of microseconds; a fraction of one is none, and is not rounded."""

    impl = BigInteger
    cache_ok = True

    def bind_processor(self, dialect: Dialect) -> Processor:
        return encoder(lambda value: value // datetime.timedelta(microseconds=1))

    def result_processor(self, dialect: Dialect, coltype: object) -> Processor:
        def read(stored: Any) -> Any:
            if stored is None:
                return None
            if stored.__class__ is int:
                return datetime.timedelta(microseconds=stored)
            raise ValueError("not a whole number")

        return read


class SqliteDate(SqliteType[datetime.date]):
    """Dates, which are texts of one length."""

    normal_form = "date_form"
    own_pattern = "????-??-??"
    impl = Date
    cache_ok = True

    def bind_processor(self, dialect: Dialect) -> Processor:
        return encoder(lambda value: value.isoformat()[:_DATE_LENGTH])

    def result_processor(self, dialect: Dialect, coltype: object) -> Processor:
        from_iso, read_other = datetime.date.fromisoformat, self.watch.over(read_date)

        def read(stored: Any) -> Any:
            if stored is None:
                return None
            if stored.__class__ is str and len(stored) == _DATE_LENGTH:
                return from_iso(stored)
            return read_other(stored)

        return read


class SqliteTime(SqliteType[datetime.time]):
    """Times of day with microseconds, which are texts of one length."""

    normal_form = "time_form"
    own_pattern = "??:??:??.??????"
    impl = Time
    cache_ok = True

    def bind_processor(self, dialect: Dialect) -> Processor:
        return encoder(write_time)

    def result_processor(self, dialect: Dialect, coltype: object) -> Processor:
        from_iso, read_other = datetime.time.fromisoformat, self.watch.over(read_time)

        def read(stored: Any) -> Any:
            if stored is None:
                return None
            if stored.__class__ is str and len(stored) == _TIME_LENGTH and stored[2] == ":":
                return from_iso(stored)
            return read_other(stored)

        return read


def _write_utc(value: datetime.datetime) -> str:
    return write_datetime(value if value.tzinfo is datetime.UTC else in_utc(value))


def _datetime_reader(watch: SpellingWatch) -> Processor:
    from_iso, read_other = datetime.datetime.fromisoformat, watch.over(read_datetime)

    def read(stored: Any) -> Any:
        if stored is None:
            return None
        if stored.__class__ is str and len(stored) == _DATETIME_LENGTH and stored[10] == " ":
            return from_iso(stored + "+00:00")
        return read_other(stored)

    return read
