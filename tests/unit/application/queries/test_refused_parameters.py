"""What a query string may not say: names are told from values, and each answer shows the way on."""

import pytest
from returns.result import Failure

from fastapi_easy.domain.errors import BadQuery, Fault, Invalid, Outcome
from fastapi_easy.domain.queries.query import Query
from tests.unit.application.fakes import ORDERS, THINGS, reader_of

COMPARISONS = "there are __ne, __in, __not_in, __gt, __gte, __lt, __lte, __between, __isnull"


def ask(*pairs: tuple[str, str]) -> Outcome[Query]:
    return reader_of(THINGS).from_parameters(pairs)


def invalid(pointer: str, message: str, code: str) -> Outcome[Query]:
    return Failure(Invalid((Fault(pointer, message, code, "query"),)))


@pytest.mark.parametrize(
    ("pairs", "error"),
    [
        pytest.param([("intger", "1")], BadQuery("intger", "Is not a parameter here", "integer"), id="field"),
        pytest.param([("xyz", "1")], BadQuery("xyz", "Is not a parameter here"), id="nothing like it"),
        pytest.param([("limits", "1")], BadQuery("limits", "Is not a parameter here", "limit"), id="part"),
        pytest.param(
            [("include", "x")], BadQuery("include", "Unknown relation; there is none here"), id="no relation"
        ),
        pytest.param(
            [("integer__gtt", "1")],
            BadQuery("integer__gtt", f"integer cannot be compared like that; {COMPARISONS}", "integer__gt"),
            id="operator",
        ),
        pytest.param(
            [("boolean__contains", "1")],
            BadQuery(
                "boolean__contains",
                "boolean cannot be compared like that; there are __ne, __in, __not_in, __isnull",
                "boolean__not_in",
            ),
            id="operator of another kind",
        ),
        pytest.param(
            [("integer__eq", "1")],
            BadQuery("integer__eq", f"integer cannot be compared like that; {COMPARISONS}", "integer"),
            id="equals has no word",
        ),
        pytest.param(
            [("x" * 99, "1")], BadQuery("x" * 64, "Is not a parameter here"), id="a long name is cut"
        ),
        pytest.param(
            [("integer", "1"), ("integer", "1")],
            BadQuery("integer", "Was given more than once"),
            id="twice",
        ),
        pytest.param(
            [("limit", "1"), ("limit", "1")], BadQuery("limit", "Was given more than once"), id="limit"
        ),
        pytest.param([("q", "a"), ("q", "b")], BadQuery("q", "Was given more than once"), id="q twice"),
        pytest.param(
            [("sort", "-txt")],
            BadQuery("sort", "Does not name a sortable field", "-text"),
            id="sort by a misspelt field",
        ),
        pytest.param(
            [("sort", "json")],
            BadQuery(
                "sort",
                "Does not name a sortable field; there are id, text, integer, decimal, float, boolean, date, time, "
                "datetime, duration, uuid, enum, size, tiny, price",
            ),
            id="sort by what has no order",
        ),
        pytest.param([("sort", "id,-id")], BadQuery("sort", "Names id twice"), id="sort by a field twice"),
        pytest.param([("fields", "id,txt")], BadQuery("fields", "Unknown field", "text"), id="fields"),
        *(
            pytest.param(
                [(name, ",id")], BadQuery(name, "Has a comma with no name beside it"), id=f"{name}, a comma"
            )
            for name in ("fields", "sort", "include")
        ),
        pytest.param(
            [("count", "exakt")],
            BadQuery("count", "Must be one of none, exact, estimated", "exact"),
            id="count",
        ),
        pytest.param(
            [("cursor", "x"), ("offset", "0")],
            BadQuery("cursor", "Cannot be given together with offset"),
            id="cursor and offset",
        ),
        pytest.param([("where", "{")], BadQuery("where", "Must be one JSON object"), id="where is no JSON"),
        pytest.param([("where", "{} {}")], BadQuery("where", "Must be one JSON object"), id="two objects"),
        pytest.param(
            [("where", '{"tiny": 1, "tiny": 2}')],
            BadQuery("where", "Must be one JSON object"),
            id="a name twice in one object",
        ),
        pytest.param(
            [("where", "[]")],
            BadQuery("where", 'Must be a JSON object like {"price__gte": 5}'),
            id="where is a list",
        ),
        pytest.param(
            [("where", '{"or": {}}')], BadQuery("where", '"or" takes a list of objects'), id="or of an object"
        ),
        pytest.param(
            [("where", '{"and": "ab"}')], BadQuery("where", '"and" takes a list of objects'), id="and of text"
        ),
        pytest.param(
            [("where", '{"orr": []}')], BadQuery("orr", "Is not a parameter here", "or"), id="connective"
        ),
        pytest.param(
            [("where", '{"limit": 1}')],
            BadQuery("limit", "Is not a parameter here"),
            id="a part that is no comparison",
        ),
        pytest.param(
            [("where", '{"text": null}')],
            BadQuery("text", "null cannot be compared", "text__isnull"),
            id="null where null is possible",
        ),
    ],
)
def test_names_and_grammar_that_are_not_understood(pairs: list[tuple[str, str]], error: BadQuery) -> None:
    assert ask(*pairs) == Failure(error)


