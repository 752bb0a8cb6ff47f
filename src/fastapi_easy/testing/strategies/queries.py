"""Strategies for queries about a resource and its related resources."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from hypothesis import strategies as st

from fastapi_easy.domain.changes.patch import Values
from fastapi_easy.domain.field import ORDERED_KINDS, Field, Kind
from fastapi_easy.domain.queries.aggregation import Aggregation, Function, Measure, functions_of
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
    Related,
    Specification,
    Where,
    operators_for,
)
from fastapi_easy.domain.queries.words import HoldsWords
from fastapi_easy.domain.resources.named_paths import bind_paths
from fastapi_easy.domain.resources.resource import Relation, Resource
from fastapi_easy.testing.strategies.values import CASED, values

ANY_CASE: Final = frozenset(
    {
        Operator.EQUALS_ANY_CASE,
        Operator.CONTAINS_ANY_CASE,
        Operator.STARTS_WITH_ANY_CASE,
        Operator.ENDS_WITH_ANY_CASE,
    }
)
"""Operators that compare without regard to case."""

MAX_DEPTH: Final = 2
"""The longest path of relations in a query."""

_ITEMS: Final = frozenset({Operator.HAS, Operator.HAS_ANY, Operator.HAS_ALL})


def comparisons(field: Field, operator: Operator, alphabet: str = CASED) -> st.SearchStrategy[Where]:
    """Return comparisons of *field* by *operator* with any operand."""
    return st.builds(Where, st.just(field.name), st.just(operator), _operands(field, operator, alphabet))


def specifications(
    resource: Resource[Any],
    alphabet: str = CASED,
    *,
    without: frozenset[Operator] = frozenset(),
    max_leaves: int = 6,
    depth: int = MAX_DEPTH,
) -> st.SearchStrategy[Specification]:
    """Return specifications: trees over the filterable fields of *resource* and its related resources.

    Args:
        resource: The resource that the specifications are for.

        alphabet: The characters of texts.

        without: Operators to leave out.

        max_leaves: The maximum number of leaves of a tree.

        depth: The longest path of relations.
    """
    # First a field is chosen, then an operator: otherwise kinds with many operators would be chosen more often.
    choices = [
        _leaves(resource.comparable[name], alphabet, without).map(lambda leaf: bind_paths(leaf, resource))
        for name in resource.filterable
    ]
    leaf = st.sampled_from(choices).flatmap(lambda choice: choice)
    related = [
        specifications(each.target, alphabet, without=without, max_leaves=2, depth=depth - 1).map(each.exists)
        for each in resource.relations.values()
        if depth > 0
    ]
    everything: st.SearchStrategy[Specification] = st.just(Everything())
    # Not `leaf | leaf | …`: Hypothesis merges equal alternatives, and leaves are to be chosen twice as often.
    first = st.sampled_from([leaf, leaf, everything, *related]).flatmap(lambda choice: choice)
    return st.recursive(
        first,
        lambda inner: (
            st.builds(Not, inner)
            | st.builds(AllOf, st.lists(inner, max_size=3).map(tuple))
            | st.builds(AnyOf, st.lists(inner, max_size=3).map(tuple))
        ),
        max_leaves=max_leaves,
    )


@st.composite
def with_stored_values(
    draw: st.DrawFn,
    resource: Resource[Any],
    specification: Specification,
    rows: Mapping[str, Sequence[Values]],
) -> Specification:
    """Replace about half of the values in *specification* by values of *rows* or similar ones, so that rows match.

    Args:
        draw: The function that Hypothesis passes.

        resource: The resource that the specification is for.

        specification: A specification that was drawn without rows.

        rows: The stored rows, by name of the resource.
    """

    def replaced(resource: Resource[Any], part: Specification) -> Specification:
        match part:
            case Everything() | HoldsWords():
                return part
            case Where():
                return _replace_value(draw, part, rows.get(resource.name, ()))
            case Not(inner):
                return Not(replaced(resource, inner))
            case AllOf(parts):
                return AllOf(tuple(replaced(resource, each) for each in parts))
            case AnyOf(parts):
                return AnyOf(tuple(replaced(resource, each) for each in parts))
            case Related(relation, inner):
                return Related(relation, replaced(relation.target, inner))

    return replaced(resource, specification)


def orders(
    resource: Resource[Any], *, max_size: int = 3, depth: int = MAX_DEPTH
) -> st.SearchStrategy[tuple[Sort, ...]]:
    """Return orders by the sortable fields of *resource* and of related resources, each field at most once."""
    own = [(name, (), resource.paths.get(name)) for name in resource.sortable]
    related = [
        (name, path, path[-1].target.paths.get(name))
        for path in _paths(resource, depth)
        for name in path[-1].target.sortable
    ]
    choices = [st.sampled_from(each) for each in (own, related) if each]
    sort = st.builds(
        lambda place, direction: Sort(place[0], direction, *place[1:]),
        st.sampled_from(choices).flatmap(lambda choice: choice),
        st.sampled_from(Direction),
    )
    return st.lists(sort, max_size=max_size, unique_by=lambda each: each.name).map(tuple)


def pages(*, max_limit: int = 6) -> st.SearchStrategy[PageRequest]:
    """Return page requests near the beginning, with an exact total or none."""
    return st.builds(
        PageRequest,
        limit=st.integers(1, max_limit),
        offset=st.integers(0, max_limit),
        count=st.sampled_from((Count.NONE, Count.EXACT)),
    )


def projections(resource: Resource[Any]) -> st.SearchStrategy[tuple[str, ...] | None]:
    """Return `None` for all fields, or some of the readable ones in some order."""
    some = st.lists(st.sampled_from(resource.readable), min_size=1, max_size=5, unique=True)
    return st.none() | some.map(tuple)


def queries(
    resource: Resource[Any], alphabet: str = CASED, *, without: frozenset[Operator] = frozenset()
) -> st.SearchStrategy[Query]:
    """Return queries of *resource*, with everything but a cursor."""
    return st.builds(
        Query,
        specification=specifications(resource, alphabet, without=without),
        order=orders(resource),
        page=pages(),
        fields=projections(resource),
    )


def aggregations(
    resource: Resource[Any], alphabet: str = CASED, *, without: frozenset[Operator] = frozenset()
) -> st.SearchStrategy[Aggregation]:
    """Return aggregations of *resource*, grouped by fields whose values have an order on every store."""
    measures = [
        Measure(Function.COUNT),
        *(Measure(each, name) for name, field in resource.fields.items() for each in functions_of(field)),
    ]
    groups = [name for name, field in resource.fields.items() if field.kind in ORDERED_KINDS | {Kind.BOOLEAN}]
    return st.builds(
        Aggregation,
        measures=st.lists(st.sampled_from(measures), min_size=1, max_size=5).map(tuple),
        group_by=st.lists(st.sampled_from(groups), max_size=2, unique=True).map(tuple),
        specification=specifications(resource, alphabet, without=without, max_leaves=3),
        limit=st.integers(1, 6),
        offset=st.integers(0, 3),
    )


def _paths(resource: Resource[Any], depth: int) -> Iterator[tuple[Relation, ...]]:
    """Yield every path along to-one relations."""
    for relation in resource.relations.values() if depth > 0 else ():
        if not relation.many:
            yield (relation,)
            for onward in _paths(relation.target, depth - 1):
                yield (relation, *onward)


def _leaves(field: Field, alphabet: str, without: frozenset[Operator]) -> st.SearchStrategy[Specification]:
    operators = [each for each in operators_for(field) if each not in without]
    choices: list[st.SearchStrategy[Specification]] = [
        comparisons(field, each, alphabet) for each in operators
    ]
    return st.one_of(choices)


def _operands(field: Field, operator: Operator, alphabet: str) -> st.SearchStrategy[object]:
    if operator is Operator.IS_NULL:
        return st.booleans()
    item = Field(name=field.name, kind=field.item or Kind.TEXT)
    value = values(item if operator in _ITEMS else field, alphabet)
    if operator is Operator.BETWEEN:
        return st.tuples(value, value)
    return st.lists(value, max_size=4).map(tuple) if operator in LIST_OPERATORS else value


def _replace_value(draw: st.DrawFn, leaf: Where, rows: Sequence[Values]) -> Where:
    seen = [value for row in rows if (value := leaf.value_in(row)) is not None]
    if leaf.operator in _ITEMS:
        seen = [item for items in seen for item in items]
    if leaf.operator is Operator.IS_NULL or not seen or draw(st.booleans()):
        return leaf

    def one() -> Any:
        chosen = draw(st.sampled_from(seen))
        return draw(st.sampled_from(_similar_texts(chosen))) if isinstance(chosen, str) else chosen

    if leaf.operator is Operator.BETWEEN:
        return replace(leaf, value=(one(), one()))
    if leaf.operator in LIST_OPERATORS:
        return replace(leaf, value=tuple(one() for _ in range(draw(st.integers(1, 3)))))
    return replace(leaf, value=one())


def _similar_texts(text: str) -> Sequence[str]:
    """Return *text*, *text* with swapped case, and parts of both."""
    other = "".join(turned if len(turned := each.swapcase()) == 1 else each for each in text)
    return (text, other, text[:1], other[-1:], text[1:], other[:-1], f"{text} ")
