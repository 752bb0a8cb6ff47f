"""Cases about filter operators: for each kind, with nulls, and within `Not`, `AllOf` and `AnyOf`."""

import datetime
import decimal
import uuid
from typing import Final

import pytest

from fastapi_easy.domain.queries.page import PageRequest
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
    is_satisfied_by,
)
from fastapi_easy.testing.conformance.sample_shapes import Colour
from fastapi_easy.testing.conformance.store import Store, Suite, add_rows, titles, value_of

TEXTS: Final = {
    "percent": "50% off",
    "number": "500 off",
    "underscore": "a_b",
    "letter": "aXb",
    "backslash": "a\\b",
    "bracket": "a[b",
    "upper": "Red",
    "lower": "red",
    "trailing": "red ",
    "upper accent": "ÉTÉ",
    "lower accent": "été",
    "no accent": "ete",
    "sharp s": "straße",
    "double s": "strasse",
    "upper sigma": "ΣΑΚΟΣ",
    "lower sigma": "σακοσ",
    "upper zhe": "ЖУК",
    "lower zhe": "жук",
    "quote": 'it\'s "so"',
    "grin": "😀",
    "beam": "😁",
    "empty": "",
}

TEXT_CASES: Final = [
    pytest.param(Operator.EQUALS, "red", {"lower"}, id="equals looks at case and at trailing space"),
    pytest.param(Operator.EQUALS, "red ", {"trailing"}, id="equals finds trailing space"),
    pytest.param(Operator.EQUALS, "ete", {"no accent"}, id="equals looks at accents"),
    pytest.param(Operator.EQUALS, "strasse", {"double s"}, id="equals does not expand sharp s"),
    pytest.param(Operator.EQUALS, "😀", {"grin"}, id="equals tells emoji apart"),
    pytest.param(Operator.EQUALS, "", {"empty"}, id="equals the empty text"),
    pytest.param(Operator.EQUALS, 'it\'s "so"', {"quote"}, id="equals quotes"),
    pytest.param(Operator.NOT_EQUALS, "red", TEXTS.keys() - {"lower"}, id="differs looks at case"),
    pytest.param(Operator.IN, ("red", "ÉTÉ"), {"lower", "upper accent"}, id="in looks at case"),
    pytest.param(
        Operator.NOT_IN, ("red", "ete"), TEXTS.keys() - {"lower", "no accent"}, id="not in looks at case"
    ),
    pytest.param(Operator.CONTAINS, "0%", {"percent"}, id="contains: percent is literal"),
    pytest.param(Operator.CONTAINS, "a_b", {"underscore"}, id="contains: underscore is literal"),
    pytest.param(Operator.CONTAINS, "\\", {"backslash"}, id="contains: backslash is literal"),
    pytest.param(Operator.CONTAINS, "[", {"bracket"}, id="contains: bracket is literal"),
    pytest.param(Operator.CONTAINS, "R", {"upper"}, id="contains looks at case"),
    pytest.param(Operator.CONTAINS, "é", {"lower accent"}, id="contains looks at case beyond ASCII"),
    pytest.param(Operator.CONTAINS, "", TEXTS.keys(), id="everything contains the empty text"),
    pytest.param(Operator.CONTAINS, "'", {"quote"}, id="contains a quote"),
    pytest.param(Operator.CONTAINS, "😁", {"beam"}, id="contains an emoji"),
    pytest.param(Operator.STARTS_WITH, "50%", {"percent"}, id="starts with: percent is literal"),
    pytest.param(Operator.STARTS_WITH, "_", set(), id="starts with: underscore is literal"),
    pytest.param(Operator.STARTS_WITH, "R", {"upper"}, id="starts with looks at case"),
    pytest.param(Operator.STARTS_WITH, "", TEXTS.keys(), id="everything starts with the empty text"),
    pytest.param(Operator.ENDS_WITH, "% off", {"percent"}, id="ends with: percent is literal"),
    pytest.param(Operator.ENDS_WITH, "_b", {"underscore"}, id="ends with: underscore is literal"),
    pytest.param(Operator.ENDS_WITH, "\\b", {"backslash"}, id="ends with: backslash is literal"),
    pytest.param(Operator.ENDS_WITH, "ed", {"upper", "lower"}, id="ends with looks at trailing space"),
    pytest.param(Operator.EQUALS_ANY_CASE, "RED", {"upper", "lower"}, id="any case: ASCII"),
    pytest.param(Operator.EQUALS_ANY_CASE, "Été", {"upper accent", "lower accent"}, id="any case: Latin"),
    pytest.param(Operator.EQUALS_ANY_CASE, "ETE", {"no accent"}, id="any case looks at accents"),
    pytest.param(
        Operator.EQUALS_ANY_CASE, "STRAßE", {"sharp s"}, id="any case: sharp s is its own lower case"
    ),
    pytest.param(Operator.EQUALS_ANY_CASE, "Σακοσ", {"upper sigma", "lower sigma"}, id="any case: Greek"),
    pytest.param(Operator.EQUALS_ANY_CASE, "Жук", {"upper zhe", "lower zhe"}, id="any case: Cyrillic"),
    pytest.param(
        Operator.CONTAINS_ANY_CASE, "A_B", {"underscore"}, id="any case contains: underscore is literal"
    ),
    pytest.param(Operator.CONTAINS_ANY_CASE, "0% O", {"percent"}, id="any case contains: percent is literal"),
    pytest.param(
        Operator.CONTAINS_ANY_CASE, "\\B", {"backslash"}, id="any case contains: backslash is literal"
    ),
    pytest.param(
        Operator.CONTAINS_ANY_CASE,
        "\u0423\u041a",
        {"upper zhe", "lower zhe"},
        id="any case contains: Cyrillic",
    ),
    pytest.param(
        Operator.STARTS_WITH_ANY_CASE, "rE", {"upper", "lower", "trailing"}, id="any case starts with: ASCII"
    ),
    pytest.param(
        Operator.STARTS_WITH_ANY_CASE,
        "éT",
        {"upper accent", "lower accent"},
        id="any case starts with: Latin",
    ),
    pytest.param(Operator.STARTS_WITH_ANY_CASE, "A_", {"underscore"}, id="any case starts with: underscore"),
    pytest.param(
        Operator.ENDS_WITH_ANY_CASE, "ΟΣ", {"upper sigma", "lower sigma"}, id="any case ends with: Greek"
    ),
    pytest.param(
        Operator.ENDS_WITH_ANY_CASE, "% OFF", {"percent"}, id="any case ends with: percent is literal"
    ),
    pytest.param(
        Operator.GREATER,
        "ÉTÉ",
        {"lower accent", *("upper sigma", "lower sigma", "upper zhe", "lower zhe", "grin", "beam")},
        id="greater goes by code point",
    ),
    pytest.param(Operator.LESS, "Red", {"percent", "number", "empty"}, id="less goes by code point"),
    pytest.param(
        Operator.BETWEEN, ("a", "b"), {"underscore", "letter", "backslash", "bracket"}, id="between"
    ),
]

