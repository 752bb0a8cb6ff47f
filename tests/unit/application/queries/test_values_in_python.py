"""What Python code may say of a query: the names of HTTP, with Python values."""

import datetime
import enum
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from returns.result import Failure, Success

from fastapi_easy.application.queries.query_reader import FILTERS
from fastapi_easy.domain.errors import BadQuery, Fault, Invalid, Outcome
from fastapi_easy.domain.field import Kind
from fastapi_easy.domain.queries.aggregation import Aggregation, Function, Measure
from fastapi_easy.domain.queries.ordering import Direction, Sort
from fastapi_easy.domain.queries.page import Count, Cursor, PageRequest
from fastapi_easy.domain.queries.query import Query
from fastapi_easy.domain.queries.specification import (
    LIST_OPERATORS,
    AllOf,
    AnyOf,
    Not,
    Operator,
    Related,
    Specification,
    Where,
    operators_of,
)
from tests.unit.application.fakes import THINGS, Colour, Size, reader_of
from tests.unit.application.library import Shelf
from tests.unit.application.queries.samples import SAMPLES, any_json, any_word, values_of

DEFAULT_ORDER = (Sort("integer", Direction.DESCENDING),)
READER = reader_of(THINGS)
BOOKS = Shelf().books
AUTHOR, REVIEWS = BOOKS.resource.relations["author"], BOOKS.resource.relations["reviews"]


class Shade(enum.StrEnum):
    """An enumeration that no field has."""

    RED = "red"


class Level(enum.IntEnum):
    """Numbers with names."""

    LOW = 1


def ask(**values: Any) -> Outcome[Query]:
    return READER.from_values(values)


def meaning(specification: Specification) -> Outcome[Query]:
    """The answer to a question that says nothing but *specification*."""
    return Success(Query(specification=specification, order=DEFAULT_ORDER))


def invalid(pointer: str, message: str, code: str) -> Outcome[Any]:
    return Failure(Invalid((Fault(pointer, message, code, "query"),)))


COMPARISONS = [
    pytest.param(kind, operator, id=f"{kind} {operator}")
    for kind in SAMPLES
    for operator in operators_of(kind, nullable=True)
]


@pytest.mark.parametrize(("kind", "operator"), COMPARISONS)
def test_every_comparison_of_every_kind_takes_values_of_its_type(kind: Kind, operator: Operator) -> None:
    first, second = SAMPLES[kind]
    name = kind.value if operator is Operator.EQUALS else f"{kind}__{operator}"
    value = first.value
    if operator is Operator.IS_NULL:
        value = False
    elif operator in LIST_OPERATORS:
        value = (first.value, second.value)

    asked = ask(**{name: value})

    assert asked == meaning(Where(kind.value, operator, value))
    assert type(asked.unwrap().specification.value) is type(value)


@pytest.mark.parametrize("kind", SAMPLES, ids=str)
def test_a_value_may_be_said_as_json_says_it(kind: Kind) -> None:
    first, _ = SAMPLES[kind]

    assert ask(**{kind.value: first.json}) == meaning(Where(kind.value, Operator.EQUALS, first.value))


