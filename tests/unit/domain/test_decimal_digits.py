"""What OpenAPI says of decimals is what is read."""

import re
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter

from fastapi_easy.domain.field import Field, Kind
from fastapi_easy.infrastructure.validation.kinds import input_type

DIGITS = {
    "nothing declared": (None, None, None),
    "fifteen kept": (None, None, 15),
    "more declared than kept": (20, 8, 15),
    "many declared": (38, 10, 15),
    "mostly fractions": (20, 18, 15),
    "only fractions": (20, 20, 15),
    "whole": (20, 0, 15),
    "cents": (10, 2, 15),
    "places only": (None, 3, 15),
    "digits only": (5, None, None),
    "as MongoDB keeps": (34, None, None),
}


def reader_of(declared: str) -> TypeAdapter[Any]:
    precision, scale, kept = DIGITS[declared]
    field = Field(name="n", kind=Kind.DECIMAL, precision=precision, scale=scale, significant_digits=kept)
    return TypeAdapter(input_type(field))


def texts() -> st.SearchStrategy[str]:
    whole = st.from_regex(r"-?(0|[1-9][0-9]{0,22})", fullmatch=True)
    return st.tuples(whole, st.from_regex(r"(\.[0-9]{1,22})?", fullmatch=True)).map("".join)


@pytest.mark.parametrize("declared", DIGITS)
@given(text=texts())
def test_every_text_of_the_pattern_is_read(declared: str, text: str) -> None:
    reader = reader_of(declared)
    pattern = reader.json_schema()["anyOf"][0]["pattern"]

    if re.search(pattern, text) and Decimal(text):
        assert reader.validate_python(text) == Decimal(text)


@pytest.mark.parametrize("declared", [name for name, (_, _, kept) in DIGITS.items() if kept])
@given(part=st.floats(-1, 1))
def test_every_number_of_the_bounds_is_read(declared: str, part: float) -> None:
    reader = reader_of(declared)
    bounds = reader.json_schema()["anyOf"][1]
    unit = Decimal(repr(bounds["multipleOf"]))
    number = int(Decimal(bounds["maximum"]) / unit * Decimal(part)) * unit

    if number:
        assert reader.validate_python(float(number)) == number