RANKS: Final = {"one": 1, "two": 2, "three": 3, "null": None}

RANK_CASES: Final = [
    pytest.param(Operator.EQUALS, 1, {"one"}, id="eq"),
    pytest.param(Operator.NOT_EQUALS, 1, {"two", "three", "null"}, id="ne holds for null"),
    pytest.param(Operator.IN, (1, 3), {"one", "three"}, id="in"),
    pytest.param(Operator.IN, (1, 1), {"one"}, id="in with a repetition"),
    pytest.param(Operator.IN, (), set(), id="in nothing"),
    pytest.param(Operator.NOT_IN, (1, 3), {"two", "null"}, id="not in holds for null"),
    pytest.param(Operator.NOT_IN, (), RANKS.keys(), id="not in nothing"),
    pytest.param(Operator.IN, tuple(range(2, 700)), {"two", "three"}, id="in many"),
    pytest.param(Operator.IS_NULL, True, {"null"}, id="is null"),
    pytest.param(Operator.IS_NULL, False, {"one", "two", "three"}, id="is not null"),
    pytest.param(Operator.GREATER, 2, {"three"}, id="greater"),
    pytest.param(Operator.GREATER_OR_EQUAL, 2, {"two", "three"}, id="greater or equal"),
    pytest.param(Operator.LESS, 2, {"one"}, id="less"),
    pytest.param(Operator.LESS_OR_EQUAL, 2, {"one", "two"}, id="less or equal"),
    pytest.param(Operator.BETWEEN, (1, 2), {"one", "two"}, id="between includes its bounds"),
    pytest.param(Operator.BETWEEN, (3, 1), set(), id="between the wrong way round"),
]

