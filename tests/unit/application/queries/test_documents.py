"""What a search document may say: the same as a query string, with JSON's own types."""

from decimal import Decimal
from typing import Any

import pytest
from returns.result import Failure, Success

from fastapi_easy.domain.errors import BadQuery, Fault, Invalid, Outcome
from fastapi_easy.domain.field import Kind
from fastapi_easy.domain.queries.ordering import Direction, Sort
from fastapi_easy.domain.queries.page import Count, PageRequest
from fastapi_easy.domain.queries.query import Query
from fastapi_easy.domain.queries.specification import (
    LIST_OPERATORS,
    AllOf,
    AnyOf,
    Everything,
    Operator,
    Specification,
    Where,
    operators_of,
)
from tests.unit.application.fakes import THINGS, Size, reader_of
from tests.unit.application.queries.samples import SAMPLES

DEFAULT_ORDER = (Sort("integer", Direction.DESCENDING),)


def ask(document: Any) -> Outcome[Query]:
    return reader_of(THINGS).from_document(document)


def meaning(specification: Specification) -> Outcome[Query]:
    """The answer to a question that says nothing but *specification*."""
    return Success(Query(specification=specification, order=DEFAULT_ORDER))


def invalid(pointer: str, message: str, code: str) -> Outcome[Query]:
    return Failure(Invalid((Fault(pointer, message, code, "body"),)))


COMPARISONS = [
    pytest.param(kind, operator, id=f"{kind} {operator}")
    for kind in SAMPLES
    for operator in operators_of(kind, nullable=True)
]


@pytest.mark.parametrize(("kind", "operator"), COMPARISONS)
def test_every_comparison_of_every_kind_is_read_from_json(kind: Kind, operator: Operator) -> None:
    first, second = SAMPLES[kind]
    name = kind.value if operator is Operator.EQUALS else f"{kind}__{operator}"
    if operator is Operator.IS_NULL:
        written, value = False, False
    elif operator in LIST_OPERATORS:
        written, value = [first.json, second.json], (first.value, second.value)
    else:
        written, value = first.json, first.value

    asked = ask({"where": {name: written}})

    assert asked == meaning(Where(kind.value, operator, value))
    assert type(asked.unwrap().specification.value) is type(value)


@pytest.mark.parametrize(
    ("leaf", "specification"),
    [
        pytest.param(
            {"array__has_all": ["a", "b,c"]},
            Where("array", Operator.HAS_ALL, ("a", "b,c")),
            id="items of text",
        ),
        pytest.param({"numbers__has": 3}, Where("numbers", Operator.HAS, 3), id="an item of another kind"),
        pytest.param({"size": 2}, Where("size", Operator.EQUALS, Size.LARGE), id="an enumeration by number"),
        pytest.param({"size": "2"}, Where("size", Operator.EQUALS, Size.LARGE), id="or by its text"),
        pytest.param(
            {"decimal": 3}, Where("decimal", Operator.EQUALS, Decimal(3)), id="a decimal as integer"
        ),
        pytest.param({"decimal": 0.1}, Where("decimal", Operator.EQUALS, Decimal("0.1")), id="or as float"),
        pytest.param(
            {"price": Decimal("1e3")},
            Where("price", Operator.EQUALS, Decimal(1000)),
            id="or with an exponent",
        ),
    ],
)
def test_reads_what_is_special(leaf: Any, specification: Specification) -> None:
    assert ask({"where": leaf}) == meaning(specification)


@pytest.mark.parametrize(
    ("document", "query"),
    [
        pytest.param({}, Query(order=DEFAULT_ORDER), id="nothing"),
        pytest.param(
            {"sort": "-text, id"}, Query(order=(Sort("text", Direction.DESCENDING), Sort("id"))), id="text"
        ),
        pytest.param(
            {"sort": ["-text"]}, Query(order=(Sort("text", Direction.DESCENDING),)), id="sort as a list"
        ),
        pytest.param({"sort": []}, Query(order=()), id="an empty list is the order of the key"),
        pytest.param(
            {"fields": ["text", "id"]}, Query(order=DEFAULT_ORDER, fields=("text", "id")), id="fields"
        ),
        pytest.param(
            {"limit": 5, "offset": 10, "count": "exact"},
            Query(order=DEFAULT_ORDER, page=PageRequest(limit=5, offset=10, count=Count.EXACT)),
            id="the window",
        ),
        pytest.param({"q": ""}, Query(specification=Everything(), order=DEFAULT_ORDER), id="no words"),
        pytest.param(
            {"where": {"tiny": 1}, "q": "red"},
            Query(
                specification=AllOf(
                    (
                        Where("tiny", Operator.EQUALS, 1),
                        AnyOf((Where("text", Operator.CONTAINS_ANY_CASE, "red"),)),
                    )
                ),
                order=DEFAULT_ORDER,
            ),
            id="where and q must both hold",
        ),
    ],
)
def test_the_parts_are_read(document: Any, query: Query) -> None:
    assert ask(document) == Success(query)


