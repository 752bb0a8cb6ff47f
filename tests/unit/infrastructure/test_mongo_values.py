"""Values of documents are read quicker than the driver reads them, and come to the same."""

import datetime
import struct
from decimal import Decimal, DecimalException

import pytest
from bson import Decimal128, decode, encode
from bson.int64 import Int64
from hypothesis import given
from hypothesis import strategies as st

from fastapi_easy.infrastructure.persistence.mongo.documents.decoding import decode_datetime
from fastapi_easy.infrastructure.persistence.mongo.documents.json_values import decode_json
from fastapi_easy.infrastructure.persistence.mongo.documents.scalars import (
    decode_decimal,
    encode_decimal,
)

HALVES = st.integers(0, 2**64 - 1)
TEXT = st.text(st.characters(exclude_characters="\x00", exclude_categories=["Cs"]))
JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.floats(allow_nan=False, allow_infinity=False)
    | TEXT
    | st.integers(-(2**63), 2**63 - 1),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=8,
)


@given(HALVES, HALVES)
def test_any_decimal_is_decoded_as_the_driver_does(high: int, low: int) -> None:
    kept = Decimal128.from_bid(struct.pack("<QQ", low, high))

    assert str(decode_decimal(kept)) == str(kept.to_decimal())


DIGITS = st.lists(st.integers(0, 9), min_size=1, max_size=40)


@given(st.booleans(), DIGITS, st.integers(-6200, 6200))
def test_any_decimal_is_encoded_as_the_driver_does(negative: bool, digits: list[int], exponent: int) -> None:
    number = Decimal((int(negative), tuple(digits), exponent))
    try:
        expected = Decimal128(number)
    except DecimalException:
        with pytest.raises(DecimalException):
            _ = encode_decimal(number)
    else:
        assert encode_decimal(number).bid == expected.bid


@given(st.decimals(allow_nan=False, allow_infinity=False, places=2, min_value=-(10**20), max_value=10**20))
def test_a_decimal_comes_back_with_its_zeros_and_its_sign(number) -> None:
    assert str(decode_decimal(Decimal128(number))) == str(number)


@given(st.datetimes())
def test_a_time_is_the_same_in_utc(kept: datetime.datetime) -> None:
    assert decode_datetime(kept) == kept.replace(tzinfo=datetime.UTC)
    assert decode_datetime(kept).tzinfo is datetime.UTC


def classes(found):
    """Of *found* and of all that is in it."""
    yield type(found)
    for each in found.values() if isinstance(found, dict) else found if isinstance(found, list) else ():
        yield from classes(each)


@given(JSON)
def test_json_is_decoded_to_builtin_types(value) -> None:
    found = decode_json(decode(encode({"value": value}))["value"])

    assert found == value
    assert set(classes(found)) <= {dict, list, str, int, float, bool, type(None)}


def test_a_document_stays_as_it_was_read() -> None:
    """A guard may still need it."""
    kept = {"value": Int64(5), "inner": [Int64(7), {"deep": Int64(2**40)}]}

    found = decode_json(kept)

    assert found == {"value": 5, "inner": [7, {"deep": 2**40}]}
    assert set(classes(found)) == {dict, list, int}
    assert set(classes(kept)) == {dict, list, Int64}
