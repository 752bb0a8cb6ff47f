"""A number of single precision is named by its shortest decimal, and compared as such a decimal would be."""

import math
import struct

from hypothesis import given
from hypothesis import strategies as st

from fastapi_easy.infrastructure.relational.single_precision import (
    comparable_single,
    nearest_single,
    shortest_single,
)

SINGLES = st.floats(width=32, allow_nan=False)
DOUBLES = st.floats(allow_nan=False)


@given(SINGLES)
def test_what_is_shown_names_the_stored_number(stored: float) -> None:
    assert nearest_single(shortest_single(stored)) == stored


@given(st.floats(width=32, allow_nan=False, allow_infinity=False))
def test_no_shorter_decimal_names_it(stored: float) -> None:
    shown = shortest_single(stored)
    digits = len(f"{shown:.9e}".split("e", maxsplit=1)[0].rstrip("0").lstrip("-").replace(".", ""))

    for fewer in range(1, digits - 1):
        assert nearest_single(float(f"{stored:.{fewer}g}")) != stored


@given(SINGLES)
def test_what_is_shown_is_compared_as_the_stored_number(stored: float) -> None:
    assert comparable_single(shortest_single(stored)) == stored
    assert comparable_single(stored) == stored


@given(SINGLES, DOUBLES)
def test_any_other_number_lies_where_it_lies_among_those_shown(stored: float, given_number: float) -> None:
    shown, compared = shortest_single(stored), comparable_single(given_number)

    if compared != nearest_single(given_number):
        assert (stored < compared) == (shown < given_number)
        assert (stored > compared) == (shown > given_number)
        assert stored != compared


def test_numbers_beyond_all_of_single_precision_are_compared_as_they_are() -> None:
    largest = struct.unpack("<f", b"\xff\xff\x7f\x7f")[0]

    assert comparable_single(1e300) == 1e300
    assert comparable_single(-math.inf) == -math.inf
    assert comparable_single(largest) == largest
