"""What the strategies reach. A generator that never draws something tests nothing about it."""

import pytest
from hypothesis import Phase, find, settings
from hypothesis.errors import NoSuchExample

from fastapi_easy.domain.changes.row import Row
from fastapi_easy.domain.queries.ordering import Direction
from fastapi_easy.domain.queries.specification import Not, Operator, Related, Where, leaves
from fastapi_easy.testing.conformance import SHAPES
from fastapi_easy.testing.resources import resources_with_relations
from fastapi_easy.testing.strategies import (
    aggregations,
    orders,
    queries,
    specifications,
    tables,
    values,
    with_stored_values,
)

# `find` writes its strategy out, however long that is.
pytestmark = pytest.mark.filterwarnings("ignore::hypothesis.errors.HypothesisWarning")

RESOURCES = resources_with_relations(SHAPES, dict.fromkeys(SHAPES, dict))
BOOKS, NOTES = RESOURCES["books"], RESOURCES["notes"]
# One that is reached need not be the smallest.
ENOUGH = settings(max_examples=3000, database=None, phases=(Phase.generate,))
FEW = settings(ENOUGH, max_examples=200)


def related_in(specification):
    match specification:
        case Related(relation, inner):
            return [relation.name, *related_in(inner)]
        case Not(inner):
            return related_in(inner)
        case _:
            return [
                name for part in getattr(specification, "specifications", ()) for name in related_in(part)
            ]


@pytest.mark.parametrize(
    "reached",
    [
        pytest.param(lambda each: "author" in related_in(each.specification), id="to one"),
        pytest.param(lambda each: "reviews" in related_in(each.specification), id="to many"),
        pytest.param(
            lambda each: len(related_in(each.specification)) > 1, id="more than one step or relation"
        ),
        pytest.param(lambda each: isinstance(each.specification, Not), id="not"),
        pytest.param(lambda each: any(len(sort.path) == 1 for sort in each.order), id="sorted by one step"),
        pytest.param(lambda each: any(len(sort.path) == 2 for sort in each.order), id="sorted by two steps"),
        pytest.param(lambda each: len({sort.direction for sort in each.order}) == 2, id="up and down"),
        pytest.param(lambda each: each.page.offset > each.page.limit, id="an offset beyond a page"),
    ],
)
def test_queries_reach(reached):
    _ = find(queries(BOOKS), reached, settings=ENOUGH)


def test_without_steps_nobody_is_led_anywhere():
    def led(drawn):
        return bool(related_in(drawn))

    with pytest.raises(NoSuchExample):
        _ = find(specifications(BOOKS, depth=0), led, settings=FEW)


@pytest.mark.parametrize(
    "reached",
    [
        pytest.param(lambda each: len(each.group_by) == 2, id="two fields"),
        pytest.param(lambda each: not each.group_by, id="one group"),
        pytest.param(
            lambda each: {"avg:price", "sum:price"} & {one.name for one in each.measures}, id="money"
        ),
        pytest.param(lambda each: each.offset > 0 and each.group_by, id="a window"),
    ],
)
def test_aggregations_reach(reached):
    _ = find(aggregations(BOOKS), lambda each: bool(reached(each)), settings=ENOUGH)


def test_ties_are_walked_downwards():
    def is_tied(rows):
        ranks = [row.get("rank") for row in rows]
        return len(ranks) - len(set(ranks)) > 2

    _ = find(tables(NOTES, min_size=6), is_tied, settings=ENOUGH)
    _ = find(
        orders(NOTES), lambda each: each[:1] and each[0].direction is Direction.DESCENDING, settings=ENOUGH
    )


@pytest.mark.parametrize(
    ("operator", "value", "reached"),
    [
        pytest.param(Operator.EQUALS_ANY_CASE, "x", lambda each: each == "ΣÉ", id="the other case"),
        pytest.param(
            Operator.CONTAINS_ANY_CASE, "x", lambda each: each == "É", id="the end in the other case"
        ),
        pytest.param(Operator.STARTS_WITH, "x", lambda each: each == "\u03c3", id="the beginning"),
        pytest.param(Operator.NOT_IN, ("x",), lambda each: "σé" in each, id="one of several"),
        pytest.param(Operator.BETWEEN, ("x", "y"), lambda each: each == ("σé", "σé"), id="both bounds"),
        pytest.param(Operator.EQUALS, "x", lambda each: each == "x", id="what was drawn before"),
    ],
)
def test_an_echo_is_like_what_is_stored(operator, value, reached):
    drawn = Not(Where("title", operator, value))
    rows = {"notes": [Row(title="σé")]}

    def is_reached(specification):
        [leaf] = leaves(specification)
        return reached(leaf.value)

    _ = find(with_stored_values(NOTES, drawn, rows), is_reached, settings=ENOUGH)


def test_an_echo_of_nothing_is_what_was_drawn():
    drawn = Where("title", Operator.EQUALS, "x")

    with pytest.raises(NoSuchExample):
        _ = find(
            with_stored_values(NOTES, drawn, {}),
            lambda each: each != drawn,
            settings=FEW,
        )


def test_most_times_are_written_in_utc():
    _ = find(
        values(NOTES.fields["seen_at"]), lambda each: each.utcoffset().total_seconds() != 0, settings=ENOUGH
    )
