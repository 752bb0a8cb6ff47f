"""Types of columns on MySQL and MariaDB that hold more than Python's do: days without a month, times beyond a day."""

import datetime
from typing import Any, Final

from sqlalchemy import Boolean, Date
from sqlalchemy.dialects import mysql
from sqlalchemy.engine import Dialect

from fastapi_easy.domain.values.unexpected import UnexpectedValue

DATE_TEXTS: Final = r"0000-[0-9]{2}-[0-9]{2}|[0-9]{4}-00-[0-9]{2}|[0-9]{4}-[0-9]{2}-00"
"""Dates without a year, a month or a day, as the server spells them."""

DATETIME_TEXTS: Final = rf"({DATE_TEXTS})( [0-9]{{2}}:[0-9]{{2}}:[0-9]{{2}}(\.[0-9]{{1,6}})?)?"
"""Points in time on such dates."""

TIME_TEXTS: Final = r"-?[0-9]{2,3}:[0-5][0-9]:[0-5][0-9](\.[0-9]{1,6})?"
"""Times before midnight, and beyond a day."""

BOOLEAN_TEXTS: Final = r"-?[0-9]{1,3}"
"""Numbers in a column of truth values, which is one of whole numbers there."""

_MIDNIGHT: Final = datetime.datetime(1, 1, 1)  # noqa: DTZ001 - only the time of day is used


class MysqlDate(Date):
    """Dates, which may lack a year, a month or a day."""

    def bind_processor(self, dialect: Dialect) -> Any:
        """Return what makes a value one that the driver sends."""
        return _shown

    def result_processor(self, dialect: Dialect, coltype: object) -> Any:
        """Return what reads a date: drivers leave the text of what is none."""
        return lambda value: UnexpectedValue(value) if isinstance(value, str) else value


class MicrosecondTime(mysql.TIME):
    """Times of day with microseconds; the server's type is one of durations of up to 838 hours in both directions."""

    def __init__(self) -> None:
        super().__init__(fsp=6)

    def bind_processor(self, dialect: Dialect) -> Any:
        """Return what makes a value one that the driver sends."""
        return _shown

    def result_processor(self, dialect: Dialect, coltype: object) -> Any:
        """Return what reads the duration that drivers give; SQLAlchemy's own drops days and signs."""

        def read(value: datetime.timedelta | None) -> Any:
            if value is None:
                return None
            return UnexpectedValue(_clock_text(value)) if value.days else (_MIDNIGHT + value).time()

        return read


class _Truths(dict[object, object]):
    """Truth values by what drivers give for a TINYINT and for a BIT; a look-up is quicker than a function."""

    def __missing__(self, value: object) -> object:
        """Return what stands for another number, which SQLAlchemy takes for true, with which no filter finds it."""
        return UnexpectedValue(value)


_READ_TRUTH: Final = _Truths({None: None, 0: False, 1: True, b"\x00": False, b"\x01": True}).__getitem__


class MysqlBoolean(Boolean):
    """Truth values, which are whole numbers there, or bits."""

    def bind_processor(self, dialect: Dialect) -> Any:
        """Return what makes a value one that the driver sends."""
        return lambda value: int(_shown(value)) if value is not None else None

    def result_processor(self, dialect: Dialect, coltype: object) -> Any:
        """Return what reads a number."""
        return _READ_TRUTH


def _shown(value: Any) -> Any:
    return value.shown if isinstance(value, UnexpectedValue) else value


def _clock_text(length: datetime.timedelta) -> str:
    """Return *length* as the server spells it."""
    sign, length = ("-", -length) if length < datetime.timedelta() else ("", length)
    minutes, seconds = divmod(length.seconds, 60)
    hours, minutes = divmod(minutes, 60)
    fraction = f".{length.microseconds:06d}" if length.microseconds else ""
    return f"{sign}{length.days * 24 + hours:02d}:{minutes:02d}:{seconds:02d}{fraction}"
