"""How large a query may be: up to the limit, not beyond it, and the answer names the limit."""

from typing import Any

import pytest
from returns.result import Failure

from fastapi_easy.domain.errors import Fault, Invalid, Outcome
from fastapi_easy.domain.queries.query import Query
from tests.unit.application.fakes import THINGS, reader_of


def nested(depth: int, word: str = "not") -> Any:
    tree: Any = {"tiny": 1}
    for _ in range(depth):
        tree = {word: tree if word == "not" else [tree]}
    return {"where": tree}


def ask(document: Any) -> Outcome[Query]:
    return reader_of(THINGS).from_document(document)


def exceeded(pointer: str, message: str) -> Outcome[Query]:
    return Failure(Invalid((Fault(pointer, message, "limit_exceeded", "body"),)))


def out_of_range(pointer: str, message: str) -> Outcome[Query]:
    return Failure(Invalid((Fault(pointer, message, "out_of_range", "body"),)))


@pytest.mark.parametrize(
    ("largest", "beyond", "answer"),
    [
        pytest.param(
            nested(3),
            nested(4),
            exceeded("/where/not/not/not/not", "Must not be nested deeper than 3"),
            id="not",
        ),
        pytest.param(
            nested(3, "and"),
            nested(4, "and"),
            exceeded("/where/and/0/and/0/and/0/and/0", "Must not be nested deeper than 3"),
            id="and",
        ),
        pytest.param(
            {"where": {"or": [{"tiny": 1}] * 50}},
            {"where": {"or": [{"tiny": 1}] * 51}},
            exceeded("/where/or", "Must not have more than 50 members"),
            id="members of one list",
        ),
        pytest.param(
            {"where": {"or": [{"tiny": 1, "text": "x"}] * 25}},
            {"where": {"or": [{"tiny": 1, "text": "x", "id": 1}] * 17}},
            exceeded("", "Must not have more than 50 comparisons"),
            id="comparisons in all",
        ),
        pytest.param(
            {"q": " ".join("x" * 50)},
            {"q": " ".join("x" * 51)},
            exceeded("", "Must not have more than 50 comparisons"),
            id="words to look for",
        ),
        pytest.param(
            {"where": {"tiny__in": [1] * 200}},
            {"where": {"tiny__in": [1] * 201}},
            exceeded("/where/tiny__in", "Must not have more than 200 values"),
            id="values in a list",
        ),
        pytest.param(
            {"where": {"text": "x" * 256}},
            {"where": {"text": "x" * 257}},
            exceeded("/where/text", "Must not be longer than 256 characters"),
            id="characters of a value",
        ),
        pytest.param(
            {"where": {"text__in": ["x" * 256]}},
            {"where": {"text__in": ["", "x" * 257]}},
            exceeded("/where/text__in/1", "Must not be longer than 256 characters"),
            id="characters of a value in a list",
        ),
        pytest.param(
            {"q": "x" * 256},
            {"q": "x" * 257},
            exceeded("/q", "Must not be longer than 256 characters"),
            id="characters to look for",
        ),
        pytest.param(
            {"offset": 1_000_000_000},
            {"offset": 1_000_000_001},
            out_of_range("/offset", "Must be between 0 and 1000000000"),
            id="entities to skip",
        ),
        pytest.param(
            {"offset": 0},
            {"offset": -1},
            out_of_range("/offset", "Must be between 0 and 1000000000"),
            id="back",
        ),
        pytest.param(
            {"limit": 100},
            {"limit": 101},
            out_of_range("/limit", "Must be between 1 and 100"),
            id="entities on a page",
        ),
        pytest.param(
            {"limit": 1},
            {"limit": 0},
            out_of_range("/limit", "Must be between 1 and 100"),
            id="none on a page",
        ),
    ],
)
def test_the_limit_itself_is_allowed_and_nothing_beyond(
    largest: Any, beyond: Any, answer: Outcome[Query]
) -> None:
    allowed, refused = ask(largest), ask(beyond)

    assert not isinstance(allowed, Failure), allowed
    assert refused == answer


@pytest.mark.parametrize(
    ("name", "document"),
    [
        pytest.param("depth", nested(2), id="depth"),
        pytest.param("leaves", {"where": {"tiny": 1, "text": "x"}}, id="leaves"),
        pytest.param("items", {"where": {"tiny__in": [1, 2]}}, id="items"),
        pytest.param("text", {"where": {"text": "xy"}}, id="text"),
        pytest.param("offset", {"offset": 2}, id="offset"),
    ],
)
def test_every_limit_can_be_set(name: str, document: Any) -> None:
    narrow = reader_of(THINGS, **{name: 1}).from_document(document)
    wide = reader_of(THINGS, **{name: 2}).from_document(document)

    assert isinstance(narrow, Failure)
    assert not isinstance(wide, Failure), wide


def test_text_lists_are_measured_before_they_are_read() -> None:
    answer = reader_of(THINGS).from_parameters([("integer__in", ",".join("x" * 201))])

    message = "Must not have more than 200 values"
    assert answer == Failure(Invalid((Fault("/integer__in", message, "limit_exceeded", "query"),)))