@pytest.mark.parametrize(
    ("values", "specification"),
    [
        pytest.param(
            {"enum__in": {Colour.RED}},
            Where("enum", Operator.IN, (Colour.RED,)),
            id="a set where order is no matter",
        ),
        pytest.param(
            {"integer__between": range(1, 3)}, Where("integer", Operator.BETWEEN, (1, 2)), id="any sequence"
        ),
        pytest.param({"size": Size.LARGE}, Where("size", Operator.EQUALS, Size.LARGE), id="a member"),
        pytest.param(
            {"enum": Shade.RED}, Where("enum", Operator.EQUALS, Colour.RED), id="a member of equal value"
        ),
        pytest.param({"text": Shade.RED}, Where("text", Operator.EQUALS, "red"), id="a member as text"),
        pytest.param({"integer": Level.LOW}, Where("integer", Operator.EQUALS, 1), id="a member as number"),
        pytest.param(
            {"decimal__lt": 8}, Where("decimal", Operator.LESS, Decimal(8)), id="a decimal as integer"
        ),
        pytest.param({"array__has": "a"}, Where("array", Operator.HAS, "a"), id="an item"),
        pytest.param(
            {
                "datetime__gte": datetime.datetime(
                    2026, 1, 1, 1, tzinfo=datetime.timezone(datetime.timedelta(hours=1))
                )
            },
            Where("datetime", Operator.GREATER_OR_EQUAL, datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)),
            id="a time elsewhere",
        ),
        pytest.param(
            {"where": {"or": [{"decimal__lt": Decimal(8)}, {"not": {"enum": Colour.RED}}]}},
            AnyOf(
                (
                    Where("decimal", Operator.LESS, Decimal(8)),
                    Not(Where("enum", Operator.EQUALS, Colour.RED)),
                )
            ),
            id="a tree",
        ),
        pytest.param(
            {"where": Where("binary", Operator.IS_NULL, True)},
            Where("binary", Operator.IS_NULL, True),
            id="a specification",
        ),
        pytest.param(
            {"where": {"or": [Where("integer", Operator.EQUALS, 1), {"tiny": 2}]}},
            AnyOf((Where("integer", Operator.EQUALS, 1), Where("tiny", Operator.EQUALS, 2))),
            id="a specification in a tree",
        ),
        pytest.param(
            {"where": Not(Where("integer", Operator.EQUALS, 1)), "tiny": 2},
            AllOf((Not(Where("integer", Operator.EQUALS, 1)), Where("tiny", Operator.EQUALS, 2))),
            id="both must hold",
        ),
    ],
)
def test_python_values_mean_what_they_are(values: Any, specification: Specification) -> None:
    assert ask(**values) == meaning(specification)


@pytest.mark.parametrize(
    ("values", "query"),
    [
        pytest.param({}, Query(order=DEFAULT_ORDER), id="nothing"),
        pytest.param(
            {"sort": "-text, id"}, Query(order=(Sort("text", Direction.DESCENDING), Sort("id"))), id="text"
        ),
        pytest.param({"sort": ("-text",)}, Query(order=(Sort("text", Direction.DESCENDING),)), id="a tuple"),
        pytest.param(
            {"fields": ["text", "id"]}, Query(order=DEFAULT_ORDER, fields=("text", "id")), id="fields"
        ),
        pytest.param(
            {"limit": 5, "offset": 10, "count": Count.EXACT},
            Query(order=DEFAULT_ORDER, page=PageRequest(limit=5, offset=10, count=Count.EXACT)),
            id="the window",
        ),
        pytest.param(
            {"cursor": Cursor((None, 7))},
            Query(order=DEFAULT_ORDER, page=PageRequest(after=Cursor((None, 7)))),
            id="the place that a page ended at",
        ),
    ],
)
def test_the_options_of_a_page_are_read(values: Any, query: Query) -> None:
    assert ask(**values) == Success(query)


@pytest.mark.parametrize(
    ("keywords", "pairs"),
    [
        pytest.param(
            {"author__country__in": ["FR"]}, [("author.country__in", "FR")], id="underscores for a dot"
        ),
        pytest.param({"author.country__in": ["FR"]}, [("author.country__in", "FR")], id="or the dot itself"),
        pytest.param({"author__country": "FR"}, [("author.country", "FR")], id="equals"),
        pytest.param({"author__isnull": True}, [("author__isnull", "true")], id="of the relation itself"),
        pytest.param({"reviews__book__copies": 1}, [("reviews.book.copies", "1")], id="two relations away"),
        pytest.param({"reviews.book__copies": 1}, [("reviews.book.copies", "1")], id="both ways"),
        pytest.param(
            {"author__books__isnull": True}, [("author.books__isnull", "true")], id="of a relation beyond"
        ),
        pytest.param(
            {"include": "reviews", "reviews__limit": 3, "reviews.sort": ["-stars", "id"]},
            [("include", "reviews"), ("reviews.limit", "3"), ("reviews.sort", "-stars,id")],
            id="options of an include",
        ),
        pytest.param(
            {"include": {"reviews": {"limit": 3}}},
            [("include", "reviews"), ("reviews.limit", "3")],
            id="as a tree",
        ),
    ],
)
def test_relations_are_followed_as_in_a_query_string(keywords: Any, pairs: list[tuple[str, str]]) -> None:
    expected = BOOKS.queries.from_parameters(pairs)

    assert BOOKS.queries.from_values(keywords) == expected
    assert isinstance(expected, Success)