@pytest.mark.parametrize(
    ("pair", "answer"),
    [
        pytest.param(
            ("integer", "one"), invalid("/integer", "Must be a whole number", "integer_parsing"), id="integer"
        ),
        pytest.param(
            ("integer", ""), invalid("/integer", "Must be a whole number", "integer_parsing"), id="empty"
        ),
        pytest.param(
            ("integer", "+1"), invalid("/integer", "Must be a whole number", "integer_parsing"), id="plus"
        ),
        pytest.param(
            ("integer", "\u0661"),
            invalid("/integer", "Must be a whole number", "integer_parsing"),
            id="other digits",
        ),
        pytest.param(
            ("tiny", str(2**63)),
            invalid("/tiny", f"Must be between {-(2**63)} and {2**63 - 1}", "out_of_range"),
            id="range",
        ),
        pytest.param(
            ("decimal", "1e3"),
            invalid("/decimal", "Must be a decimal number", "decimal_parsing"),
            id="decimal",
        ),
        pytest.param(
            ("decimal", "1234567890123456"),
            invalid("/decimal", "Must have at most 15 digits", "decimal_max_digits"),
            id="more digits than every store keeps",
        ),
        pytest.param(
            ("price", "123456789012345678901"),
            invalid("/price", "Must have at most 20 digits", "decimal_max_digits"),
            id="more digits than the column keeps",
        ),
        pytest.param(
            ("float", "1e999"), invalid("/float", "Must be a finite number", "finite_number"), id="infinite"
        ),
        pytest.param(
            ("float", "nan"), invalid("/float", "Must be a number", "float_parsing"), id="not a number"
        ),
        pytest.param(
            ("boolean", "True"), invalid("/boolean", "Must be true or false", "boolean_parsing"), id="boolean"
        ),
        pytest.param(
            ("date", "23.11.2026"),
            invalid("/date", "Must be a date like 2026-11-23", "date_parsing"),
            id="date",
        ),
        pytest.param(
            ("date", "2026-02-30"), invalid("/date", "Must be a valid date", "date_parsing"), id="no such day"
        ),
        pytest.param(
            ("time", "24:00"), invalid("/time", "Must be a valid time", "time_parsing"), id="no such hour"
        ),
        pytest.param(
            ("datetime", "2026-11-23"),
            invalid("/datetime", "Must be a time like 2026-11-23T08:30:00Z", "datetime_parsing"),
            id="a day is no time",
        ),
        pytest.param(
            ("datetime", "2026-11-23T08:30:00"),
            invalid("/datetime", "Must include a UTC offset, like Z or +01:00", "timezone_aware"),
            id="no offset",
        ),
        pytest.param(
            ("datetime", "0001-01-01T00:00:00+01:00"),
            invalid("/datetime", "Must be a valid datetime", "datetime_parsing"),
            id="before the first year in UTC",
        ),
        pytest.param(
            ("duration", "P"),
            invalid("/duration", "Must be an ISO 8601 duration like P1DT2H", "duration_parsing"),
            id="a duration of nothing",
        ),
        pytest.param(
            ("duration", "P1DT"),
            invalid("/duration", "Must be an ISO 8601 duration like P1DT2H", "duration_parsing"),
            id="a duration that breaks off",
        ),
        pytest.param(
            ("duration", "P999999999DT24H"),
            invalid("/duration", "Must be a valid duration", "duration_parsing"),
            id="too long a time",
        ),
        pytest.param(("uuid", "6b6bafa8"), invalid("/uuid", "Must be a UUID", "uuid_parsing"), id="uuid"),
        pytest.param(
            ("enum", "RED"), invalid("/enum", "Must be one of red, green", "enum"), id="enumeration"
        ),
        pytest.param(
            ("size", "3"), invalid("/size", "Must be one of 1, 2", "enum"), id="enumeration of numbers"
        ),
        pytest.param(
            ("text", "a\x00b"),
            invalid("/text", "Must be valid Unicode text without NUL", "unsafe_text"),
            id="NUL",
        ),
        pytest.param(
            ("text__in", "\ud800"),
            invalid("/text__in", "Must be valid Unicode text without NUL", "unsafe_text"),
            id="half a character",
        ),
        pytest.param(
            ("integer__in", "1,x"),
            invalid("/integer__in", "Must be a whole number", "integer_parsing"),
            id="item",
        ),
        pytest.param(
            ("integer__between", "1"),
            invalid("/integer__between", "Must be two values, the lower and the upper bound", "between"),
            id="one bound",
        ),
        pytest.param(
            ("integer__between", "1,2,3"),
            invalid("/integer__between", "Must be two values, the lower and the upper bound", "between"),
            id="three bounds",
        ),
        pytest.param(
            ("text__isnull", "yes"),
            invalid("/text__isnull", "Must be true or false", "boolean_parsing"),
            id="is null or not",
        ),
        pytest.param(
            ("limit", "x"), invalid("/limit", "Must be a whole number", "integer_parsing"), id="limit"
        ),
        pytest.param(
            ("q", "a\x00b"), invalid("/q", "Must be valid Unicode text without NUL", "unsafe_text"), id="q"
        ),
        pytest.param(
            ("where", '{"or": [{"tiny": 1}, {"tiny": "x"}]}'),
            invalid("/where/or/1/tiny", "Must be a valid integer", "integer_type"),
            id="deep in a tree",
        ),
        pytest.param(
            ("where", '{"tiny__in": [1, true]}'),
            invalid("/where/tiny__in/1", "Must be a valid integer", "integer_type"),
            id="an item in a tree",
        ),
        pytest.param(
            ("where", '{"tiny__in": 1}'),
            invalid("/where/tiny__in", "Must be a list", "list_type"),
            id="no list",
        ),
        pytest.param(
            ("where", '{"text__in": "ab"}'),
            invalid("/where/text__in", "Must be a list", "list_type"),
            id="text",
        ),
        pytest.param(
            ("where", '{"id": null}'), invalid("/where/id", "Must not be null", "null"), id="null in where"
        ),
        pytest.param(
            ("where", '{"tiny__in": [null]}'),
            invalid("/where/tiny__in/0", "Must be a valid integer", "integer_type"),
            id="null in a list",
        ),
        pytest.param(
            ("where", '{"datetime": 0}'),
            invalid("/where/datetime", "Must be a valid datetime", "datetime_type"),
            id="a number is no time",
        ),
    ],
)
def test_values_that_are_not_of_their_type(pair: tuple[str, str], answer: Outcome[Query]) -> None:
    assert ask(pair) == answer


def test_hidden_fields_are_unknown() -> None:
    pairs = [("secret__icontains", "x"), ("sort", "secret"), ("fields", "secret")]

    answers = [reader_of(ORDERS).from_parameters([pair]) for pair in pairs]

    assert answers == [
        Failure(BadQuery("secret__icontains", "Is not a parameter here", "status__icontains")),
        Failure(
            BadQuery("sort", "Does not name a sortable field; there are id, status, total, note, channel")
        ),
        Failure(BadQuery("fields", "Unknown field; there are id, status, total, note, channel")),
    ]


def test_q_is_refused_without_a_searchable_field() -> None:
    answer = reader_of(ORDERS).from_parameters([("q", "x")])

    assert answer == Failure(BadQuery("q", "Is not offered here: no field can be searched"))
