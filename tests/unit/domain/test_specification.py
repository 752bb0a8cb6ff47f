"""What a specification means, as a table."""

import pytest

from fastapi_easy.domain.changes.row import Row
from fastapi_easy.domain.field import Comparison, Kind
from fastapi_easy.domain.queries.case_folding import fold_case
from fastapi_easy.domain.queries.specification import (
    LIST_OPERATORS,
    AllOf,
    AnyOf,
    Everything,
    Not,
    Operator,
    Related,
    Where,
    all_of,
    is_satisfied_by,
    leaves,
    matches_everything,
    operators_of,
)

ONE = Where("n", Operator.EQUALS, 1)
TWO = Where("n", Operator.EQUALS, 2)

MEANING = [
    # operator, value, what it holds for, what it does not hold for
    (Operator.EQUALS, 1, [1], [2, None]),
    (Operator.NOT_EQUALS, 1, [2, None], [1]),
    (Operator.IN, (1, 2), [1, 2], [3, None]),
    (Operator.IN, (), [], [1, None]),
    (Operator.NOT_IN, (1, 2), [3, None], [1, 2]),
    (Operator.NOT_IN, (), [1, None], []),
    (Operator.IS_NULL, True, [None], [0, ""]),
    (Operator.IS_NULL, False, [0, ""], [None]),
    (Operator.GREATER, 1, [2], [1, 0, None]),
    (Operator.GREATER_OR_EQUAL, 1, [1, 2], [0, None]),
    (Operator.LESS, 1, [0], [1, 2, None]),
    (Operator.LESS_OR_EQUAL, 1, [0, 1], [2, None]),
    (Operator.BETWEEN, (1, 3), [1, 2, 3], [0, 4, None]),
    (Operator.BETWEEN, (3, 1), [], [1, 2, 3, None]),
    (Operator.EQUALS_ANY_CASE, "É", ["é", "É"], ["e", "éé", None]),
    (Operator.CONTAINS, "%", ["5%"], ["5", None]),
    (Operator.CONTAINS_ANY_CASE, "B_", ["ab_c", "AB_C"], ["abcc", None]),
    (Operator.STARTS_WITH, "a", ["ab"], ["Ab", "ba", None]),
    (Operator.STARTS_WITH_ANY_CASE, "a", ["ab", "Ab"], ["ba", None]),
    (Operator.ENDS_WITH, "b", ["ab"], ["aB", "ab ", None]),
    (Operator.ENDS_WITH_ANY_CASE, "b", ["ab", "aB"], ["ab ", None]),
    (Operator.HAS, "a", [["a", "b"]], [["A"], [], None]),
    (Operator.HAS_ANY, ("a", "b"), [["a"], ["b", "c"]], [["c"], [], None]),
    (Operator.HAS_ANY, (), [], [["c"], [], None]),
    (Operator.HAS_ALL, ("a", "b"), [["b", "a", "c"]], [["a"], [], None]),
    (Operator.HAS_ALL, (), [["a"], []], [None]),
]


@pytest.mark.parametrize(
    ("operator", "value", "holds", "fails"),
    [pytest.param(*each, id=f"{each[0]} {each[1]!r}") for each in MEANING],
)
def test_each_operator_holds_for_some_values_and_not_for_others(operator, value, holds, fails):
    assert [each for each in holds if not is_satisfied_by(Where("n", operator, value), {"n": each})] == []
    assert [each for each in fails if is_satisfied_by(Where("n", operator, value), {"n": each})] == []


@pytest.mark.parametrize(
    ("operator", "value", "holds", "fails"),
    [pytest.param(*each, id=f"{each[0]} {each[1]!r}") for each in MEANING],
)
def test_not_holds_exactly_where_its_inner_does_not(operator, value, holds, fails):
    assert [each for each in holds if is_satisfied_by(Not(Where("n", operator, value)), {"n": each})] == []
    assert [
        each for each in fails if not is_satisfied_by(Not(Where("n", operator, value)), {"n": each})
    ] == []