ONE: Final = Where("rank", Operator.EQUALS, 1)
TWO: Final = Where("rank", Operator.EQUALS, 2)

TREES: Final = [
    pytest.param(Everything(), RANKS.keys(), id="everything"),
    pytest.param(Not(Everything()), set(), id="not everything"),
    pytest.param(AllOf(()), RANKS.keys(), id="all of nothing holds"),
    pytest.param(AnyOf(()), set(), id="any of nothing fails"),
    pytest.param(Not(AllOf(())), set(), id="not all of nothing"),
    pytest.param(Not(AnyOf(())), RANKS.keys(), id="not any of nothing"),
    pytest.param(AllOf((ONE,)), {"one"}, id="all of one"),
    pytest.param(AllOf((ONE, TWO)), set(), id="all of two"),
    pytest.param(AnyOf((ONE, TWO)), {"one", "two"}, id="any of two"),
    pytest.param(Not(AnyOf((ONE, TWO))), {"three", "null"}, id="not any of two holds for null"),
    pytest.param(Not(AllOf((ONE, TWO))), RANKS.keys(), id="not all of two"),
    pytest.param(Not(Not(ONE)), {"one"}, id="not not"),
    pytest.param(AllOf((AnyOf((ONE, TWO)), Not(TWO))), {"one"}, id="nested"),
    pytest.param(AnyOf((AllOf(()), ONE)), RANKS.keys(), id="any of everything and one"),
    pytest.param(AllOf((AnyOf(()), ONE)), set(), id="all of nothing and one"),
    pytest.param(
        Not(AllOf((Where("remark", Operator.CONTAINS, "x"), Not(ONE)))),
        RANKS.keys(),
        id="null below two nots",
    ),
    pytest.param(
        AnyOf((Not(Where("remark", Operator.STARTS_WITH, "x")), ONE)), RANKS.keys(), id="null beside a value"
    ),
    pytest.param(
        Not(Where("remark", Operator.EQUALS_ANY_CASE, "x")), RANKS.keys(), id="not any case of null"
    ),
    pytest.param(Not(Where("remark", Operator.IN, ())), RANKS.keys(), id="not in nothing, of null"),
]

NOON: Final = datetime.datetime(2024, 2, 29, 12, 0, 0, 123000, tzinfo=datetime.UTC)
"""Milliseconds, which every store keeps."""

EAST: Final = datetime.timezone(datetime.timedelta(hours=5, minutes=30))
UUID_A: Final = uuid.UUID("00000000-0000-0000-0000-00000000000a")
UUID_F: Final = uuid.UUID("f0000000-0000-4000-8000-000000000001")
UUID_M: Final = uuid.UUID("7fffffff-0000-1000-8000-000000000002")

