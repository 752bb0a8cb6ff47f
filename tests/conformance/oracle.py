"""Random rows and random queries, asked of an adapter and of the memory adapter."""

from functools import cache

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fastapi_easy.domain.ordering import total_order
from fastapi_easy.domain.page import Count, PageRequest
from fastapi_easy.domain.patch import Patch
from fastapi_easy.domain.query import Query
from fastapi_easy.domain.specification import Everything, operators_of
from fastapi_easy.infrastructure.persistence.memory import MemoryDatabase, MemoryRepository
from fastapi_easy.testing.conformance.store import value_of
from fastapi_easy.testing.strategies import (
    ANY_CASE,
    CASED,
    WILD,
    comparisons,
    orders,
    patches,
    queries,
    specifications,
    tables,
)

MODERATE = settings(
    max_examples=60,
    deadline=None,
    # The store outlives an example on purpose: it is emptied before each.
    suppress_health_check=[
        HealthCheck.function_scoped_fixture,
        HealthCheck.too_slow,
        HealthCheck.data_too_large,
    ],
)
FEW = settings(MODERATE, max_examples=12)
"""For a test that asks everything of each example."""

QUERIES = 4
WHOLE = PageRequest(limit=1000, count=Count.EXACT)
RESOURCES = ["notes", "seats", "labels"]
ALPHABETS = [
    pytest.param(CASED, frozenset(), id="any case"),
    pytest.param(WILD, ANY_CASE, id="any character"),
]


@cache
def prepared(strategy, /, *arguments, **options):
    """*strategy* of these arguments, made once: making it takes longer than drawing from it."""
    return strategy(*arguments, **options)


class Oracle:
    @pytest.mark.parametrize("name", RESOURCES)
    @pytest.mark.parametrize(("alphabet", "without"), ALPHABETS)
    @MODERATE
    @given(data=st.data())
    async def test_reads_as_the_reference_does(self, store, data, name, alphabet, without):
        tested, reference = await twins(store, name, data, alphabet)
        asked = prepared(queries, store.resources[name], alphabet, without=without)

        for _ in range(QUERIES):
            query = data.draw(asked)
            found, expected = value_of(await tested.select(query)), value_of(await reference.select(query))

            assert [list(row.items()) for row in found.items] == [list(row.items()) for row in expected.items]
            assert (found.total, found.next) == (expected.total, expected.next)
            assert await tested.count(query.specification) == await reference.count(query.specification)

    @pytest.mark.parametrize("name", RESOURCES)
    @FEW
    @given(data=st.data())
    async def test_means_by_each_operator_what_the_reference_means(self, store, data, name):
        tested, reference = await twins(store, name, data, CASED, min_size=6)
        resource = store.resources[name]

        for field in map(resource.fields.get, resource.filterable):
            for operator in operators_of(field.kind, nullable=field.nullable):
                leaf = data.draw(prepared(comparisons, field, operator))
                query = Query(specification=leaf, fields=resource.key, page=WHOLE)
                found, expected = (
                    value_of(await tested.select(query)),
                    value_of(await reference.select(query)),
                )

                assert list(found.items) == list(expected.items)

    @pytest.mark.parametrize("name", RESOURCES)
    @MODERATE
    @given(data=st.data())
    async def test_walks_as_the_reference_sorts(self, store, data, name):
        tested, reference = await twins(store, name, data, WILD)
        resource = store.resources[name]
        specification = data.draw(prepared(specifications, resource, WILD, without=ANY_CASE, max_leaves=2))
        order = data.draw(prepared(orders, resource))
        limit = data.draw(st.integers(1, 5))

        whole = value_of(await reference.select(Query(specification=specification, order=order, page=WHOLE)))
        walked, page = [], None
        while page is None or page.next is not None:
            request = PageRequest(limit=limit, after=page and page.next)
            page = value_of(
                await tested.select(Query(specification=specification, order=order, page=request))
            )
            walked.extend(page.items)
            assert len(walked) <= len(whole.items)
            if page.next is not None:
                last = page.items[-1]
                assert page.next.values == tuple(
                    last[each.field] for each in total_order(order, resource.key)
                )
        streamed = [
            row async for row in tested.stream(Query(specification=specification, order=order), chunk=limit)
        ]

        assert walked == list(whole.items)
        assert streamed == list(whole.items)

    @pytest.mark.parametrize("name", RESOURCES)
    @MODERATE
    @given(data=st.data())
    async def test_writes_as_the_reference_does(self, store, data, name):
        tested, reference = await twins(store, name, data, WILD)
        resource = store.resources[name]
        most = data.draw(st.integers(0, 12))
        updated = data.draw(prepared(specifications, resource, WILD, without=ANY_CASE, max_leaves=2))
        removed = data.draw(prepared(specifications, resource, WILD, without=ANY_CASE, max_leaves=2))
        patch = Patch(data.draw(prepared(patches, resource, WILD)))

        for repository in (tested, reference):
            changed = await repository.update_where(updated, patch, max_affected=most)
            dropped = await repository.remove_where(removed, max_affected=most)
            rows = value_of(await repository.select(Query(page=WHOLE))).items
            if repository is tested:
                outcome = (changed, dropped, list(rows))

        assert outcome == (changed, dropped, list(rows))


async def twins(store, name, data, alphabet, *, min_size=0):
    """The repository under test and the reference, holding the same rows."""
    resource = store.resources.get(name) or pytest.skip(f"the store has no {name}")
    given_rows = data.draw(prepared(tables, resource, alphabet, min_size=min_size))
    tested = store.repositories[name]()
    value_of(await tested.remove_where(Everything(), max_affected=10_000))
    rows = value_of(await tested.add_all(given_rows))
    for row, wanted in zip(rows, given_rows, strict=True):
        assert {field: row[field] for field in wanted} == wanted
    reference = MemoryRepository(resource, MemoryDatabase())
    value_of(await reference.add_all(rows))
    return tested, reference
