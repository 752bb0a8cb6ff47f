"""What a query string may say: each comparison as one typed leaf, and a clear answer to everything else."""

from decimal import Decimal
from typing import Any

import pytest
from returns.result import Success

from fastapi_easy.domain.errors import Outcome
from fastapi_easy.domain.field import Kind
from fastapi_easy.domain.queries.ordering import Direction, Sort
from fastapi_easy.domain.queries.page import Count, PageRequest
from fastapi_easy.domain.queries.query import Query
from fastapi_easy.domain.queries.specification import (
    LIST_OPERATORS,
    AllOf,
    AnyOf,
    Everything,
    Not,
    Operator,
    Specification,
    Where,
    operators_of,
)
from tests.unit.application.fakes import THINGS, Colour, Size, reader_of
from tests.unit.application.queries.samples import SAMPLES

DEFAULT_ORDER = (Sort("integer", Direction.DESCENDING),)


def ask(*pairs: tuple[str, str]) -> Outcome[Query]:
    return reader_of(THINGS).from_parameters(pairs)


def meaning(specification: Specification) -> Outcome[Query]:
    """The answer to a question that says nothing but *specification*."""
    return Success(Query(specification=specification, order=DEFAULT_ORDER))


COMPARISONS = [
    pytest.param(kind, operator, id=f"{kind} {operator}")
    for kind in SAMPLES
    for operator in operators_of(kind, nullable=True)
]


@pytest.mark.parametrize(("kind", "operator"), COMPARISONS)
def test_every_comparison_of_every_kind_is_read_from_text(kind: Kind, operator: Operator) -> None:
    first, second = SAMPLES[kind]
    name = kind.value if operator is Operator.EQUALS else f"{kind}__{operator}"

    if operator is Operator.IS_NULL:
        asked, value = ask((name, "true")), True
    elif operator in LIST_OPERATORS:
        asked, value = ask((name, first.text), (name, second.text)), (first.value, second.value)
    else:
        asked, value = ask((name, first.text)), first.value

    assert asked == meaning(Where(kind.value, operator, value))
    assert type(asked.unwrap().specification.value) is type(value)


def test_every_comparison_is_told_by_its_name() -> None:
    expected = {
        field.name if operator is Operator.EQUALS else f"{field.name}__{operator}"
        for field in THINGS.fields.values()
        for operator in operators_of(field.kind, nullable=field.nullable)
    }

    assert set(reader_of(THINGS).parameters) == expected


@pytest.mark.parametrize(
    ("pairs", "specification"),
    [
        pytest.param([("array__has", "a,b")], Where("array", Operator.HAS, "a,b"), id="an item of text"),
        pytest.param(
            [("numbers__has", "3")], Where("numbers", Operator.HAS, 3), id="an item of another kind"
        ),
        pytest.param(
            [("array__has_any", "a,b"), ("array__has_any", "c")],
            Where("array", Operator.HAS_ANY, ("a,b", "c")),
            id="items of text are repeated only",
        ),
        pytest.param(
            [("numbers__has_all", "1,2")], Where("numbers", Operator.HAS_ALL, (1, 2)), id="items with commas"
        ),
        pytest.param(
            [("json__isnull", "false")],
            Where("json", Operator.IS_NULL, value=False),
            id="JSON is null or not",
        ),
        pytest.param(
            [("binary__isnull", "1")], Where("binary", Operator.IS_NULL, value=True), id="so is binary"
        ),
        pytest.param(
            [("size", "2")], Where("size", Operator.EQUALS, Size.LARGE), id="an enumeration of numbers"
        ),
    ],
)
def test_reads_what_is_special(pairs: list[tuple[str, str]], specification: Specification) -> None:
    assert ask(*pairs) == meaning(specification)


@pytest.mark.parametrize(
    ("pairs", "value"),
    [
        pytest.param([("integer__in", "1")], (1,), id="one"),
        pytest.param([("integer__in", "1,2,3")], (1, 2, 3), id="split at commas"),
        pytest.param([("integer__in", "1"), ("integer__in", "2")], (1, 2), id="repeated"),
        pytest.param([("integer__in", "2,2")], (2, 2), id="the same twice"),
        pytest.param([("text__in", "a,b")], ("a,b",), id="text may contain a comma"),
        pytest.param([("text__in", "a"), ("text__in", "b,c")], ("a", "b,c"), id="text repeated"),
        pytest.param([("text__in", "")], ("",), id="empty text"),
        pytest.param([("enum__in", "red"), ("enum__in", "green")], (Colour.RED, Colour.GREEN), id="members"),
        pytest.param([("decimal__not_in", "1,2.5")], (Decimal(1), Decimal("2.5")), id="decimals"),
        pytest.param([("integer__between", "1,5")], (1, 5), id="bounds split at the comma"),
        pytest.param([("integer__between", "5"), ("integer__between", "1")], (5, 1), id="bounds as given"),
        pytest.param([("text__between", "a"), ("text__between", "b")], ("a", "b"), id="bounds of text"),
    ],
)
def test_lists_are_repeated_or_split_at_commas(pairs: list[tuple[str, str]], value: Any) -> None:
    field, _, operator = pairs[0][0].partition("__")

    assert ask(*pairs) == meaning(Where(field, Operator(operator), value))


