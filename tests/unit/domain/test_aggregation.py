"""What can be made of the values of a field, and what it is called."""

import decimal

import pytest

from fastapi_easy.domain.field import ORDERED, Field, Kind
from fastapi_easy.domain.queries.aggregation import Function, Measure, average, functions_of

EVERY = tuple(Function)
RANGE = (Function.COUNT, Function.MINIMUM, Function.MAXIMUM)
COUNTED = (Function.COUNT,)


@pytest.mark.parametrize(
    ("kind", "functions"),
    [
        *((kind, EVERY) for kind in (Kind.INTEGER, Kind.DECIMAL, Kind.FLOAT)),
        *(
            (kind, RANGE)
            for kind in (Kind.TEXT, Kind.DATE, Kind.TIME, Kind.DATETIME, Kind.DURATION, Kind.UUID)
        ),
        *((kind, COUNTED) for kind in (Kind.BOOLEAN, Kind.ENUM, Kind.JSON, Kind.ARRAY, Kind.BINARY)),
    ],
)
def test_each_kind_has_its_functions(kind, functions):
    assert set(functions_of(Field(name="a", kind=kind))) == set(functions)


def test_what_has_an_order_has_extremes():
    extremes = {Function.MINIMUM, Function.MAXIMUM}

    assert {kind for kind in Kind if extremes <= set(functions_of(Field(name="a", kind=kind)))} == ORDERED


@pytest.mark.parametrize(
    ("measure", "name"),
    [
        (Measure(Function.COUNT), "count"),
        (Measure(Function.COUNT, "price"), "count:price"),
        (Measure(Function.AVERAGE, "price"), "avg:price"),
    ],
)
def test_a_measure_is_called_as_callers_write_it(measure, name):
    assert measure.name == name


@pytest.mark.parametrize(
    ("kind", "scale", "total", "count", "expected"),
    [
        (Kind.INTEGER, None, 7, 3, "2.333333"),
        (Kind.INTEGER, None, -7, 3, "-2.333333"),
        (Kind.INTEGER, None, 2**70, 1, "1180591620717411303424.000000"),
        (Kind.INTEGER, None, 1, 2_000_000, "0.000000"),
        (Kind.INTEGER, None, 3, 2_000_000, "0.000002"),
        (Kind.DECIMAL, 2, decimal.Decimal("0.10"), 3, "0.03333333"),
        (Kind.DECIMAL, 0, decimal.Decimal(5), 2, "2.500000"),
        (Kind.DECIMAL, None, decimal.Decimal("0.125"), 2, "0.062500000"),
        (Kind.DECIMAL, None, decimal.Decimal("1E+3"), 3, "333.333333"),
    ],
)
def test_an_average_has_six_digits_more_than_its_field_and_rounds_to_even(
    kind, scale, total, count, expected
):
    assert str(average(total, count, Field(name="a", kind=kind, scale=scale))) == expected


def test_the_average_of_floats_is_one():
    assert average(1.0, 4, Field(name="a", kind=Kind.FLOAT)) == 0.25