LOW: Final = {
    "views": -(2**63),
    "price": decimal.Decimal("0.1000"),
    "score": -0.5,
    "done": False,
    "due": datetime.date(1999, 12, 31),
    "alarm": datetime.time(0, 0),
    "seen_at": NOON - datetime.timedelta(days=1),
    "token": UUID_A,
    "colour": Colour.RED,
}
HIGH: Final = {
    "views": 2**63 - 1,
    "price": decimal.Decimal("9.5000"),
    "score": 0.1,
    "done": True,
    "due": datetime.date(2024, 2, 29),
    "alarm": datetime.time(23, 59, 59),
    "seen_at": NOON,
    "token": UUID_F,
    "colour": Colour.BLUE,
}
HIGHEST_PRICE: Final = decimal.Decimal("10.0000")

KIND_CASES: Final = [
    *(pytest.param(field, Operator.EQUALS, value, {"low"}, id=f"{field} eq") for field, value in LOW.items()),
    *(pytest.param(field, Operator.NOT_EQUALS, LOW[field], {"high"}, id=f"{field} ne") for field in LOW),
    *(
        pytest.param(field, Operator.IN, (value,), {"high"}, id=f"{field} in")
        for field, value in HIGH.items()
    ),
    *(pytest.param(field, Operator.NOT_IN, (HIGH[field],), {"low"}, id=f"{field} not in") for field in HIGH),
    *(
        pytest.param(field, Operator.GREATER, LOW[field], {"high"}, id=f"{field} gt")
        for field in LOW
        if field not in {"done", "colour"}
    ),
    *(
        pytest.param(
            field, Operator.BETWEEN, (LOW[field], HIGH[field]), {"low", "high"}, id=f"{field} between"
        )
        for field in LOW
        if field not in {"done", "colour"}
    ),
    pytest.param(
        "price", Operator.LESS, HIGHEST_PRICE, {"low", "high"}, id="price goes by value, not by digits"
    ),
    pytest.param(
        "price", Operator.EQUALS, decimal.Decimal("9.5"), {"high"}, id="price whatever zeros follow"
    ),
    pytest.param("seen_at", Operator.EQUALS, NOON.astimezone(EAST), {"high"}, id="seen_at in any time zone"),
    pytest.param("token", Operator.LESS, UUID_M, {"low"}, id="token goes from left to right"),
    pytest.param("score", Operator.EQUALS, 0.1, {"high"}, id="score with all its digits"),
]


