"""A field whose store refuses values says so where they are read."""

import pytest

from fastapi_easy.domain.field import Comparison, Field, Kind, is_ordered
from fastapi_easy.domain.queries.aggregation import Function, functions_of
from fastapi_easy.domain.values.kind_format import ParseError
from fastapi_easy.domain.values.value_parsing import from_json_value, parse_value, read_text


def even(value: int) -> None:
    if value % 2:
        raise ParseError("must be even", "odd")


FIELD = Field(name="n", kind=Kind.INTEGER, check=even)


@pytest.mark.parametrize(
    "read", [lambda: read_text(FIELD, "3"), lambda: parse_value(FIELD, 3)], ids=["text", "JSON"]
)
def test_a_value_that_the_store_refuses_cannot_be_read(read) -> None:
    with pytest.raises(ParseError, match="must be even"):
        read()


def test_what_the_store_takes_is_read() -> None:
    assert (read_text(FIELD, "4"), parse_value(FIELD, 4)) == (4, 4)


def test_a_cursor_may_hold_what_the_store_has_given_and_would_refuse() -> None:
    field = Field(name="n", kind=Kind.DECIMAL, check=even)

    assert from_json_value(field, 3) == 3


@pytest.mark.parametrize(
    ("comparison", "ordered", "functions"),
    [
        (Comparison.EQUALITY, False, {"count"}),
        (Comparison.ORDER, True, {"count", "min", "max"}),
        (Comparison.FULL, True, set(Function)),
    ],
)
def test_a_store_that_compares_less_orders_and_sums_less(comparison, ordered, functions) -> None:
    field = Field(name="n", kind=Kind.INTEGER, comparison=comparison)

    assert (is_ordered(field), set(functions_of(field))) == (ordered, functions)
