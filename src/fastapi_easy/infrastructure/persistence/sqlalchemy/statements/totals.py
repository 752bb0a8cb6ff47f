"""Aggregates that come out exact on every server: the columns to select, and how to combine their answers.

SQLite adds whole numbers in 64 bits and fails on overflow, and decimals as floats. There a sum is selected in parts
that cannot overflow, which are added up in Python.
"""

import decimal
from collections.abc import Callable, Sequence
from typing import Any, Final, Protocol, assert_never

from sqlalchemy import (
    ColumnElement,
    Double,
    Integer,
    String,
    Text,
    and_,
    case,
    cast,
    func,
    literal_column,
    not_,
    type_coerce,
)
from sqlalchemy.dialects import postgresql
from sqlalchemy.types import NullType, TypeDecorator

from fastapi_easy.domain.field import Field, Kind
from fastapi_easy.domain.queries.aggregation import Function, Measure, average
from fastapi_easy.domain.values.unexpected import UnexpectedValue
from fastapi_easy.infrastructure.persistence.sqlalchemy.statements.terms import Term, Terms
from fastapi_easy.infrastructure.persistence.sqlalchemy.tables.server_types.text_types import ServerText
from fastapi_easy.infrastructure.relational.column_types import MysqlDecimal, plain_decimal
from fastapi_easy.infrastructure.relational.sqlite.checked_types import CheckedInteger
from fastapi_easy.infrastructure.relational.sqlite.number_types import (
    SQLITE_DIGITS,
    SqliteDecimal,
    SqliteFloat,
)

_EXACT: Final = decimal.Context(prec=decimal.MAX_PREC, Emax=decimal.MAX_EMAX, Emin=decimal.MIN_EMIN)
_CONVERTED_BY_US: Final = (SqliteDecimal, SqliteFloat, CheckedInteger, MysqlDecimal)
_LOWER: Final = 32
"""Bits of the lower part of a whole number."""


class Total(Protocol):
    """One number about many rows."""

    @property
    def width(self) -> int:
        """The number of columns it takes."""
        ...

    def columns(self) -> Sequence[Term]:
        """Return the columns to select."""
        ...

    def read(self, answers: Sequence[Any]) -> Any:
        """Compute the number from the answer for each column."""
        ...


def total_of(measure: Measure, terms: Terms) -> Total:
    """Return the number that *measure* asks for."""
    name = measure.field
    if name is None:
        return _Plain(func.count, int)
    match measure.function:
        case Function.COUNT:
            return _Plain(lambda: func.count(terms.plain(name)), int)
        case Function.SUM:
            return _sum(name, terms)
        case Function.AVERAGE:
            return _Average(name, terms)
        case Function.MINIMUM:
            return _Plain(lambda: _extreme(func.min, name, terms))
        case Function.MAXIMUM:
            return _Plain(lambda: _extreme(func.max, name, terms))
        case _:
            assert_never(measure.function)


class _Plain:
    """A number that the database gets right by itself."""

    width = 1

    def __init__(self, column: Callable[[], Term], to: Callable[[Any], Any] | None = None) -> None:
        self._column = column
        self._to = to

    def columns(self) -> Sequence[Term]:
        """Return the number itself."""
        return (self._column(),)

    def read(self, answers: Sequence[Any]) -> Any:
        """Return the number itself."""
        return answers[0] if answers[0] is None or self._to is None else self._to(answers[0])


class _Average:
    """An average, computed in Python from an exact sum: databases round in different ways."""

    def __init__(self, name: str, terms: Terms) -> None:
        self._column = _summands(name, terms)
        self._field = terms.fields[name]
        self._sum = _sum(name, terms)
        self.width = self._sum.width + 1

    def columns(self) -> Sequence[Term]:
        """Return sum and count."""
        return (*self._sum.columns(), func.count(self._column))

    def read(self, answers: Sequence[Any]) -> Any:
        """Divide the sum by the count."""
        count = int(answers[-1])
        total = self._sum.read(answers[:-1])
        if not count or isinstance(total, UnexpectedValue):
            # The average of what adds up to NaN, or to infinity, is just that.
            return total if count else None
        return average(total, count, self._field)


class _WholeNumbers:
    """A sum of whole numbers in two parts of 32 bits."""

    width = 2

    def __init__(self, column: Term) -> None:
        self._column = column

    def columns(self) -> Sequence[Term]:
        """Return the sum of the upper parts, which carry the sign, and that of the lower parts."""
        return _halves(self._column)

    def read(self, answers: Sequence[Any]) -> Any:
        """Add both parts."""
        return _whole(answers[0], answers[1])


