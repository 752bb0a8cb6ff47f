"""What strangers may send: whatever it is, the answer is a value, and it comes at once."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from returns.result import Failure, Success

from fastapi_easy.domain.errors import BadQuery, Invalid, Outcome
from fastapi_easy.domain.queries.query import Query
from tests.counted_calls import counted_calls
from tests.unit.application.fakes import THINGS, reader_of
from tests.unit.application.queries.samples import any_json, any_word

CALLS = 20_000
"""Calls within which a query is refused; at most 4172 were counted, for 10,000 levels."""

READER = reader_of(THINGS)


def written(document: Any) -> str:
    return json.dumps(document, default=str)


def is_answer(outcome: Any) -> bool:
    match outcome:
        case Success(Query()) | Failure(BadQuery() | Invalid()):
            return True
        case _:
            return False


def counted(ask: Callable[[], Outcome[Query]]) -> tuple[Outcome[Query], int]:
    """The answer, and how many calls it took."""
    with counted_calls() as figures:
        answer = ask()
    return answer, figures.calls


pairs = st.lists(st.tuples(any_word(), any_word() | any_json().map(written)), max_size=6)
trees = st.dictionaries(any_word(), any_json(), max_size=4)


@given(pairs=pairs)
@example(pairs=[("where", '{"price": 1e99999999999999999999}')])
@example(pairs=[("where", '{"float": 1' + "0" * 400 + "}")])
def test_no_query_string_makes_it_raise(pairs: list[tuple[str, str]]) -> None:
    assert is_answer(READER.from_parameters(pairs))


@given(document=any_json() | trees | st.fixed_dictionaries({"where": trees}))
@example(document={"where": {"float": 10**400}})
@example(document={"where": {"decimal": 10**5_000}})
def test_no_document_makes_it_raise(document: Any) -> None:
    assert is_answer(READER.from_document(document))


@pytest.mark.parametrize(
    "pair",
    [
        pytest.param(("text", "\x00"), id="NUL in a value"),
        pytest.param(("te\x00xt", "a"), id="NUL in a name"),
        pytest.param(("text", "\udfff"), id="half a character in a value"),
        pytest.param(("\udfff", "a"), id="half a character in a name"),
        pytest.param(("integer", str(2**63)), id="one more than 64 bits hold"),
        pytest.param(("integer", "9" * 5_000), id="an integer of 5000 digits"),
        pytest.param(("limit", "9" * 5_000), id="a limit of 5000 digits"),
        pytest.param(("decimal", "9" * 5_000), id="a decimal of 5000 digits"),
        pytest.param(("float", "NaN"), id="not a number"),
        pytest.param(("float", "-inf"), id="minus infinity"),
        pytest.param(("__class__", "x"), id="an attribute of every object"),
        pytest.param(("text____class__", "x"), id="an attribute behind a field"),
        pytest.param(("text__", "x"), id="an operator without a name"),
        pytest.param(("__eq", "x"), id="an operator without a field"),
        pytest.param(("id;drop table", "1"), id="a second statement as a name"),
        pytest.param(("id", "1;drop table things"), id="a second statement as a value"),
        pytest.param(("sort", "id;drop table things"), id="a second statement as an order"),
        pytest.param(("fields", "*"), id="every field"),
        pytest.param(("", ""), id="nothing for nothing"),
        pytest.param(("where", '{"float": NaN}'), id="not a number in a tree"),
        pytest.param(("where", '{"float": -Infinity}'), id="minus infinity in a tree"),
        pytest.param(("where", '{"integer": ' + "9" * 5_000 + "}"), id="an integer of 5000 digits in a tree"),
        pytest.param(("where", '{"integer": 9223372036854775808}'), id="more than 64 bits in a tree"),
        pytest.param(("where", '{"text": "\\u0000"}'), id="NUL in a tree"),
        pytest.param(("where", '{"\\ud800": 1}'), id="half a character as a name in a tree"),
        pytest.param(
            ("where", '{"decimal": 1e999999999999999999999}'), id="an exponent beyond every decimal"
        ),
        pytest.param(("where", ""), id="an empty tree text"),
    ],
)
def test_is_refused(pair: tuple[str, str]) -> None:
    answer = READER.from_parameters([pair])

    assert isinstance(answer, Failure), answer
    assert is_answer(answer)


@pytest.mark.parametrize(
    "pair",
    [
        pytest.param(("where", "[" * 10_000), id="lists 10000 deep"),
        pytest.param(("where", '{"not":' * 10_000 + "{}" + "}" * 10_000), id="a tree 10000 deep"),
        pytest.param(("where", '{"a":' * 900 + "1" + "}" * 900), id="objects as deep as they are parsed"),
        pytest.param(("where", '{"decimal": 1e999999999}'), id="a decimal of a billion digits"),
        pytest.param(("where", '{"decimal": -1e-999999999}'), id="a decimal of a billion places"),
        pytest.param(("where", '{"float": 1e999999999}'), id="a float of a billion digits"),
        pytest.param(("integer__in", "1," * 100_000), id="a list of 100000 values"),
        pytest.param(("x" * 1_000_000, "1"), id="a name of a million letters"),
        pytest.param(("text", "x" * 1_000_000), id="a value of a million letters"),
        pytest.param(("q", "x " * 500_000), id="half a million words"),
        pytest.param(("cursor", "A" * 1_000_000), id="a cursor of a million letters"),
        pytest.param(("duration", "P" + "1" * 1_000_000), id="a duration of a million digits"),
        pytest.param(("datetime", "2026-11-23T08:30:00." + "1" * 1_000_000), id="a time of a million digits"),
    ],
)
def test_is_refused_at_once(pair: tuple[str, str]) -> None:
    answer, calls = counted(lambda: READER.from_parameters([pair]))

    assert isinstance(answer, Failure), answer
    assert calls < CALLS


@pytest.mark.parametrize(
    "name", ["where", "q", "sort", "fields", "limit", "offset", "cursor", "count", "other"]
)
def test_a_deep_document_is_refused_at_once(name: str) -> None:
    deep: Any = []
    for _ in range(10_000):
        deep = [deep]

    answer, calls = counted(lambda: READER.from_document({name: deep}))

    assert isinstance(answer, Failure), answer
    assert calls < CALLS


def test_a_deep_value_is_refused_at_once() -> None:
    deep: Any = {}
    for _ in range(10_000):
        deep = {"text": deep}

    answer, calls = counted(lambda: READER.from_document({"where": deep}))

    assert isinstance(answer, Failure), answer
    assert calls < CALLS


def test_answers_never_repeat_a_value() -> None:
    word = "hunter2"
    names = [*READER.parameters, "q", "limit", "offset", "cursor", "count", "sort", "fields", "where"]

    answers = [READER.from_parameters([(name, f"\x00{word}")]) for name in names]

    assert [each for each in answers if word in repr(each)] == []
