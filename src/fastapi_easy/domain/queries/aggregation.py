"""Numbers about many entities at once."""

import decimal
import enum
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Final

from fastapi_easy.domain.field import Comparison, Field, Kind, is_ordered
from fastapi_easy.domain.queries.specification import Everything, Specification

AVERAGE_DIGITS: Final = 6
"""Digits that the average of whole numbers or decimals has after the point, beyond those of its field."""


class Function(enum.StrEnum):
    """A function of the values of a field. The value is its spelling in a query. Nulls are left out.

    Of no values at all COUNT is 0, and all others are null.
    """

    COUNT = "count"
    SUM = "sum"
    AVERAGE = "avg"
    MINIMUM = "min"
    MAXIMUM = "max"


_EXACT: Final = decimal.Context(prec=decimal.MAX_PREC, Emax=decimal.MAX_EMAX, Emin=decimal.MIN_EMIN)

_SUMMABLE_KINDS: Final = frozenset({Kind.INTEGER, Kind.DECIMAL, Kind.FLOAT})


def functions_of(field: Field) -> tuple[Function, ...]:
    """Return the functions that mean something for the values of *field*."""
    functions: tuple[Function, ...] = (Function.COUNT,)
    if field.kind in _SUMMABLE_KINDS and field.comparison is Comparison.FULL:
        functions += (Function.SUM, Function.AVERAGE)
    if is_ordered(field):
        functions += (Function.MINIMUM, Function.MAXIMUM)
    return functions


@dataclass(frozen=True, slots=True)
class Measure:
    """One number to compute.

    Attributes:
        function: What is made of the values.

        field: Of which field; `None` only for COUNT, which then counts entities.
    """

    function: Function
    field: str | None = None

    @property
    def name(self) -> str:
        """The name that callers write: `count`, `sum:price`."""
        return str(self.function) if self.field is None else f"{self.function}:{self.field}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Aggregation:
    """The numbers to compute, of which entities, grouped by which fields.

    Attributes:
        measures: The numbers, at least one.

        group_by: The fields whose equal values make a group, nulls being equal; without any there is one group,
            also when there are no entities.

        specification: Which entities.

        limit: Groups at most; 1 or more.

        offset: Groups to skip, in the order of `group_by`, nulls last.
    """

    measures: tuple[Measure, ...]
    group_by: tuple[str, ...] = ()
    specification: Specification = Everything()
    limit: int = 100
    offset: int = 0

    @property
    def fields(self) -> tuple[str, ...]:
        """The fields that its numbers and groups are made of."""
        return (*self.group_by, *(each.field for each in self.measures if each.field is not None))


@dataclass(frozen=True, slots=True)
class Group:
    """One group of entities and its numbers.

    Attributes:
        by: The values of `Aggregation.group_by`, in its order.

        totals: One for each measure, in their order. Sums keep the type of their field and are exact except for
            FLOAT. An average is a FLOAT for a FLOAT field, else a decimal, rounded half to even to
            `AVERAGE_DIGITS` more digits than its field has.
    """

    by: tuple[object, ...]
    totals: tuple[object, ...]


def average(total: Any, count: int, field: Field) -> Any:
    """Return the average of *count* values of *field* whose sum is *total*, as `Group` says.

    Where nothing says how many digits the field has, it has those of *total*.
    """
    if field.kind is Kind.FLOAT:
        return total / count
    exact = decimal.Decimal(total)
    exponent = exact.as_tuple().exponent
    own = field.scale if field.scale is not None else -int(exponent)
    digits = max(own, 0) + AVERAGE_DIGITS
    rounded = round(Fraction(exact) / count * 10**digits)
    return _EXACT.scaleb(decimal.Decimal(rounded), -digits)
