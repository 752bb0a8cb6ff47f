"""Bytes become JSON values exactly, or not at all."""

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fastapi_easy.domain import Fault, Invalid
from fastapi_easy.domain.values.limits import MAX_DEPTH
from fastapi_easy.interfaces.formats.strict_json import Malformed, read_json
from fastapi_easy.interfaces.http.problems import ascii_json
from tests.counted_calls import counted_calls

CALLS = 100
"""Calls within which a document is found malformed; at most 26 were counted."""


@pytest.mark.parametrize(
    ("body", "value"),
    [
        pytest.param(b"null", None, id="null"),
        pytest.param(b"0.1", Decimal("0.1"), id="a fraction stays exact"),
        pytest.param(b"0.12345678901234567890", Decimal("0.12345678901234567890"), id="twenty digits"),
        pytest.param(b"12345678901234567890123", 12345678901234567890123, id="a large integer"),
        pytest.param('"Größe 😀"'.encode(), "Größe 😀", id="text"),
        pytest.param(rb'"\ud83d\ude00"', "😀", id="a pair of surrogates is a character"),
        pytest.param(b'{"a": [1, {"b": true}]}', {"a": [1, {"b": True}]}, id="nested"),
        pytest.param(b'"[[[[' + b"[" * 200 + b'"', "[[[[" + "[" * 200, id="brackets in text are text"),
    ],
)
def test_reads_what_is_json(body: bytes, value: Any) -> None:
    assert read_json(body) == value


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(b"{", id="cut off"),
        pytest.param(b"{'a': 1}", id="python"),
        pytest.param(b'{"a": 1,}', id="a comma too many"),
        pytest.param(b'{"a": 1} {"a": 2}', id="two values"),
        pytest.param(b'"\xff"', id="not UTF-8"),
        pytest.param(b'"\xed\xa0\x80"', id="an encoded surrogate"),
        pytest.param(b"\xef\xbb\xbf{}", id="byte order mark"),
        pytest.param('{"a": 1}'.encode("utf-16"), id="UTF-16"),
        pytest.param(b'"a\x00b"', id="a raw NUL"),
        pytest.param(b"1" * 5000, id="5,000 digits"),
        pytest.param(b"[" * 10_000, id="deep and open"),
        pytest.param(b"[" * 10_000 + b"]" * 10_000, id="deep"),
        pytest.param(b'{"a":' * 10_000 + b"1" + b"}" * 10_000, id="deep objects"),
    ],
)
def test_says_malformed_quickly(body: bytes) -> None:
    with counted_calls() as counted:
        problem = read_json(body)

    assert isinstance(problem, Malformed)
    assert counted.calls < CALLS


@pytest.mark.parametrize(
    ("body", "faults"),
    [
        pytest.param(b'{"a": NaN}', [("/a", "finite_number")], id="NaN"),
        pytest.param(b'{"a": [1, -Infinity]}', [("/a/1", "finite_number")], id="infinity"),
        pytest.param(b'{"a": 1e999}', [("/a", "finite_number")], id="beyond a float"),
        pytest.param(b'{"a": 1e-999}', [("/a", "finite_number")], id="too near to nothing"),
        pytest.param(b'{"a": 1, "a": 2}', [("/a", "duplicate_name")], id="a name twice"),
        pytest.param(
            b'{"b": {"a": 1, "a": 2, "c": NaN}}',
            [("/b/a", "duplicate_name"), ("/b/c", "finite_number")],
            id="both",
        ),
        pytest.param(rb'{"a": "x\u0000"}', [("/a", "string_unicode")], id="NUL"),
        pytest.param(rb'{"a": {"x\u0000": 1}}', [("/a", "string_unicode")], id="NUL in a name"),
        pytest.param(rb'{"a": ["\ud800"]}', [("/a/0", "string_unicode")], id="a lone surrogate"),
        pytest.param(
            rb'{"a": "\udc00\ud800"}', [("/a", "string_unicode")], id="surrogates in the wrong order"
        ),
        pytest.param(
            rb'{"a/b": {"~": "\u0000"}}', [("/a~1b/~0", "string_unicode")], id="pointers are escaped"
        ),
    ],
)
def test_points_at_what_is_unfit(body: bytes, faults: list[tuple[str, str]]) -> None:
    refused = read_json(body)

    assert isinstance(refused, Invalid)
    assert [(fault.pointer, fault.code) for fault in refused.faults] == faults


def test_depth_has_a_limit_that_ordinary_documents_never_meet() -> None:
    assert not isinstance(read_json(b"[" * MAX_DEPTH + b"]" * MAX_DEPTH), Malformed)
    assert isinstance(read_json(b"[" * (MAX_DEPTH + 1) + b"]" * (MAX_DEPTH + 1)), Malformed)


@given(
    st.recursive(
        st.none()
        | st.booleans()
        | st.integers(-(10**30), 10**30)
        | st.text(st.characters(exclude_characters="\x00", exclude_categories=["Cs"])),
        lambda inner: (
            st.lists(inner, max_size=4)
            | st.dictionaries(
                st.text(st.characters(exclude_characters="\x00", exclude_categories=["Cs"])),
                inner,
                max_size=4,
            )
        ),
        max_leaves=10,
    )
)
def test_reads_back_whatever_is_written(value: Any) -> None:
    assert read_json(ascii_json(value)) == value


@given(st.binary(max_size=60))
def test_never_raises(body: bytes) -> None:
    read_json(body)


def test_faults_never_repeat_input() -> None:
    refused = read_json(rb'{"a": "secret\u0000"}')

    assert refused == Invalid((Fault("/a", "Must not contain NUL or lone surrogates", "string_unicode"),))