def test_every_operator_has_a_row_in_the_table():
    assert {operator for operator, *_ in MEANING} == set(Operator)


@pytest.mark.parametrize(
    ("specification", "expected"),
    [
        pytest.param(Everything(), True, id="everything"),
        pytest.param(AllOf(()), True, id="all of nothing"),
        pytest.param(AnyOf(()), False, id="any of nothing"),
        pytest.param(AllOf((ONE, Not(TWO))), True, id="all"),
        pytest.param(AllOf((ONE, TWO)), False, id="not all"),
        pytest.param(AnyOf((TWO, ONE)), True, id="any"),
        pytest.param(Not(AnyOf((TWO, ONE))), False, id="not any"),
    ],
)
def test_trees_combine_their_leaves(specification, expected):
    assert is_satisfied_by(specification, {"n": 1}) is expected


def test_an_entity_may_be_an_object_a_mapping_or_a_row():
    class Entity:
        n = 1

    assert is_satisfied_by(ONE, Entity())
    assert is_satisfied_by(ONE, {"n": 1})
    assert is_satisfied_by(ONE, Row(n=1))


@pytest.mark.parametrize(
    ("parts", "expected"),
    [
        pytest.param((), Everything(), id="of none"),
        pytest.param((Everything(), Everything()), Everything(), id="of everything"),
        pytest.param((ONE, Everything()), ONE, id="of one"),
        pytest.param((ONE, Everything(), TWO), AllOf((ONE, TWO)), id="of two"),
    ],
)
def test_a_conjunction_takes_its_shortest_form(parts, expected):
    assert all_of(*parts) == expected


def test_leaves_come_from_left_to_right():
    tree = AllOf((Not(ONE), AnyOf((TWO, Everything())), ONE))

    assert list(leaves(tree)) == [ONE, TWO, ONE]


NOTHING = AnyOf(())
CONSTANT = [
    (Everything(), True),
    (ONE, False),
    (AllOf(()), True),
    (AllOf((Everything(), ONE)), False),
    (AllOf((Everything(), AllOf(()))), True),
    (AllOf((NOTHING, Everything())), False),
    (NOTHING, False),
    (AnyOf((ONE, Everything())), True),
    (AnyOf((ONE, NOTHING)), False),
    (Not(NOTHING), True),
    (Not(Everything()), False),
    (Not(ONE), False),
    (Where("n", Operator.NOT_IN, ()), True),
    (Not(Where("n", Operator.IN, ())), True),
    (Not(Where("n", Operator.HAS_ANY, ())), True),
    (Where("n", Operator.HAS_ALL, ()), False),
    (Related("anywhere", Everything()), False),
    (Not(Related("anywhere", NOTHING)), True),
    (Not(Related("anywhere", ONE)), False),
]


@pytest.mark.parametrize(("tree", "expected"), [pytest.param(*each, id=repr(each[0])) for each in CONSTANT])
def test_what_can_be_no_other_than_true_means_all(tree, expected):
    assert matches_everything(tree) is expected


@pytest.mark.parametrize(
    ("text", "folded"),
    [
        pytest.param("AbC", "abc", id="ASCII"),
        pytest.param("ÉÀ", "éà", id="Latin"),
        pytest.param("ΣΑΣ", "\u03c3\u03b1\u03c3", id="sigma is not final at the end"),
        pytest.param("ς", "ς", id="final sigma stays"),
        pytest.param("ЖУК", "жук", id="Cyrillic"),
        pytest.param("ß ẞ", "ß ß", id="sharp s"),
        pytest.param("İ", "İ", id="a letter without a lower case of one character stays"),
        pytest.param("😀1 %", "😀1 %", id="what has no case"),
    ],
)
def test_folding_replaces_each_character_by_one(text, folded):
    assert fold_case(text) == folded
    assert len(fold_case(text)) == len(text)


