"""Numbers and truth values on SQLite."""

import decimal
from typing import Any, Final

from sqlalchemy import Boolean, Float
from sqlalchemy.engine import Dialect
from sqlalchemy.types import TypeDecorator, UserDefinedType

from fastapi_easy.domain.values.decimal_digits import significant_digits, too_many_digits
from fastapi_easy.infrastructure.relational.column_types import Unstorable, plain_decimal
from fastapi_easy.infrastructure.relational.sqlite.spelled_type import Processor, SqliteType, encoder
from fastapi_easy.infrastructure.relational.sqlite.spellings import nearest_number, read_decimal

SQLITE_DIGITS: Final = 15
"""Significant digits that a double keeps (ADR 12)."""

SQLITE_OTHER_NUMBERS: Final = "-?Infinity"
"""How numbers are shown that it stores, and that JSON has no form for."""

_TRUTH: Final = {None: None, 0: False, 1: True}
_ROOMY: Final = decimal.Context(prec=400, rounding=decimal.ROUND_HALF_UP)
_LOSSLESS: Final = decimal.Context(prec=400, traps=[decimal.Inexact, decimal.InvalidOperation])


class SqliteBoolean(TypeDecorator[bool]):
    """Truth values, which are 0 and 1; `'false'` is neither."""

    impl = Boolean
    cache_ok = True

    def bind_processor(self, dialect: Dialect) -> Processor:
        return encoder(int)

    def result_processor(self, dialect: Dialect, coltype: object) -> Processor:
        return _TRUTH.__getitem__


class SqliteFloat(TypeDecorator[float]):
    """Floats, of which SQLite's RETURNING gives a whole one back as an integer."""

    impl = Float
    cache_ok = True

    def bind_processor(self, dialect: Dialect) -> Processor:
        return encoder(float)

    def result_processor(self, dialect: Dialect, coltype: object) -> Processor:
        def read(stored: Any) -> float | None:
            if stored.__class__ is float and stored - stored == 0:
                number: float = stored
                return number
            if stored is None:
                return None
            if stored.__class__ is int:
                return float(stored)
            # Also what is infinite, which no answer can show as a number.
            raise ValueError("not a finite number")

        return read


class _Numeric(UserDefinedType[Any]):
    """NUMERIC(p, s) without SQLAlchemy's own conversion, which warns on SQLite."""

    cache_ok = True

    def __init__(self, precision: int | None, scale: int | None) -> None:
        self.precision = precision
        self.scale = scale

    def get_col_spec(self, **_: Any) -> str:
        if self.precision is None:
            return "NUMERIC"
        return f"NUMERIC({self.precision}, {self.scale or 0})"


class SqliteDecimal(SqliteType[decimal.Decimal]):
    """Decimals: numbers, exact up to `SQLITE_DIGITS` digits.

    A number of more places than declared, which only others store, is read with all of them: cut off, it would not be
    what statements compare.

    Args:
        precision: As declared.

        scale: As declared; puts back trailing zeros.

        strict: Whether more digits than fit are refused; otherwise the nearest number is compared with.
    """

    normal_form = "number_form"
    impl = _Numeric
    cache_ok = True

    def __init__(self, precision: int | None, scale: int | None, strict: bool = True) -> None:
        super().__init__(precision, scale)
        self.precision = precision
        self.scale = scale
        self.strict = strict

    def bind_processor(self, dialect: Dialect) -> Processor:
        return encoder(self._encode if self.strict else _compared)

    def result_processor(self, dialect: Dialect, coltype: object) -> Processor:
        if self.scale is None:
            return lambda stored: None if stored is None else plain_decimal(read_decimal(stored))
        unit = decimal.Decimal(1).scaleb(-self.scale)

        def read(stored: Any) -> decimal.Decimal | None:
            if stored is None:
                return None
            number = read_decimal(stored)
            try:
                return _LOSSLESS.quantize(number, unit)
            except decimal.Inexact:
                return plain_decimal(number)

        return read

    def _encode(self, value: Any) -> float:
        number = decimal.Decimal(value)
        if not number.is_finite():
            raise Unstorable("not a finite number")
        if self.scale is not None:
            number = _ROOMY.quantize(number, decimal.Decimal(1).scaleb(-self.scale))
        if significant_digits(number) > SQLITE_DIGITS:
            raise Unstorable(too_many_digits(SQLITE_DIGITS))
        # A float also for whole numbers: SQLite stores it as an integer where it can.
        return float(number)


def _compared(value: Any) -> int | float:
    return nearest_number(decimal.Decimal(value))
