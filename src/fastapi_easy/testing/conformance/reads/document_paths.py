"""Cases about values inside of JSON fields."""

import itertools
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

import pytest

from fastapi_easy.domain.queries.ordering import Direction, Sort
from fastapi_easy.domain.queries.page import PageRequest
from fastapi_easy.domain.queries.path_where import PathWhere
from fastapi_easy.domain.queries.query import Query
from fastapi_easy.domain.queries.specification import (
    LIST_OPERATORS,
    Not,
    Operator,
    Specification,
    Where,
    is_satisfied_by,
    operators_for,
)
from fastapi_easy.domain.resources.named_paths import bind_paths
from fastapi_easy.testing.conformance.store import Store, Suite, add_rows, value_of

_LEAVES: Final[Sequence[object]] = [
    "red",
    "Red",
    "rot",
    "Z",
    "é",
    "ﬀ",
    "😀",
    'a"b\\c',
    "12",
    "true",
    "",
    "%",
    0,
    3,
    -7,
    10,
    2**53 + 1,
    2**63 - 1,
    -(2**63),
    2.0,
    2.5,
    -0.5,
    1e300,
    1e18,
    True,
    False,
    None,
    [],
    ["red"],
    [3],
    {},
    {"width": 3},
    {"width": "3"},
    {"width": [3]},
    {"width": 2.5},
    [{"width": 3}],
    "null",
]
"""Of every JSON type, and of each some at the edges."""

_OTHERS: Final[Sequence[object]] = [
    {},
    [],
    [{"colour": "red", "size": 3, "on": True}],
    [{"box": {"width": 3}}],
    "red",
    3,
    None,
]
"""Documents without any of the places."""

_LARGE: Final[Sequence[object]] = [{"size": 2**63}, {"size": -(10**30)}, {"box": {"width": 10**400}}]
"""A store that cannot keep such a number refuses it."""

_WANTED: Final[Mapping[str, Sequence[Any]]] = {
    "extra.colour": ["red", "R", "%", "😀", 'a"b\\c'],
    "extra.size": [3, 2, 10**18, 2**53 + 1],
    "extra.box.width": [3.0, 2.5, 0.0],
    "extra.on": [True, False],
}


class DocumentPathCases(Suite):
    """Cases about values inside of JSON fields, in filters and orders."""

    @pytest.mark.parametrize("name", _WANTED)
    async def test_values_inside_of_documents_are_compared_as_the_reference_does(
        self, store: Store, name: str
    ) -> None:
        await _add_documents(store, name)
        rows = value_of(await store.notes.select(Query(page=PageRequest(limit=1000)))).items

        for specification in _comparisons(store, name):
            query = Query(specification=specification, page=PageRequest(limit=1000), fields=("id", "extra"))
            found = value_of(await store.notes.select(query)).items
            bound = bind_paths(specification, store.resources["notes"])
            expected = [row.id for row in rows if is_satisfied_by(bound, row)]

            assert [row.id for row in found] == expected, specification

    @pytest.mark.parametrize("direction", Direction)
    @pytest.mark.parametrize("name", _WANTED)
    async def test_a_walk_goes_along_values_inside_of_documents(
        self, store: Store, name: str, direction: Direction
    ) -> None:
        await _add_documents(store, name)
        path = store.resources["notes"].paths[name]
        sort = Sort(name, direction, inside=path)
        rows = value_of(await store.notes.select(Query(page=PageRequest(limit=1000)))).items
        present = [row for row in rows if path.value_in(row) is not None]
        present.sort(key=path.value_in, reverse=sort.descending)
        expected = [*present, *(row for row in rows if path.value_in(row) is None)]

        walked: list[Any] = []
        request: PageRequest | None = PageRequest(limit=11)
        while request is not None:
            page = value_of(await store.notes.select(Query(order=(sort,), page=request)))
            walked.extend(page.items)
            assert len(walked) <= len(rows)
            request = None if page.next is None else PageRequest(limit=11, after=page.next)

        assert [row.id for row in walked] == [row.id for row in expected]


async def _add_documents(store: Store, name: str) -> None:
    member = store.resources["notes"].paths[name].members[0]
    documents = [*({member: leaf} for leaf in _LEAVES), *_OTHERS]
    await add_rows(store.notes, ({"title": "a", "extra": each} for each in documents))
    for each in _LARGE:
        _ = await store.notes.add({"title": "a", "extra": each})


def _comparisons(store: Store, name: str) -> Iterator[Specification]:
    path = store.resources["notes"].paths[name]
    wanted = _WANTED[name]
    for operator in operators_for(path.field):
        meant = [PathWhere(name, operator, value, path) for value in _values(operator, wanted)]
        yield from meant
        # By its name alone, as a program writes it.
        yield Not(Where(name, operator, meant[0].value))


def _values(operator: Operator, wanted: Sequence[Any]) -> Sequence[Any]:
    if operator is Operator.IS_NULL:
        return (True, False)
    if operator is Operator.BETWEEN:
        return list(itertools.pairwise(sorted(wanted)))
    if operator in LIST_OPERATORS:
        return [tuple(wanted[:2]), tuple(wanted), ()]
    return wanted