@pytest.mark.parametrize(
    ("document", "error"),
    [
        pytest.param({"wher": {}}, BadQuery("wher", "Is not part of a search", "where"), id="misspelt"),
        pytest.param(
            {"tiny": 1}, BadQuery("tiny", "Is not part of a search"), id="a comparison outside of where"
        ),
        pytest.param(
            {"where": []},
            BadQuery("where", 'Must be a JSON object like {"price__gte": 5}'),
            id="where is a list",
        ),
        pytest.param(
            {"where": {"not": [{}]}},
            BadQuery("where", 'Must be a JSON object like {"price__gte": 5}'),
            id="not takes one object",
        ),
        pytest.param(
            {"where": {"text": None}}, BadQuery("text", "null cannot be compared", "text__isnull"), id="null"
        ),
        pytest.param(
            {"count": ["exact"]},
            BadQuery("count", "Must be one of none, exact, estimated"),
            id="count is a list",
        ),
        pytest.param(
            {"count": None}, BadQuery("count", "Must be one of none, exact, estimated"), id="count is null"
        ),
        pytest.param(
            {"sort": [""]},
            BadQuery(
                "sort",
                "Does not name a sortable field; there are id, text, integer, decimal, float, boolean, date, time, "
                "datetime, duration, uuid, enum, size, tiny, price",
            ),
            id="empty name",
        ),
        pytest.param(
            {"cursor": "x", "offset": 0},
            BadQuery("cursor", "Cannot be given together with offset"),
            id="two places",
        ),
    ],
)
def test_names_and_grammar_that_are_not_understood(document: Any, error: BadQuery) -> None:
    assert ask(document) == Failure(error)


@pytest.mark.parametrize(
    ("document", "answer"),
    [
        pytest.param([], invalid("", "Must be a JSON object", "object_type"), id="no object"),
        pytest.param(None, invalid("", "Must be a JSON object", "object_type"), id="null"),
        pytest.param(
            {"limit": True}, invalid("/limit", "Must be a whole number", "integer_parsing"), id="limit"
        ),
        pytest.param(
            {"limit": 2.0}, invalid("/limit", "Must be a whole number", "integer_parsing"), id="a float"
        ),
        pytest.param(
            {"limit": None}, invalid("/limit", "Must be a whole number", "integer_parsing"), id="no limit"
        ),
        pytest.param({"q": 1}, invalid("/q", "Must be text", "string_type"), id="q"),
        pytest.param({"cursor": 1}, invalid("/cursor", "Must be text", "string_type"), id="cursor"),
        pytest.param({"sort": 1}, invalid("/sort", "Must be a list of names", "list_type"), id="sort"),
        pytest.param(
            {"fields": [1]}, invalid("/fields", "Must be a list of names", "list_type"), id="fields"
        ),
        pytest.param(
            {"where": {"or": [{"tiny": []}]}},
            invalid("/where/or/0/tiny", "Must be a valid integer", "integer_type"),
            id="deep in a tree",
        ),
        pytest.param(
            {"where": {"boolean": 1}},
            invalid("/where/boolean", "Must be a valid boolean", "boolean_type"),
            id="1 is not true",
        ),
        pytest.param(
            {"where": {"text__isnull": "true"}},
            invalid("/where/text__isnull", "Must be a valid boolean", "boolean_type"),
            id="neither is text",
        ),
        pytest.param(
            {"where": {"text": 1}},
            invalid("/where/text", "Must be a valid text", "text_type"),
            id="1 is no text",
        ),
        pytest.param(
            {"where": {"float": 10**400}},
            invalid("/where/float", "Must be a finite number", "finite_number"),
            id="an integer beyond every float",
        ),
        pytest.param(
            {"where": {"decimal": Decimal("1e400")}},
            invalid("/where/decimal", "Must have at most 15 digits", "decimal_max_digits"),
            id="a decimal with a large exponent",
        ),
    ],
)
def test_values_that_are_not_of_their_type(document: Any, answer: Outcome[Query]) -> None:
    assert ask(document) == answer