def test_a_tree_may_name_relations_like_keywords_do() -> None:
    tree = {"author__country": "FR", "reviews": Where("stars", Operator.EQUALS, 5)}

    country = Related(AUTHOR, Where("country", Operator.EQUALS, "FR"))
    stars = Related(REVIEWS, Where("stars", Operator.EQUALS, 5))
    assert BOOKS.queries.from_values({"where": tree}).unwrap().specification == AllOf((country, stars))


@pytest.mark.parametrize(
    ("keywords", "error"),
    [
        pytest.param({"titel": "x"}, BadQuery("titel", "Is not a parameter here", "title"), id="a field"),
        pytest.param({"limt": 5}, BadQuery("limt", "Is not a parameter here", "limit"), id="an option"),
        pytest.param(
            {"title__gtt": "x"},
            BadQuery(
                "title__gtt",
                "title cannot be compared like that; there are __ne, __in, __not_in, __gt, __gte, __lt, __lte, "
                "__between, __iexact, __contains, __icontains, __startswith, __istartswith, __endswith, __iendswith",
                "title__gt",
            ),
            id="operator",
        ),
        pytest.param(
            {"author__contry": "FR"},
            BadQuery("author__contry", "Is not a parameter here", "author__country"),
            id="a field of a related entity",
        ),
        pytest.param(
            {"author__country": None},
            BadQuery("author__country", "null cannot be compared", "author__country__isnull"),
            id="None",
        ),
        pytest.param(
            {"sort": "-titel"},
            BadQuery("sort", "Does not name a sortable field", "-title"),
            id="an order",
        ),
        pytest.param(
            {"where": Where("titel", Operator.EQUALS, "x")},
            BadQuery("titel", "Is not a field here", "title"),
            id="a specification",
        ),
        pytest.param(
            {"where": Related(AUTHOR, Where("contry", Operator.EQUALS, "x"))},
            BadQuery("contry", "Is not a field here", "country"),
            id="a specification of a related entity",
        ),
        pytest.param(
            {"cursor": Cursor((7,)), "offset": 3},
            BadQuery("cursor", "Cannot be given together with offset"),
            id="two places",
        ),
    ],
)
def test_what_is_misspelt_is_refused_with_a_suggestion(keywords: Any, error: BadQuery) -> None:
    assert BOOKS.queries.from_values(keywords) == Failure(error)


@pytest.mark.parametrize(
    ("values", "answer"),
    [
        pytest.param(
            {"integer": "1"},
            invalid("/integer", "Must be a valid integer", "integer_type"),
            id="text is no number",
        ),
        pytest.param(
            {"text": 1}, invalid("/text", "Must be a valid text", "text_type"), id="a number is no text"
        ),
        pytest.param(
            {"integer__in": [1, True]},
            invalid("/integer__in/1", "Must be a valid integer", "integer_type"),
            id="truth in a list of numbers",
        ),
        pytest.param(
            {"integer__in": 1}, invalid("/integer__in", "Must be a list", "list_type"), id="no list"
        ),
        pytest.param(
            {"text__in": "ab"}, invalid("/text__in", "Must be a list", "list_type"), id="text is no list"
        ),
        pytest.param(
            {"integer__between": {1, 2}},
            invalid("/integer__between", "Must be a list", "list_type"),
            id="no order",
        ),
        pytest.param(
            {"datetime": datetime.datetime(2026, 1, 1)},  # noqa: DTZ001 (that is the mistake)
            invalid("/datetime", "Must include a UTC offset, like Z or +01:00", "timezone_aware"),
            id="a time without a zone",
        ),
        pytest.param(
            {
                "datetime": datetime.datetime.min.replace(
                    tzinfo=datetime.timezone(datetime.timedelta(hours=1))
                )
            },
            invalid("/datetime", "Must be a valid datetime", "datetime_parsing"),
            id="a time before all times",
        ),
        pytest.param(
            {"datetime": datetime.date(2026, 1, 1)},
            invalid("/datetime", "Must be a valid datetime", "datetime_type"),
            id="a day is no time",
        ),
        pytest.param(
            {"date": datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)},
            invalid("/date", "Must be a valid date", "date_type"),
            id="a time is not a date",
        ),
        pytest.param(
            {"uuid": object()}, invalid("/uuid", "Must be a valid uuid", "uuid_type"), id="anything else"
        ),
        pytest.param(
            {"decimal": Decimal("NaN")},
            invalid("/decimal", "Must be a finite number", "finite_number"),
            id="no number",
        ),
        pytest.param(
            {"limit": 0}, invalid("/limit", "Must be between 1 and 100", "out_of_range"), id="no limit"
        ),
        pytest.param(
            {"integer__in": range(201)},
            invalid("/integer__in", "Must not have more than 200 values", "limit_exceeded"),
            id="beyond a limit",
        ),
    ],
)
def test_values_that_are_not_of_their_type(values: Any, answer: Outcome[Query]) -> None:
    assert ask(**values) == answer