def test_parameters_must_all_hold_together_with_where_and_q() -> None:
    asked = ask(
        ("integer__gt", "1"), ("where", '{"tiny": 3}'), ("where", '{"tiny__lt": 9}'), ("q", "red shoes")
    )

    assert asked == meaning(
        AllOf(
            (
                Where("integer", Operator.GREATER, 1),
                Where("tiny", Operator.EQUALS, 3),
                Where("tiny", Operator.LESS, 9),
                AnyOf((Where("text", Operator.CONTAINS_ANY_CASE, "red"),)),
                AnyOf((Where("text", Operator.CONTAINS_ANY_CASE, "shoes"),)),
            )
        )
    )


@pytest.mark.parametrize(
    ("text", "specification"),
    [
        pytest.param("{}", AllOf(()), id="nothing"),
        pytest.param('{"and": []}', AllOf(()), id="all of nothing"),
        pytest.param('{"or": []}', AnyOf(()), id="any of nothing"),
        pytest.param('{"tiny": 1}', Where("tiny", Operator.EQUALS, 1), id="one leaf"),
        pytest.param(
            '{"tiny__gt": 1, "text": "x"}',
            AllOf((Where("tiny", Operator.GREATER, 1), Where("text", Operator.EQUALS, "x"))),
            id="several names in one object",
        ),
        pytest.param(
            '{"or": [{"tiny__gt": 5}, {"not": {"text__isnull": true}}]}',
            AnyOf(
                (
                    Where("tiny", Operator.GREATER, 5),
                    Not(Where("text", Operator.IS_NULL, value=True)),
                )
            ),
            id="a tree",
        ),
        pytest.param(
            '{"price": 0.10}', Where("price", Operator.EQUALS, Decimal("0.10")), id="numbers stay exact"
        ),
        pytest.param('{"tiny__in": []}', Where("tiny", Operator.IN, ()), id="an empty list"),
    ],
)
def test_where_is_a_tree(text: str, specification: Specification) -> None:
    assert ask(("where", text)) == meaning(specification)


@pytest.mark.parametrize(
    ("text", "specification"),
    [
        pytest.param("", Everything(), id="nothing"),
        pytest.param(" \t\u2003", Everything(), id="blanks"),
        pytest.param("50%_", AnyOf((Where("text", Operator.CONTAINS_ANY_CASE, "50%_"),)), id="one word"),
    ],
)
def test_q_looks_for_words(text: str, specification: Specification) -> None:
    assert ask(("q", text)) == meaning(specification)


@pytest.mark.parametrize(
    ("pairs", "query"),
    [
        pytest.param([], Query(order=DEFAULT_ORDER), id="nothing"),
        pytest.param(
            [("sort", "-text,id")], Query(order=(Sort("text", Direction.DESCENDING), Sort("id"))), id="sort"
        ),
        pytest.param(
            [("sort", "text"), ("sort", " "), ("sort", " id ")],
            Query(order=(Sort("text"), Sort("id"))),
            id="sort repeated, with blanks and an empty value",
        ),
        pytest.param([("sort", "")], Query(order=()), id="an empty sort is the order of the key"),
        pytest.param(
            [("fields", "text,id,text")],
            Query(order=DEFAULT_ORDER, fields=("text", "id")),
            id="fields, each once",
        ),
        pytest.param([("fields", "")], Query(order=DEFAULT_ORDER), id="no fields are all fields"),
        pytest.param(
            [("limit", "1")], Query(order=DEFAULT_ORDER, page=PageRequest(limit=1)), id="least limit"
        ),
        pytest.param([("limit", "100")], Query(order=DEFAULT_ORDER, page=PageRequest(limit=100)), id="cap"),
        pytest.param([("offset", "0")], Query(order=DEFAULT_ORDER), id="least offset"),
        pytest.param(
            [("offset", "1000000000"), ("count", "exact")],
            Query(order=DEFAULT_ORDER, page=PageRequest(offset=1_000_000_000, count=Count.EXACT)),
            id="largest offset and count",
        ),
        pytest.param(
            [("count", "estimated")],
            Query(order=DEFAULT_ORDER, page=PageRequest(count=Count.ESTIMATED)),
            id="an estimate",
        ),
    ],
)
def test_the_other_parts_are_read(pairs: list[tuple[str, str]], query: Query) -> None:
    assert ask(*pairs) == Success(query)
