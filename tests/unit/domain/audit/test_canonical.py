"""Canonical JSON, beside the vectors of RFC 8785 and what Python reads back."""

import json
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fastapi_easy.domain.audit.canonical import from_canonical_json, to_canonical_json, to_exact_json

# RFC 8785, appendix B: the bits of a number, and how ECMAScript spells it.
_NUMBERS = {
    "0000000000000000": "0",
    "8000000000000000": "0",
    "0000000000000001": "5e-324",
    "8000000000000001": "-5e-324",
    "7fefffffffffffff": "1.7976931348623157e+308",
    "ffefffffffffffff": "-1.7976931348623157e+308",
    "4340000000000000": "9007199254740992",
    "c340000000000000": "-9007199254740992",
    "4430000000000000": "295147905179352830000",
    "44b52d02c7e14af5": "9.999999999999997e+22",
    "44b52d02c7e14af6": "1e+23",
    "44b52d02c7e14af7": "1.0000000000000001e+23",
    "444b1ae4d6e2ef4e": "999999999999999700000",
    "444b1ae4d6e2ef4f": "999999999999999900000",
    "444b1ae4d6e2ef50": "1e+21",
    "3eb0c6f7a0b5ed8c": "9.999999999999997e-7",
    "3eb0c6f7a0b5ed8d": "0.000001",
    "41b3de4355555553": "333333333.3333332",
    "41b3de4355555554": "333333333.33333325",
    "41b3de4355555555": "333333333.3333333",
    "41b3de4355555556": "333333333.3333334",
    "41b3de4355555557": "333333333.33333343",
    "becbf647612f3696": "-0.0000033333333333333333",
    "43143ff3c1cb0959": "1424953923781206.2",
}

_exact_integers = st.integers(min_value=-(2**53) + 1, max_value=2**53 - 1)
_texts = st.text(st.characters(exclude_categories=["Cs"]))
_leaves = (
    st.none() | st.booleans() | _exact_integers | st.floats(allow_nan=False, allow_infinity=False) | _texts
)
_values = st.recursive(
    _leaves,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(_texts, inner, max_size=4),
    max_leaves=20,
)


@pytest.mark.parametrize(("bits", "spelt"), _NUMBERS.items())
def test_spells_numbers_as_the_standard_lists_them(bits: str, spelt: str) -> None:
    (number,) = struct.unpack(">d", bytes.fromhex(bits))

    assert to_canonical_json(number) == spelt.encode()


def test_sorts_names_by_their_utf_16_units() -> None:
    names = ["\u20ac", "\r", "\ufb33", "1", "\U0001f600", "\u0080", "\u00f6"]

    spelt = to_canonical_json(dict.fromkeys(names, 0))

    assert list(json.loads(spelt)) == ["\r", "1", "\u0080", "\u00f6", "\u20ac", "\U0001f600", "\ufb33"]


def test_spells_the_example_of_the_standard() -> None:
    value = {
        "numbers": [333333333.33333329, 1e30, 4.50, 2e-3, 0.000000000000000000000000001],
        "string": "\u20ac$\u000f\u000aA'\u0042\u0022\u005c\\\"/",
        "literals": [None, True, False],
    }

    assert (
        to_canonical_json(value)
        == (
            '{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],'
            '"string":"€$\\u000f\\nA\'B\\"\\\\\\\\\\"/"}'
        ).encode()
    )


@given(_values)
def test_says_what_was_given_and_always_in_the_same_bytes(value: object) -> None:
    spelt = to_canonical_json(value)

    # Like any reader of JSON to whom all numbers are floats.
    assert json.loads(spelt, parse_int=float) == from_canonical_json(spelt) == value
    assert to_canonical_json(from_canonical_json(spelt)) == spelt


@given(st.recursive(st.none() | st.booleans() | _exact_integers | _texts, st.lists))
def test_agrees_with_the_encoder_of_python_where_that_is_canonical(value: object) -> None:
    spelt = json.dumps(value, ensure_ascii=False, separators=(",", ":"))

    assert to_canonical_json(value) == spelt.encode()


@pytest.mark.parametrize("value", [2**53, -(2**53), float("nan"), float("inf"), "\ud800", {"\udc00": 1}])
def test_refuses_what_json_cannot_say_exactly(value: object) -> None:
    with pytest.raises(ValueError, match=r"."):
        _ = to_canonical_json(value)


@pytest.mark.parametrize("value", [b"bytes", object(), {1: "one"}, {1, 2}])
def test_refuses_what_is_not_plain_json(value: object) -> None:
    with pytest.raises(TypeError):
        _ = to_canonical_json(value)


def test_makes_exact_what_can_be_said_as_a_text() -> None:
    given_value = {
        "large": 2**64,
        "nan": float("nan"),
        "half": "a\ud800b",
        "pair": "\ud83d\ude00",
        "list": (1, 2.5),
    }

    exact = to_exact_json(given_value)

    assert exact == {
        "large": "18446744073709551616",
        "nan": "nan",
        "half": "a\ufffdb",
        "pair": "\U0001f600",
        "list": [1, 2.5],
    }
    assert json.loads(to_canonical_json(exact)) == exact
