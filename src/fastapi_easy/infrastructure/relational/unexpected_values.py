"""Values that Python's types, or JSON, cannot hold, on their way between a server and a row (ADR 40)."""

import datetime
import decimal
import math
from typing import Any, Final

from sqlalchemy import Numeric
from sqlalchemy.engine import Dialect
from sqlalchemy.types import TypeDecorator, TypeEngine

from fastapi_easy.domain.values.unexpected import UnexpectedValue

NON_FINITE_TEXTS: Final = "NaN|-?Infinity"
"""Numbers of PostgreSQL that JSON has no form for, as it spells them."""

LONG_DECIMAL_TEXTS: Final = r"-?[0-9]{1,1000}(\.[0-9]{1,1000})?"
"""Decimals of more digits than are read where a class declares none."""


class ComparedDecimal(TypeDecorator[decimal.Decimal]):
    """What a column of decimals is compared with: a decimal of any number of digits."""

    impl = Numeric
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: Dialect) -> Any:
        """Return the number that *value* stands for."""
        return decimal.Decimal(value.shown) if isinstance(value, UnexpectedValue) else value


class PostgresNumber(TypeDecorator[Any]):
    """Decimals and floats of PostgreSQL, which may be NaN or infinite.

    Args:
        declared: The type in the class.
    """

    impl = Numeric
    cache_ok = True

    def __init__(self, declared: TypeEngine[Any]) -> None:
        super().__init__()
        self.declared = declared
        self.impl = declared  # type: ignore[assignment] # an instance, which SQLAlchemy makes of a class
        self.is_decimal = bool(getattr(declared, "asdecimal", False))

    @property
    def compared(self) -> TypeEngine[Any]:
        """The type of what the column is compared with: decimals of any number of digits."""
        return ComparedDecimal() if self.is_decimal else self

    @property
    def python_class(self) -> type[decimal.Decimal | float]:
        """The class of its finite values."""
        return decimal.Decimal if self.is_decimal else float

    def process_bind_param(self, value: Any, dialect: Dialect) -> Any:
        """Return the number that *value* stands for."""
        return self.python_class(value.shown) if isinstance(value, UnexpectedValue) else value

    def process_result_value(self, value: Any, dialect: Dialect) -> Any:
        """Return *value*, or what stands for it."""
        return self.read(value)

    def read(self, value: Any) -> Any:
        """Return *value* as a number of the class, or what stands for it where JSON has no such number."""
        if value is None:
            return None
        if not math.isfinite(value):
            return UnexpectedValue(number_text(value))
        if isinstance(value, self.python_class):
            return value
        return decimal.Decimal(str(value)) if self.is_decimal else float(value)


def bindable(value: UnexpectedValue, dialect: Dialect) -> Any:
    """Return what to hand to the driver for a time: those for PostgreSQL know the value, others send its text."""
    return value if dialect.name == "postgresql" else value.shown


def unexpected_time(value: Any) -> Any:
    """Return what stands for *value*, which a driver gave for a point in time and which is none of Python's."""
    match value:
        case str():
            # What a driver for MySQL leaves of a date that has no day: '2024-00-00'.
            return UnexpectedValue(value)
        case datetime.date() if not isinstance(value, datetime.datetime):
            return datetime.datetime(value.year, value.month, value.day, tzinfo=datetime.UTC)
        case datetime.datetime():
            return UnexpectedValue(value.isoformat(" "))
        case _:
            return value


def number_text(value: float | decimal.Decimal) -> str:
    """Return a number that is not finite as PostgreSQL spells it."""
    if math.isnan(value):
        return "NaN"
    return "Infinity" if value > 0 else "-Infinity"


def read_decimal(text: str) -> decimal.Decimal | UnexpectedValue:
    """Return the number that PostgreSQL has spelt."""
    number = decimal.Decimal(text)
    return number if number.is_finite() else UnexpectedValue(text)
