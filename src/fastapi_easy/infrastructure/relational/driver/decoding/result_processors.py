"""What decodes the values of one column, by its declared type and the driver."""

import datetime
import decimal
from collections.abc import Callable, Sequence
from typing import Any, Final, TypeAlias

from sqlalchemy import JSON, Float, Numeric
from sqlalchemy.engine import Dialect
from sqlalchemy.types import ARRAY, TypeDecorator

from fastapi_easy.infrastructure.relational.column_types import ColumnType, TextDecimal, UtcDateTime
from fastapi_easy.infrastructure.relational.driver.decoding.json_text import parse_json
from fastapi_easy.infrastructure.relational.unexpected_values import PostgresNumber, read_decimal

Processor: TypeAlias = Callable[[Any], Any]

_DECIMALS: Final = 1700
_FLOATS: Final = 701
"""OIDs of PostgreSQL's NUMERIC and FLOAT8, as results report them; the declared type is assumed to be there."""


def result_processor(declared: ColumnType, dialect: Dialect) -> Processor | None:
    """Return what decodes a value of type *declared*; `None` when it stays as it is."""
    impl = declared.dialect_impl(dialect)
    if dialect.driver != "asyncpg":
        return impl.result_processor(dialect, None)
    if isinstance(declared, PostgresNumber):
        # Looked at by `_numbers`, all of a column at once.
        return None
    if (read := text_processor(declared, dialect)) is not None:
        return _unless_null(read)
    if isinstance(impl, Numeric | Float):
        # SQLAlchemy chooses by the type that each result reports; asyncpg's values show it themselves.
        return _as_decimal if impl.asdecimal else _as_float
    return impl.result_processor(dialect, _DECIMALS if _holds_decimals(declared) else _FLOATS)


def text_processor(declared: ColumnType, dialect: Dialect) -> Callable[[str], object] | None:
    """Return what parses a value that asyncpg leaves as text; the server has written it, so that it is well-formed."""
    if dialect.driver != "asyncpg":
        return None
    if isinstance(declared, TextDecimal):
        return read_decimal
    return parse_json if isinstance(declared, JSON) else None


def are_finite(right: type, values: Sequence[Any]) -> bool:
    """Return whether all of *values*, a column of one type, are of the type *right*, and finite or null."""
    if type(values[0]) is not right:
        return False
    try:
        # One that is not finite shows in the sum.
        total = sum(filter(None, values))
        return bool(total - total == 0)
    except (TypeError, ArithmeticError):
        return False


def _unless_null(read: Callable[[str], object]) -> Processor:
    return lambda text: None if text is None else read(text)


def expected_type(declared: ColumnType, dialect: Dialect) -> Any:
    """Return the type, or the time zone, of a first value which shows that the column needs no decoding.

    A column of PostgreSQL's is of one type, whatever was declared, and asyncpg gives what it is.
    """
    if dialect.driver != "asyncpg":
        return None
    impl = declared.dialect_impl(dialect)
    if isinstance(declared, UtcDateTime):
        return datetime.UTC
    if isinstance(impl, Numeric | Float):
        return decimal.Decimal if impl.asdecimal else float
    return None


def _holds_decimals(declared: ColumnType) -> bool:
    """Return whether *declared*, an array or a decorated type perhaps, has decimals as its values in Python."""
    inner: Any = declared
    while isinstance(inner, TypeDecorator | ARRAY):
        inner = inner.item_type if isinstance(inner, ARRAY) else inner.impl_instance
    return bool(getattr(inner, "asdecimal", False))


def _as_decimal(value: object) -> object:
    return decimal.Decimal(str(value)) if isinstance(value, float) else value


def _as_float(value: object) -> object:
    return float(value) if isinstance(value, decimal.Decimal) else value
