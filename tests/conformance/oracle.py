"""Random rows and random queries, asked of an adapter and of the memory adapter."""

import dataclasses
import datetime
import math
from functools import cache

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from fastapi_easy.domain.changes.patch import Patch
from fastapi_easy.domain.queries.ordering import total_order
from fastapi_easy.domain.queries.page import Count, PageRequest
from fastapi_easy.domain.queries.query import Query
from fastapi_easy.domain.queries.specification import Everything, Operator, Where, operators_of
from fastapi_easy.domain.resources.capability import Capability
from fastapi_easy.domain.resources.named_paths import bind_paths
from fastapi_easy.infrastructure.persistence.memory import MemoryDatabase, MemoryRepository
from fastapi_easy.testing.conformance.sample_data import NOON
from fastapi_easy.testing.conformance.store import value_of
from fastapi_easy.testing.strategies import (
    ANY_CASE,
    CASED,
    WILD,
    aggregations,
    comparisons,
    orders,
    pages,
    patches,
    queries,
    specifications,
    tables,
    with_stored_values,
)
from tests.conformance.columns import FULL
from tests.thorough import examples

SHARE = 1 if FULL else examples(8, 2)
"""One in how many examples is tried: others are drawn in each run anyway."""

MODERATE = settings(
    max_examples=40 // SHARE,
    deadline=None,
    phases=(Phase.explicit, Phase.reuse, Phase.generate, Phase.shrink),
    # The store outlives an example on purpose: it is emptied before each.
    suppress_health_check=[
        HealthCheck.function_scoped_fixture,
        HealthCheck.too_slow,
        HealthCheck.data_too_large,
    ],
)
FEW = settings(MODERATE, max_examples=12 // SHARE)
"""For a test that asks everything of each example."""
SEVERAL = settings(MODERATE, max_examples=24 // SHARE)
"""For a test of resources that lead to one another, whose examples take the longest to put there."""

QUERIES = 4
SOME = 6
"""Rows of each resource at least: a window has to be among them, and ties."""

WHOLE = PageRequest(limit=1000, count=Count.EXACT)
RESOURCES = ["notes", "seats", "labels"]
CONNECTED = {"authors": ("authors", "books", "reviews"), "seats": ("seats", "tickets")}
"""Resources that lead to one another, whoever is referred to first."""

LEADING = [(world, name) for world, names in CONNECTED.items() for name in names]
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
        twins = await Twins.holding(store, data, [name], alphabet)

        await twins.answer_alike(
            data, name, prepared(queries, store.resources[name], alphabet, without=without)
        )

    @pytest.mark.parametrize(("world", "name"), LEADING)
    @SEVERAL
    @given(data=st.data())
    async def test_reads_what_leads_to_others_as_the_reference_does(self, store, data, world, name):
        twins = await Twins.holding(store, data, CONNECTED[world], CASED)

        await twins.answer_alike(data, name, prepared(queries, store.resources[name]))

    @pytest.mark.parametrize("name", RESOURCES)
    @FEW
    @given(data=st.data())
    async def test_means_by_each_operator_what_the_reference_means(self, store, data, name):
        twins = await Twins.holding(store, data, [name], CASED)
        resource = store.resources[name]

        for field in map(resource.comparable.get, resource.filterable):
            for operator in operators_of(field.kind, nullable=field.nullable):
                drawn = bind_paths(data.draw(prepared(comparisons, field, operator)), resource)
                leaf = twins.echoed(data, name, drawn)
                query = Query(specification=leaf, fields=resource.key, page=WHOLE)
                found = value_of(await twins.tested[name].select(query))
                expected = value_of(await twins.reference[name].select(query))

                assert list(found.items) == list(expected.items)

    @pytest.mark.parametrize("name", RESOURCES)
    @MODERATE
    @given(data=st.data())
    async def test_walks_as_the_reference_sorts(self, store, data, name):
        twins = await Twins.holding(store, data, [name], WILD)

        await twins.walk_alike(data, name, WILD)

    @pytest.mark.parametrize(("world", "name"), LEADING)
    @SEVERAL
    @given(data=st.data())
    async def test_walks_along_what_leads_to_others_as_the_reference_sorts(self, store, data, world, name):
        twins = await Twins.holding(store, data, CONNECTED[world], WILD)

        await twins.walk_alike(data, name, WILD)

    @pytest.mark.parametrize(("world", "name"), LEADING)
    @SEVERAL
    @given(data=st.data())
    async def test_is_led_where_the_reference_is_led(self, store, data, world, name):
        twins = await Twins.holding(store, data, CONNECTED[world], CASED)

        for relation in store.resources[name].relations.values():
            there, target = relation.target.name, relation.target
            sources = {tuple(row[field] for field in relation.local) for row in twins.rows[name]}
            asked = data.draw(st.permutations(sorted(each for each in sources if None not in each)))
            query = Query(
                specification=twins.echoed(
                    data, there, data.draw(prepared(specifications, target, max_leaves=2))
                ),
                order=data.draw(prepared(orders, target)),
                page=data.draw(prepared(pages)),
            )
            found = value_of(await twins.tested[there].select_each(relation, asked, query))
            expected = value_of(await twins.reference[there].select_each(relation, asked, query))

            assert [list(each) for each in found] == [list(each) for each in expected]

    @pytest.mark.parametrize("names", [("notes",), CONNECTED["authors"]], ids=["notes", "books"])
    @MODERATE
    @given(data=st.data())
    async def test_counts_as_the_reference_does(self, store, data, names):
        twins = await Twins.holding(store, data, names, WILD)
        name = "notes" if "notes" in names else "books"
        asked = prepared(aggregations, store.resources[name], WILD, without=ANY_CASE)

        for _ in range(QUERIES):
            aggregation = data.draw(asked)
            meant = twins.echoed(data, name, aggregation.specification)
            aggregation = dataclasses.replace(aggregation, specification=meant)
            found = value_of(await twins.tested[name].aggregate(aggregation))
            expected = value_of(await twins.reference[name].aggregate(aggregation))

            assert [each.by for each in found] == [each.by for each in expected]
            for one, other in zip(found, expected, strict=True):
                assert [type(each) for each in one.totals] == [type(each) for each in other.totals]
                assert all(map(_as_good_as_equal, one.totals, other.totals)), (one, other)

    @pytest.mark.parametrize("name", RESOURCES)
    @MODERATE
    @given(data=st.data())
    async def test_writes_as_the_reference_does(self, store, data, name):
        twins = await Twins.holding(store, data, [name], WILD)
        resource = store.resources[name]
        most = data.draw(st.integers(0, 12))
        asked = prepared(specifications, resource, WILD, without=ANY_CASE, max_leaves=2)
        updated, removed = (twins.echoed(data, name, data.draw(asked)) for _ in range(2))
        patch = Patch(as_kept(store, data.draw(prepared(patches, resource, WILD))))

        outcomes = []
        for repository in (twins.tested[name], twins.reference[name]):
            changed = await repository.update_where(updated, patch, max_affected=most)
            dropped = await repository.remove_where(removed, max_affected=most)
            rows = value_of(await repository.select(Query(page=WHOLE))).items
            outcomes.append((changed, dropped, list(rows)))

        assert outcomes[0] == outcomes[1]


class Twins:
    """The repositories under test and those of the reference, holding the same rows."""

    def __init__(self, store):
        reference = MemoryDatabase()
        self.resources = store.resources
        self.tested = {name: make() for name, make in store.repositories.items()}
        self.reference = {name: MemoryRepository(each, reference) for name, each in store.resources.items()}
        self.rows = {}

    @classmethod
    async def holding(cls, store, data, names, alphabet):
        """Both with some rows of each of *names* in them, and no others of these."""
        twins = cls(store)
        if not store.resources.keys() >= set(names):
            pytest.skip(f"the store has no {' and '.join(names)}")
        for name in reversed(store.resources):
            # What refers to them has to go first.
            targets = {each.target.name for each in store.resources[name].relations.values() if not each.many}
            if name in names or not targets.isdisjoint(names):
                value_of(await twins.tested[name].remove_where(Everything(), max_affected=10_000))
        for name in names:
            drawn = data.draw(prepared(tables, store.resources[name], alphabet, min_size=SOME))
            await twins._add(data, name, [as_kept(store, row) for row in drawn])
        return twins

    async def _add(self, data, name, drawn):
        """Add what was *drawn*, in parts, so that a row may refer to one of an earlier part."""
        resource = self.resources[name]
        relations = [each for each in resource.relations.values() if not each.many]
        size = 2 if any(each.target is resource for each in relations) else max(1, len(drawn))
        self.rows[name] = []
        for start in range(0, len(drawn), size):
            part = [row for row in drawn[start : start + size] if self._refer(data, row, relations)]
            added = value_of(await self.tested[name].add_all(part))
            for row, wanted in zip(added, part, strict=True):
                assert {field: row[field] for field in wanted} == wanted
            value_of(await self.reference[name].add_all(added))
            self.rows[name] += added
        if resource.soft_delete is not None and self.rows[name]:
            keys = [resource.key_of(row) for row in self.rows[name]]
            some = tuple(data.draw(st.lists(st.sampled_from(keys), max_size=2)))
            for repository in (self.tested[name], self.reference[name]):
                meant = Where(resource.key[0], Operator.IN, some)
                value_of(
                    await repository.update_where(meant, Patch({resource.soft_delete: NOON}), max_affected=9)
                )
            self.rows[name] = value_of(await self.reference[name].select(Query(page=WHOLE))).items

    def _refer(self, data, row, relations):
        """Let *row* refer to rows that are there; false when it has to, and there are none."""
        for relation in relations:
            may_be_null = all(relation.source.fields[each].nullable for each in relation.local)
            there = [*([None] if may_be_null else []), *self.rows[relation.target.name]]
            if not there:
                return False
            chosen = data.draw(st.sampled_from(there))
            for here, field in zip(relation.local, relation.remote, strict=True):
                row[here] = None if chosen is None else chosen[field]
        return True

    def echoed(self, data, name, specification):
        """*specification* about values that are there."""
        return data.draw(with_stored_values(self.resources[name], specification, self.rows))

    async def answer_alike(self, data, name, asked):
        """Ask both some queries."""
        tested, reference = self.tested[name], self.reference[name]
        for _ in range(QUERIES):
            drawn = data.draw(asked)
            query = dataclasses.replace(drawn, specification=self.echoed(data, name, drawn.specification))
            found, expected = value_of(await tested.select(query)), value_of(await reference.select(query))

            assert [list(row.items()) for row in found.items] == [list(row.items()) for row in expected.items]
            assert (found.total, found.next) == (expected.total, expected.next)
            assert await tested.count(query.specification) == await reference.count(query.specification)

    async def walk_alike(self, data, name, alphabet):
        """Walk through one page by page, and stream it, as the other sorts."""
        tested, reference, resource = self.tested[name], self.reference[name], self.resources[name]
        specification = Everything()
        # Half of all walks go through everything: the fewer rows are left, the fewer ties are among them.
        if data.draw(st.booleans()):
            asked = prepared(specifications, resource, alphabet, without=ANY_CASE, max_leaves=2)
            specification = self.echoed(data, name, data.draw(asked))
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
                own = [
                    (at, each) for at, each in enumerate(total_order(order, resource.key)) if not each.path
                ]
                assert all(page.next.values[at] == each.value_in(page.items[-1]) for at, each in own)
        streamed = [
            row
            async for rows in tested.stream(Query(specification=specification, order=order), chunk=limit)
            for row in rows
        ]

        assert walked == list(whole.items)
        assert streamed == list(whole.items)


def _as_good_as_equal(one, other):
    return math.isclose(one, other, rel_tol=1e-9, abs_tol=2) if isinstance(one, float) else one == other


def as_kept(store, values):
    """*values* without what the store declares that it does not keep."""
    if Capability.MICROSECONDS in store.capabilities:
        return values
    return {
        name: value.replace(microsecond=value.microsecond // 1000 * 1000)
        if isinstance(value, datetime.datetime)
        else value
        for name, value in values.items()
    }
