"""Cases about reading: by key, by page, some fields or all."""

from collections.abc import Iterable
from typing import Any

import pytest
from returns.result import Failure, Success

from fastapi_easy.domain.changes.patch import Patch
from fastapi_easy.domain.changes.row import Row
from fastapi_easy.domain.errors import NotFound
from fastapi_easy.domain.field import Field
from fastapi_easy.domain.queries.ordering import Direction, Sort
from fastapi_easy.domain.queries.page import Count, Page, PageRequest
from fastapi_easy.domain.queries.query import Query
from fastapi_easy.domain.queries.specification import Everything, Operator, Where
from fastapi_easy.domain.resources.capability import Capability
from fastapi_easy.testing.conformance.sample_shapes import NOTES, SHAPES
from fastapi_easy.testing.conformance.store import (
    Store,
    Suite,
    add_one,
    add_rows,
    add_titles,
    titles,
    value_of,
)

BEYOND_64_BITS = [2**63, -(2**63) - 1, 10**30]


class ReadCases(Suite):
    """Cases about `read`, `find_by_id`, `find_all`, `select` and `count`."""

    async def test_the_resources_have_the_shapes_of_the_suite(self, store: Store) -> None:
        for name, resource in store.resources.items():
            shape = SHAPES[name]
            assert resource.key == shape.key
            assert set(resource.unique) == set(shape.unique)
            assert _parameterize(resource.fields.values(), shape.key) == _parameterize(
                shape.fields, shape.key
            )

    async def test_reads_every_field_in_the_order_of_the_class(self, store: Store) -> None:
        added = await add_one(store.notes, title="a")

        read = value_of(await store.notes.read(added.id))

        assert type(read) is Row
        assert list(read) == [field.name for field in NOTES.fields]
        assert read == added

    async def test_reads_the_fields_asked_for_in_their_order(self, store: Store) -> None:
        added = await add_one(store.notes, title="a")

        read = value_of(await store.notes.read(added.id, ("title", "id")))

        assert list(read.items()) == [("title", "a"), ("id", added.id)]

    async def test_finds_an_instance_of_the_users_class(self, store: Store) -> None:
        added = await add_one(store.notes, title="a", extra={"a": [1]})

        found = value_of(await store.entities("notes").find_by_id(added.id))

        assert type(found) is store.resources["notes"].entity
        assert {name: getattr(found, name) for name in added} == added

    async def test_finds_instances_whatever_fields_the_query_names(self, store: Store) -> None:
        await add_titles(store, "ba")

        page = value_of(await store.entities("notes").find_all(Query(order=(Sort("title"),), fields=("id",))))

        assert {type(each) for each in page.items} == {store.resources["notes"].entity}
        assert titles(page.items) == ["a", "b"]
        assert [each.body for each in page.items] == ["", ""]

    async def test_a_missing_key_is_not_found(self, store: Store) -> None:
        assert await store.notes.read(4711) == Failure(NotFound("notes", 4711))
        assert await store.entities("notes").find_by_id(4711) == Failure(NotFound("notes", 4711))

    @pytest.mark.parametrize("key", BEYOND_64_BITS)
    async def test_a_key_beyond_64_bits_is_not_found(self, store: Store, key: int) -> None:
        expected = Failure(NotFound("notes", key))

        assert await store.notes.read(key) == expected
        assert await store.entities("notes").find_by_id(key) == expected
        assert await store.notes.update(key, Patch({"title": "b"})) == expected
        assert await store.notes.remove(key) == expected

    async def test_changing_a_row_changes_nothing_in_the_store(self, store: Store) -> None:
        added = await add_one(store.notes, title="a", extra={"list": [1]})

        added["title"] = "b"
        added.extra["list"].append(2)

        read = value_of(await store.notes.read(added.id))
        assert (read.title, read.extra) == ("a", {"list": [1]})

    async def test_changing_what_was_given_changes_nothing_in_the_store(self, store: Store) -> None:
        extra = {"list": [1]}
        added = await add_one(store.notes, title="a", extra=extra)

        extra["list"].append(2)

        assert value_of(await store.notes.read(added.id)).extra == {"list": [1]}

    async def test_an_empty_store_answers_an_empty_page(self, store: Store) -> None:
        found = await store.notes.select(Query(page=PageRequest(count=Count.EXACT)))

        assert _listed(found) == Success(Page([], 0, None))

    async def test_selects_fields_in_their_order_without_those_it_sorts_by(self, store: Store) -> None:
        await add_rows(store.notes, [{"title": "a", "rank": 1}, {"title": "b", "rank": 2}])

        page = value_of(
            await store.notes.select(
                Query(
                    order=(Sort("rank", Direction.DESCENDING),),
                    fields=("colour", "title"),
                    page=PageRequest(limit=1),
                )
            )
        )

        assert [list(row) for row in page.items] == [["colour", "title"]]
        assert titles(page.items) == ["b"]
        assert page.next is not None

    @pytest.mark.parametrize(
        ("offset", "limit", "expected", "has_more"),
        [
            pytest.param(0, 2, ["a", "b"], True, id="more follow"),
            pytest.param(0, 3, ["a", "b", "c"], False, id="exactly all"),
            pytest.param(0, 4, ["a", "b", "c"], False, id="more than all"),
            pytest.param(1, 1, ["b"], True, id="from the middle"),
            pytest.param(1, 2, ["b", "c"], False, id="to the end"),
            pytest.param(3, 2, [], False, id="behind the end"),
        ],
    )
    async def test_a_page_says_whether_more_follow(
        self, store: Store, offset: int, limit: int, expected: list[str], *, has_more: bool
    ) -> None:
        await add_titles(store, "abc")

        page = value_of(await store.notes.select(Query(page=PageRequest(offset=offset, limit=limit))))

        assert titles(page.items) == expected
        assert (page.next is not None) is has_more
        assert page.total is None

    @pytest.mark.parametrize("offset", [0, 1, 50])
    async def test_an_exact_total_counts_what_is_meant_whatever_the_window(
        self, store: Store, offset: int
    ) -> None:
        await add_titles(store, "aabbb")
        request = PageRequest(limit=1, offset=offset, count=Count.EXACT)

        page = value_of(
            await store.notes.select(Query(specification=Where("title", Operator.EQUALS, "b"), page=request))
        )

        assert page.total == 3

    async def test_an_exact_total_stays_the_same_along_a_walk(self, store: Store) -> None:
        await add_titles(store, "abc")
        first = value_of(await store.notes.select(Query(page=PageRequest(limit=1))))

        second = value_of(
            await store.notes.select(Query(page=PageRequest(limit=1, after=first.next, count=Count.EXACT)))
        )

        assert (titles(second.items), second.total) == (["b"], 3)

    async def test_an_estimate_is_a_number_and_exact_where_the_store_keeps_none(self, store: Store) -> None:
        await add_titles(store, "abc")

        total = value_of(await store.notes.select(Query(page=PageRequest(count=Count.ESTIMATED)))).total

        assert total is not None
        assert total >= 0
        if Capability.ESTIMATES not in store.capabilities:
            assert total == 3

    async def test_counts_what_is_meant(self, store: Store) -> None:
        await add_titles(store, "abb")

        assert await store.notes.count(Everything()) == Success(3)
        assert await store.notes.count(Where("title", Operator.EQUALS, "b")) == Success(2)
        assert await store.notes.count(Where("title", Operator.EQUALS, "z")) == Success(0)

    async def test_finds_what_it_selects(self, store: Store) -> None:
        await add_titles(store, "abc")
        query = Query(
            order=(Sort("title", Direction.DESCENDING),), page=PageRequest(limit=2, count=Count.EXACT)
        )

        found = value_of(await store.entities("notes").find_all(query))
        selected = value_of(await store.notes.select(query))

        assert titles(found.items) == titles(selected.items)
        assert (found.total, found.next) == (selected.total, selected.next)


def _listed(outcome: Any) -> Any:
    """Return *outcome* with the items of its page as a list, so that pages with other sequences compare equal."""
    return outcome.map(lambda page: Page(list(page.items), page.total, page.next))


def _parameterize(fields: Iterable[Field], key: tuple[str, ...]) -> dict[str, object]:
    """Return what the suite relies on in *fields*, by name.

    Defaults have cases of their own, and bounds differ between stores.
    """
    return {
        each.name: (
            each.kind,
            each.nullable,
            each.generated,
            each.unique or each.name in key,
            each.max_length,
            each.precision,
            each.scale,
        )
        for each in fields
    }
