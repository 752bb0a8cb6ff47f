"""Floats of single precision, which Python has none of (ADR 40).

What is shown is the shortest decimal that names the stored number: 0.15, and not 0.15000000596046448. What is compared
is the stored number itself, as a double, so that every comparison is exact and served by an index.
"""

import decimal
import math
import struct
from typing import Any, Final

from sqlalchemy import REAL, Double, Text, cast, literal_column, type_coerce
from sqlalchemy.dialects import mysql
from sqlalchemy.engine import Dialect
from sqlalchemy.types import TypeDecorator, TypeEngine

from fastapi_easy.domain.values.unexpected import UnexpectedValue
from fastapi_easy.infrastructure.relational.unexpected_values import number_text

_SINGLE: Final = struct.Struct("<f")
_SMALLEST_NORMAL: Final = 2.0**-126
_DIGITS: Final = range(6, 9)
"""Significant digits that may tell a number of single precision from all others; nine always do."""

_FEW_DIGITS: Final = range(1, 9)
"""The same for the smallest, which have less precision."""


def nearest_single(number: float) -> float:
    """Return the number of single precision nearest to *number*; itself where it is beyond all of them."""
    try:
        nearest: float = _SINGLE.unpack(_SINGLE.pack(number))[0]
    except OverflowError:
        return number
    return nearest


def shortest_single(number: float) -> float:
    """Return the shortest decimal, as a double, that names the number of single precision nearest to *number*."""
    nearest = nearest_single(number)
    for digits in _DIGITS if abs(nearest) >= _SMALLEST_NORMAL else _FEW_DIGITS:
        shown = float(f"{nearest:.{digits}g}")
        if nearest_single(shown) == nearest:
            return shown
    return float(f"{nearest:.9g}")


def comparable_single(number: float) -> float:
    """Return the double with which a column of single precision compares as the numbers that are shown of it do.

    That is the stored number for one that is shown, or is stored just so; for all others one between its neighbours.
    """
    nearest = nearest_single(number)
    if nearest == number or not math.isfinite(nearest):
        return nearest
    shown = shortest_single(nearest)
    # Not only that very one: of two names of the same length each server may choose another.
    if _significant_digits(number) <= _significant_digits(shown):
        return nearest
    return math.nextafter(nearest, -math.inf if shown > number else math.inf)


def _significant_digits(number: float) -> int:
    return len(decimal.Decimal(repr(number)).normalize().as_tuple().digits)


class ComparedFloat(TypeDecorator[Any]):
    """What a column of floats is compared with: a double.

    Args:
        is_single: Whether the column is of single precision.
    """

    impl = Double
    cache_ok = True

    def __init__(self, *, is_single: bool) -> None:
        super().__init__()
        self.is_single = is_single

    def process_bind_param(self, value: Any, dialect: Dialect) -> float | None:
        """Return the double to compare with."""
        if value is None:
            return None
        number = _double(value)
        return comparable_single(number) if self.is_single else number


class StoredFloat(TypeDecorator[Any]):
    """A column of floats that are not those of Python: of single precision, or for a field of decimals.

    Args:
        is_single: Whether the column is of single precision.

        as_decimal: Whether the values of the field are decimals.
    """

    impl = Double
    cache_ok = True

    def __init__(self, *, is_single: bool, as_decimal: bool = False) -> None:
        super().__init__()
        self.is_single = is_single
        self.as_decimal = as_decimal

    @property
    def compared(self) -> TypeEngine[Any]:
        """The type of what the column is compared with."""
        return ComparedFloat(is_single=self.is_single)

    def process_bind_param(self, value: Any, dialect: Dialect) -> float | None:
        """Return the double to write."""
        return None if value is None else _double(value)

    def process_result_value(self, value: Any, dialect: Dialect) -> Any:
        """Return the number to show."""
        if value is None:
            return None
        if not math.isfinite(value):
            return UnexpectedValue(number_text(value))
        return decimal.Decimal(repr(float(value))) if self.as_decimal else float(value)


class PostgresStoredFloat(StoredFloat):
    """The same on PostgreSQL, whose own text of a number is the shortest that names it."""

    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """Return the type that *dialect* has for it."""
        return dialect.type_descriptor(REAL() if self.is_single else Double())

    def column_expression(self, column: Any) -> Any:
        """Select the double that is shown."""
        return type_coerce(cast(cast(column, Text), Double), self) if self.is_single else column


class PostgresSingleItem(PostgresStoredFloat):
    """An item of an array of single precision, which is selected as it is."""

    cache_ok = True

    def process_result_value(self, value: Any, dialect: Dialect) -> Any:
        """Return the number to show."""
        return super().process_result_value(None if value is None else shortest_single(value), dialect)


class MysqlStoredFloat(StoredFloat):
    """The same on MySQL and MariaDB, whose text of a number of single precision has six digits and no more."""

    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """Return the type that *dialect* has for it."""
        return dialect.type_descriptor(mysql.FLOAT(asdecimal=False) if self.is_single else Double())

    def column_expression(self, column: Any) -> Any:
        """Select the stored number as a double."""
        return type_coerce(column + literal_column("0e0"), self) if self.is_single else column

    def process_result_value(self, value: Any, dialect: Dialect) -> Any:
        """Return the number to show."""
        exact = shortest_single(value) if self.is_single and value is not None else value
        return super().process_result_value(exact, dialect)


def _double(value: Any) -> float:
    return float(value.shown if isinstance(value, UnexpectedValue) else value)