class FilterOperatorCases(Suite):
    """Cases about the entities that match a specification."""

    @pytest.mark.parametrize(("operator", "value", "expected"), TEXT_CASES)
    async def test_texts_compare_character_by_character(
        self, store: Store, operator: Operator, value: object, expected: set[str]
    ) -> None:
        await add_rows(store.notes, ({"title": title, "body": body} for title, body in TEXTS.items()))

        assert await _matching_titles(store, Where("body", operator, value)) == set(expected)

    @pytest.mark.parametrize(("operator", "value", "expected"), RANK_CASES)
    async def test_a_comparison_with_null_is_false(
        self, store: Store, operator: Operator, value: object, expected: set[str]
    ) -> None:
        await add_rows(store.notes, ({"title": title, "rank": rank} for title, rank in RANKS.items()))

        assert await _matching_titles(store, Where("rank", operator, value)) == set(expected)

    @pytest.mark.parametrize(("operator", "value", "expected"), RANK_CASES)
    async def test_not_means_all_the_others(
        self, store: Store, operator: Operator, value: object, expected: set[str]
    ) -> None:
        await add_rows(store.notes, ({"title": title, "rank": rank} for title, rank in RANKS.items()))

        assert await _matching_titles(store, Not(Where("rank", operator, value))) == RANKS.keys() - expected

    @pytest.mark.parametrize(("specification", "expected"), TREES)
    async def test_trees_combine_what_their_leaves_mean(
        self, store: Store, specification: Specification, expected: set[str]
    ) -> None:
        await add_rows(store.notes, ({"title": title, "rank": rank} for title, rank in RANKS.items()))

        assert await _matching_titles(store, specification) == set(expected)

    @pytest.mark.parametrize(("field", "operator", "value", "expected"), KIND_CASES)
    async def test_each_kind_compares_by_value(
        self, store: Store, field: str, operator: Operator, value: object, expected: set[str]
    ) -> None:
        await add_rows(store.notes, [{"title": "low", **LOW}, {"title": "high", **HIGH}])

        assert await _matching_titles(store, Where(field, operator, value)) == expected

    @pytest.mark.parametrize(
        ("operator", "microseconds", "is_meant"),
        [
            pytest.param(Operator.EQUALS, 0, True, id="eq"),
            pytest.param(Operator.EQUALS, 1, False, id="eq finer"),
            pytest.param(Operator.NOT_EQUALS, 1, True, id="ne finer"),
            pytest.param(Operator.IN, 1, False, id="in finer"),
            pytest.param(Operator.NOT_IN, 1, True, id="not in finer"),
            pytest.param(Operator.GREATER, -1, True, id="gt finer and before"),
            pytest.param(Operator.GREATER_OR_EQUAL, 1, False, id="gte finer"),
            pytest.param(Operator.LESS, 1, True, id="lt finer"),
            pytest.param(Operator.LESS_OR_EQUAL, -1, False, id="lte finer and before"),
        ],
    )
    async def test_times_compare_by_their_microseconds_also_where_none_are_kept(
        self, store: Store, operator: Operator, microseconds: int, *, is_meant: bool
    ) -> None:
        await add_rows(store.notes, [{"title": "noon", "seen_at": NOON}])
        moment = NOON + datetime.timedelta(microseconds=microseconds)
        value = (moment,) if operator in LIST_OPERATORS else moment

        assert await _matching_titles(store, Where("seen_at", operator, value)) == (
            {"noon"} if is_meant else set()
        )

    async def test_null_in_json_is_null(self, store: Store) -> None:
        await add_rows(store.notes, [{"title": "null", "extra": None}, {"title": "empty", "extra": {}}])

        assert await _matching_titles(store, Where("extra", Operator.IS_NULL, value=True)) == {"null"}

    @pytest.mark.parametrize(
        ("operator", "value", "expected"),
        [
            pytest.param(Operator.HAS, "a", [["a"], ["a", "b"]], id="has"),
            pytest.param(Operator.HAS, "A", [], id="has looks at case"),
            pytest.param(Operator.HAS_ANY, ("b", "c"), [["a", "b"]], id="has any"),
            pytest.param(Operator.HAS_ANY, (), [], id="has any of nothing"),
            pytest.param(Operator.HAS_ALL, ("a", "b"), [["a", "b"]], id="has all"),
            pytest.param(Operator.HAS_ALL, (), [["a"], ["a", "b"], []], id="has all of nothing"),
            pytest.param(Operator.IS_NULL, True, [None], id="is null"),
        ],
    )
    async def test_lists_are_asked_for_their_items(
        self, store: Store, operator: Operator, value: object, expected: list[object]
    ) -> None:
        labels = store.labels
        await add_rows(labels, ({"tags": tags} for tags in (["a"], ["a", "b"], [], None)))

        page = value_of(await labels.select(Query(specification=Where("tags", operator, value))))
        others = value_of(await labels.select(Query(specification=Not(Where("tags", operator, value)))))

        assert [row.tags for row in page.items] == expected
        assert len(others.items) == 4 - len(expected)


async def _matching_titles(store: Store, specification: Specification) -> set[str]:
    """Return the titles that match *specification*; `select`, `count` and the reference must agree."""
    everything = value_of(await store.notes.select(Query(page=PageRequest(limit=100))))
    reference = [row for row in everything.items if is_satisfied_by(specification, row)]
    page = value_of(await store.notes.select(Query(specification=specification, page=PageRequest(limit=100))))
    assert await _count(store, specification) == len(page.items)
    assert titles(page.items) == titles(reference)
    return set(titles(page.items))


async def _count(store: Store, specification: Specification) -> int:
    return value_of(await store.notes.count(specification))