class _Decimals:
    """A sum of decimals, as whole numbers where they are small enough and their digits are known, else as text."""

    width = 3

    def __init__(self, column: Term, scale: int | None) -> None:
        self._column: ColumnElement[float] = type_coerce(column, Double())
        self._scale = scale

    def columns(self) -> Sequence[Term]:
        """Return two halves of the scaled sum, and a text that lists the numbers too large for it."""
        # With as many digits as tell any two floats apart.
        float_text = func.printf(literal_column("'%!.17g'"), self._column, type_=String())
        is_whole = func.typeof(self._column) == literal_column("'integer'")
        written = case((is_whole, cast(self._column, Text)), else_=float_text)
        separator: ColumnElement[str] = literal_column("' '")
        scale = SQLITE_DIGITS if self._scale is None else self._scale
        limit: ColumnElement[float] = literal_column(
            "0" if self._scale is None else f"1e{SQLITE_DIGITS - scale}"
        )
        size = func.abs(self._column)
        unit: ColumnElement[float] = literal_column(f"1e{scale}")
        whole = func.round(self._column * unit)
        # Others may have stored more digits than declared: whether a number has, shows on the way back.
        fits = and_(size < limit, whole / unit == self._column)
        scaled = case((fits, cast(whole, Integer)))
        # Not of what is null, which would be written as a zero.
        rest = case((not_(fits), written))
        return (*_halves(scaled), func.group_concat(rest, separator, type_=String()))

    def read(self, answers: Sequence[Any]) -> Any:
        """Add all parts."""
        upper, lower, rest = answers
        whole = _whole(upper, lower)
        parts = [] if whole is None else [_EXACT.scaleb(decimal.Decimal(whole), -(self._scale or 0))]
        parts += [_number(each) for each in (rest or "").split()]
        if not parts:
            return None
        total = decimal.Decimal(0)
        for each in parts:
            total = _EXACT.add(total, each)
        if self._scale is None or int(total.as_tuple().exponent) < -self._scale:
            return total
        return _EXACT.quantize(total, decimal.Decimal(1).scaleb(-self._scale))


def _number(written: str) -> decimal.Decimal:
    """Read a whole number, or of a float the shortest text that names it, as it is shown."""
    if written.lstrip("-").isdecimal():
        return decimal.Decimal(written)
    return plain_decimal(decimal.Decimal(repr(float(written))))


def _sum(name: str, terms: Terms) -> Total:
    column, kind = _summands(name, terms), terms.fields[name].kind
    own = terms.plain(name).type
    if isinstance(own, TypeDecorator) and not isinstance(own, _CONVERTED_BY_US):
        # The user's own, which knows what is stored.
        return _Plain(lambda: func.sum(terms.plain(name), type_=own))
    is_sqlite = terms.server.name == "sqlite"
    match kind:
        case Kind.INTEGER:
            return (
                _WholeNumbers(column)
                if is_sqlite
                else _Plain(lambda: func.sum(column, type_=NullType()), int)
            )
        case Kind.DECIMAL if is_sqlite:
            return _Decimals(column, terms.fields[name].scale)
        case Kind.DECIMAL | Kind.FLOAT:
            return _Plain(lambda: func.sum(column, type_=own))
        # `functions_of` offers no sum of these, so that a query never asks for one.
        case Kind.TEXT | Kind.BOOLEAN | Kind.DATE | Kind.TIME | Kind.DATETIME | Kind.DURATION:
            return _Plain(lambda: func.sum(column, type_=own))
        case Kind.UUID | Kind.BINARY | Kind.ENUM | Kind.JSON | Kind.ARRAY:
            return _Plain(lambda: func.sum(column, type_=own))
        case _:
            assert_never(kind)


def _summands(name: str, terms: Terms) -> Term:
    """Return what sums and averages are made of: on SQLite the finite numbers among the values, which may be any."""
    column, kind = terms.plain(name), terms.fields[name].kind
    if terms.server.name != "sqlite" or kind not in {Kind.INTEGER, Kind.DECIMAL, Kind.FLOAT}:
        return column
    value: Term = type_coerce(terms.ordered(name), Double())
    kinds = ("'integer'",) if kind is Kind.INTEGER else ("'integer'", "'real'")
    is_number = func.typeof(value).in_([literal_column(each) for each in kinds])
    # What is infinite has no difference from itself.
    is_finite = value - value == literal_column("0")
    numbers: Term = case((and_(is_number, is_finite), value))
    return numbers


def _halves(column: Term) -> tuple[Term, Term]:
    upper = column.op(">>")(literal_column(str(_LOWER)))
    lower = column.op("&")(literal_column(str(2**_LOWER - 1)))
    return func.sum(upper, type_=NullType()), func.sum(lower, type_=NullType())


def _whole(upper: int | None, lower: int | None) -> int | None:
    return None if upper is None or lower is None else (upper << _LOWER) + lower


def _extreme(function: Callable[..., Term], name: str, terms: Terms) -> Term:
    column, field = terms.plain(name), terms.fields[name]
    if _lacks_min_max(field, terms):
        text: Term = cast(function(cast(column, Text).collate("C")), column.type)
        return text
    extreme: Term = function(terms.ordered(name), type_=column.type)
    return extreme


def _lacks_min_max(field: Field, terms: Terms) -> bool:
    """Return whether the server has no `min` and `max` for *field*: PostgreSQL sorts UUIDs, but has neither of them."""
    return terms.server.name == "postgresql" and (
        field.kind is Kind.UUID or (field.kind is Kind.TEXT and _is_mac_address(terms.plain(field.name).type))
    )


def _is_mac_address(type_: object) -> bool:
    return isinstance(type_, ServerText) and isinstance(
        type_.declared, postgresql.MACADDR | postgresql.MACADDR8
    )