@pytest.mark.parametrize(
    ("kind", "some", "none_of"),
    [
        (Kind.TEXT, {"eq", "in", "between", "icontains"}, {"has", "isnull"}),
        (Kind.INTEGER, {"eq", "gt", "between"}, {"contains", "has"}),
        (Kind.BOOLEAN, {"eq", "ne", "in"}, {"gt", "between"}),
        (Kind.ENUM, {"eq", "not_in"}, {"gt", "contains"}),
        (Kind.UUID, {"eq", "gt"}, {"contains"}),
        (Kind.ARRAY, {"has", "has_any", "has_all"}, {"eq", "in", "gt"}),
    ],
)
def test_a_kind_has_the_operators_that_mean_something_for_it(kind, some, none_of):
    operators = set(operators_of(kind, nullable=False))

    assert some <= operators
    assert operators.isdisjoint(none_of)


@pytest.mark.parametrize("kind", [Kind.JSON, Kind.BINARY])
def test_opaque_kinds_can_only_be_null_or_not(kind):
    assert operators_of(kind, nullable=False) == ()
    assert operators_of(kind, nullable=True) == (Operator.IS_NULL,)


@pytest.mark.parametrize(
    ("comparison", "some", "none_of"),
    [
        (Comparison.NONE, {"isnull"}, {"eq", "gt", "contains"}),
        (Comparison.EQUALITY, {"eq", "not_in", "isnull"}, {"gt", "contains", "ieq"}),
        (Comparison.ORDER, {"eq", "gt", "between"}, {"contains"}),
        (Comparison.FULL, {"eq", "gt", "contains"}, set()),
    ],
)
def test_a_store_that_compares_less_has_fewer_operators(comparison, some, none_of):
    operators = set(operators_of(Kind.TEXT, nullable=True, comparison=comparison))

    assert some <= operators
    assert operators.isdisjoint(none_of)


def test_lists_are_the_operators_whose_value_is_a_tuple():
    assert {operator for operator, value, *_ in MEANING if isinstance(value, tuple)} == LIST_OPERATORS


PARENTS = {1: [{"n": 2, "id": 3}], 2: [{"n": 1, "id": 4}, {"n": 2, "id": 5}]}


def follow(relation, entity):
    assert relation == "parents"
    return PARENTS.get(entity["n"], [])


@pytest.mark.parametrize(
    ("specification", "expected"),
    [
        pytest.param(Related("parents", TWO), [1, 2], id="some of those it leads to"),
        pytest.param(Related("parents", ONE), [2], id="one of several"),
        pytest.param(Not(Related("parents", ONE)), [1, 3], id="none of them, or nobody there"),
        pytest.param(Related("parents", Not(ONE)), [1, 2], id="one of them is not"),
        pytest.param(Related("parents", Everything()), [1, 2], id="anybody"),
        pytest.param(Related("parents", NOTHING), [], id="nobody"),
        pytest.param(Related("parents", Related("parents", ONE)), [1, 2], id="two steps"),
        pytest.param(Related("parents", AllOf((ONE, TWO))), [], id="one that is both"),
        pytest.param(AllOf((Related("parents", ONE), Related("parents", TWO))), [2], id="one and another"),
        pytest.param(AnyOf((ONE, Related("parents", ONE))), [1, 2], id="or a field of its own"),
    ],
)
def test_what_an_entity_leads_to_is_asked_of_whom_it_leads_to(specification, expected):
    assert [n for n in (1, 2, 3) if is_satisfied_by(specification, {"n": n}, follow)] == expected


def test_nobody_is_followed_unless_it_is_said_how():
    with pytest.raises(LookupError):
        is_satisfied_by(Related("parents", ONE), {"n": 1})


def test_leaves_are_found_behind_relations_too():
    assert list(leaves(AllOf((ONE, Related("parents", Not(TWO)))))) == [ONE, TWO]
