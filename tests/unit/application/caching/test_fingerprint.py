"""Different questions have different fingerprints, and equal ones the same."""

import datetime
import enum
import uuid
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fastapi_easy.application.caching.fingerprint import Fingerprint, exact_text
from fastapi_easy.application.caching.uncacheable import Uncacheable
from fastapi_easy.application.queries.doubts import Doubted
from fastapi_easy.domain import (
    AllOf,
    AnyOf,
    Count,
    Cursor,
    Direction,
    Everything,
    Field,
    Kind,
    Not,
    Operator,
    PageRequest,
    Query,
    Shape,
    Sort,
    Where,
)
from fastapi_easy.testing.resources import resource_from

RESOURCE = resource_from(Shape(fields=(Field(name="id", kind=Kind.INTEGER),), key=("id",)), "things", dict)

NOON = datetime.datetime(2026, 1, 1, 12, tzinfo=datetime.UTC)
SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(allow_nan=False),
    st.text(),
    st.binary(),
    st.decimals(allow_nan=False),
    st.dates(),
    st.times(),
    st.datetimes(),
    st.timedeltas(),
    st.uuids(),
)
VALUES = st.recursive(SCALARS, lambda inner: st.lists(inner, max_size=3).map(tuple), max_leaves=5)
WHERE = st.builds(Where, st.text(max_size=3), st.sampled_from(Operator), VALUES)
SPECIFICATIONS = st.recursive(
    st.just(Everything()) | WHERE,
    lambda inner: st.one_of(
        st.builds(Not, inner),
        st.builds(AllOf, st.lists(inner, max_size=3).map(tuple)),
        st.builds(AnyOf, st.lists(inner, max_size=3).map(tuple)),
    ),
    max_leaves=5,
)
QUERIES = st.builds(
    Query,
    specification=SPECIFICATIONS,
    order=st.lists(st.builds(Sort, st.text(max_size=2), st.sampled_from(Direction)), max_size=2).map(tuple),
    page=st.builds(
        PageRequest,
        limit=st.integers(1, 3),
        offset=st.integers(0, 2),
        after=st.none() | st.builds(Cursor, st.lists(SCALARS, max_size=2).map(tuple)),
        count=st.sampled_from(Count),
    ),
    fields=st.none() | st.lists(st.text(max_size=2), max_size=2).map(tuple),
)


def text_of(query: Query) -> str:
    fingerprint = Fingerprint(RESOURCE)
    fingerprint.add_query(query)
    return fingerprint.text()


@settings(max_examples=60)
@given(QUERIES, QUERIES)
def test_queries_have_one_text_if_and_only_if_they_are_the_same(one: Query, other: Query) -> None:
    assert (text_of(one) == text_of(other)) is (repr(one) == repr(other))


@settings(max_examples=60)
@given(VALUES, VALUES)
def test_values_have_one_text_if_and_only_if_they_are_the_same(one: object, other: object) -> None:
    assert (exact_text(one) == exact_text(other)) is (repr(one) == repr(other))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (1, True),
        (0, False),
        (1, 1.0),
        (1, Decimal(1)),
        (Decimal("1.0"), Decimal("1.00")),
        ("1", 1),
        (("a", "b"), ("ab",)),
        (("a", ("b",)), (("a", "b"),)),
        ("s1:a", "a"),
        (b"1", "1"),
        (datetime.date(2026, 1, 1), NOON.replace(hour=0)),
        (NOON.replace(tzinfo=None), NOON),
        (NOON, NOON.astimezone(datetime.timezone(datetime.timedelta(hours=1)))),
        (uuid.UUID(int=1), str(uuid.UUID(int=1))),
        (None, "None"),
    ],
    ids=repr,
)
def test_values_that_compare_equal_or_look_alike_are_told_apart(one: object, other: object) -> None:
    assert exact_text(one) != exact_text(other)


def test_members_of_two_enumerations_are_told_apart() -> None:
    kinds: list[Any] = [enum.Enum(name, {"RED": "red"}) for name in ("One", "Other")]

    assert exact_text(kinds[0].RED) != exact_text(kinds[1].RED)


class Money:
    """A value that says nothing of itself."""

    def __repr__(self) -> str:
        return "Money"


def test_a_value_of_an_unknown_type_has_no_text() -> None:
    with pytest.raises(Uncacheable):
        _ = exact_text(Money())


def test_a_question_that_may_be_a_mistake_has_no_text() -> None:
    with pytest.raises(Uncacheable):
        Fingerprint(RESOURCE).add_specification(Doubted((Everything(),), source="query"))