@pytest.mark.parametrize(
    "cursor",
    [
        pytest.param(Cursor((1,)), id="too few values"),
        pytest.param(Cursor((1, 2, 3)), id="too many"),
        pytest.param(Cursor(("Emma", 7)), id="a value of another type"),
        pytest.param("no token", id="a text that is no token"),
    ],
)
def test_a_cursor_of_another_query_is_refused(cursor: Any) -> None:
    refused = BadQuery("cursor", "The cursor is not valid for this query: start again without it")

    assert ask(cursor=cursor) == Failure(refused)


@pytest.mark.parametrize("name", ["limit", "sort", "fields", "include", "reviews__limit", "reviews.sort"])
def test_an_unsupported_option_is_refused(name: str) -> None:
    refused = BOOKS.queries.from_values({name: "title"}, options=FILTERS)

    assert refused == Failure(BadQuery(name, "Is not supported here; leave it out"))


def test_fields_of_related_entities_are_refused_where_nothing_is_included() -> None:
    refused = BOOKS.queries.from_values({"fields": "title,author.name"}, options=FILTERS | {"fields"})

    assert refused == Failure(BadQuery("fields", "Only fields of the resource itself can be named here"))


@given(
    st.dictionaries(any_word(), any_json() | st.sampled_from(list(SAMPLES)).flatmap(values_of), max_size=4)
)
def test_no_argument_makes_it_raise(values: dict[str, Any]) -> None:
    answer = READER.from_values(values)

    assert isinstance(answer, Success) or answer.failure().code in {"bad_query", "invalid"}


@pytest.mark.parametrize(
    "total",
    [
        pytest.param("sum:copies,count", id="one text"),
        pytest.param(["sum:copies", "count"], id="texts"),
        pytest.param([Measure(Function.SUM, "copies"), Measure(Function.COUNT)], id="measures"),
    ],
)
def test_numbers_are_asked_for(total: Any) -> None:
    asked = BOOKS.queries.aggregation_from_values(
        {"group_by": "author_id", "total": total, "copies__gte": 1, "limit": 5}
    )

    assert asked == Success(
        Aggregation(
            measures=(Measure(Function.SUM, "copies"), Measure(Function.COUNT)),
            group_by=("author_id",),
            specification=Where("copies", Operator.GREATER_OR_EQUAL, 1),
            limit=5,
        )
    )


@pytest.mark.parametrize(
    ("values", "code"),
    [
        pytest.param({"total": "sum:title"}, "bad_query", id="a sum of text"),
        pytest.param({"total": 5}, "bad_query", id="a number is no name"),
        pytest.param({"group_by": "autor_id"}, "bad_query", id="no such field"),
        pytest.param({"sort": "id"}, "bad_query", id="an order"),
        pytest.param({"copes__gt": 1}, "bad_query", id="no such comparison"),
        pytest.param({"limit": 1001}, "invalid", id="too many groups"),
        pytest.param({"limit": True}, "invalid", id="no number"),
    ],
)
def test_numbers_that_make_no_sense_are_refused(values: Any, code: str) -> None:
    refused = BOOKS.queries.aggregation_from_values(values)

    assert isinstance(refused, Failure)
    assert refused.failure().code == code
