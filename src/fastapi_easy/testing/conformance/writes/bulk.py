"""Cases about bulk writes: `add_all`, `update_where`, `remove_where`."""

import importlib
import sys
from typing import Any, Final

import pytest
from returns.result import Failure, Success

from fastapi_easy.domain.changes.patch import Patch
from fastapi_easy.domain.errors import AlreadyExists, TooLarge
from fastapi_easy.domain.queries.ordering import Sort
from fastapi_easy.domain.queries.page import PageRequest
from fastapi_easy.domain.queries.query import Query
from fastapi_easy.domain.queries.specification import AnyOf, Everything, Not, Operator, Specification, Where
from fastapi_easy.testing.conformance.sample_shapes import Colour
from fastapi_easy.testing.conformance.store import (
    Store,
    Suite,
    add_one,
    add_rows,
    add_titles,
    titles,
    value_of,
)

MANY: Final = 10_000
MEGABYTE: Final = 1024 * 1024

A: Final = Where("title", Operator.EQUALS, "a")
NONE: Final = Where("title", Operator.EQUALS, "z")


class BulkCases(Suite):
    """Cases about bulk writes, which change all entities or none."""

    async def test_adds_several_and_returns_them_in_the_same_order(self, store: Store) -> None:
        rows = value_of(await store.notes.add_all([{"title": each, "rank": ord(each)} for each in "cab"]))

        assert titles(rows) == ["c", "a", "b"]
        for row in rows:
            assert value_of(await store.notes.read(row.id)) == row

    async def test_adding_none_adds_none(self, store: Store) -> None:
        assert list(value_of(await store.notes.add_all([]))) == []
        assert await store.notes.count(Everything()) == Success(0)

    async def test_each_of_several_takes_its_own_defaults(self, store: Store) -> None:
        first, second, third = value_of(
            await store.notes.add_all(
                [
                    {"title": "a", "rank": 1, "colour": Colour.RED},
                    {"title": "b", "body": "b"},
                    {"title": "c", "extra": None},
                ]
            )
        )

        assert (first.rank, first.colour, first.body) == (1, Colour.RED, "")
        assert (second.rank, second.colour, second.body) == (None, Colour.GREEN, "b")
        assert (third.extra, third.priority) == (None, 0)
        assert len({first.token, second.token, third.token}) == 3

    async def test_several_keys_of_the_applications_own_keep_their_order(self, store: Store) -> None:
        seats = [{"hall": hall, "number": number} for hall in "cab" for number in (3, 1, 2)]

        rows = value_of(await store.seats.add_all(seats))

        assert [(row.hall, row.number) for row in rows] == [(each["hall"], each["number"]) for each in seats]

    @pytest.mark.parametrize(
        "codes",
        [
            pytest.param(["b", "taken"], id="taken before"),
            pytest.param(["b", "c", "b"], id="twice among the new"),
            pytest.param(["taken", "b"], id="the first of them"),
        ],
    )
    async def test_adds_none_when_one_is_refused(self, store: Store, codes: list[str]) -> None:
        await add_rows(store.notes, [{"title": "a", "code": "taken"}])

        refused = await store.notes.add_all([{"title": "b", "code": code} for code in codes])

        assert refused == Failure(AlreadyExists("notes", ("code",)))
        assert await store.notes.count(Everything()) == Success(1)

    async def test_adds_ten_thousand_in_order_and_in_bounded_memory(self, store: Store) -> None:
        many = [{"title": f"note {number}", "rank": number} for number in range(MANY)]

        before = _peak_memory()
        rows = value_of(await store.notes.add_all(many))
        growth = _peak_memory() - before

        assert [row.rank for row in rows] == list(range(MANY))
        assert len({row.id for row in rows}) == MANY
        # About 4 kB for each returned row, and the same again in the driver's buffers.
        assert growth < 160 * MEGABYTE
        last = value_of(
            await store.notes.select(Query(order=(Sort("id"),), page=PageRequest(offset=MANY - 1)))
        )
        assert titles(last.items) == [f"note {MANY - 1}"]

    @pytest.mark.parametrize(
        ("specification", "changed"),
        [
            pytest.param(A, "aa", id="those that are meant"),
            pytest.param(Everything(), "aabc", id="everything"),
            pytest.param(NONE, "", id="none"),
            pytest.param(AnyOf(()), "", id="any of nothing"),
            pytest.param(Not(A), "bc", id="the others"),
            pytest.param(Where("remark", Operator.NOT_EQUALS, "x"), "aabc", id="null differs"),
            pytest.param(Where("body", Operator.CONTAINS_ANY_CASE, "É"), "b", id="any case"),
        ],
    )
    async def test_updates_what_is_meant_and_says_how_many(
        self, store: Store, specification: Specification, changed: str
    ) -> None:
        await add_rows(store.notes, ({"title": each, "body": "é" if each == "b" else ""} for each in "aabc"))

        updated = await store.notes.update_where(
            specification, Patch({"rank": 7, "extra": {"a": 1}}), max_affected=10
        )

        assert updated == Success(len(changed))
        page = value_of(await store.notes.select(Query(specification=Where("rank", Operator.EQUALS, 7))))
        assert "".join(titles(page.items)) == changed
        assert all(row.extra == {"a": 1} for row in page.items)

    async def test_updates_a_field_that_says_what_is_meant(self, store: Store) -> None:
        await add_titles(store, "aab")

        assert await store.notes.update_where(A, Patch({"title": "z"}), max_affected=2) == Success(2)
        assert await store.notes.count(NONE) == Success(2)

    async def test_counts_also_what_had_these_values_already(self, store: Store) -> None:
        await add_titles(store, "aab")

        assert await store.notes.update_where(A, Patch({"title": "a"}), max_affected=2) == Success(2)

    async def test_an_empty_patch_counts_and_changes_nothing(self, store: Store) -> None:
        await add_titles(store, "aab")

        assert await store.notes.update_where(A, Patch({}), max_affected=2) == Success(2)
        assert _limit(await store.notes.update_where(A, Patch({}), max_affected=1)) == 1

    async def test_sets_null_where_the_patch_says_so(self, store: Store) -> None:
        await add_rows(store.notes, ({"title": each, "remark": "r"} for each in "ab"))

        assert await store.notes.update_where(A, Patch({"remark": None}), max_affected=2) == Success(1)
        assert await store.notes.count(Where("remark", Operator.IS_NULL, value=True)) == Success(1)

    async def test_updates_none_when_they_are_more_than_allowed(self, store: Store) -> None:
        await add_titles(store, "aaab")

        refused = await store.notes.update_where(A, Patch({"title": "z"}), max_affected=2)

        assert _limit(refused) == 2
        assert await store.notes.count(A) == Success(3)

    async def test_updates_none_when_one_is_refused(self, store: Store) -> None:
        await add_titles(store, "aab")

        refused = await store.notes.update_where(A, Patch({"code": "same", "rank": 1}), max_affected=5)

        assert refused == Failure(AlreadyExists("notes", ("code",)))
        assert await store.notes.count(Where("rank", Operator.IS_NULL, value=True)) == Success(3)

    @pytest.mark.parametrize(
        ("specification", "left"),
        [
            pytest.param(A, "bc", id="those that are meant"),
            pytest.param(Everything(), "", id="everything"),
            pytest.param(NONE, "aabc", id="none"),
            pytest.param(Not(A), "aa", id="the others"),
        ],
    )
    async def test_removes_what_is_meant_and_says_how_many(
        self, store: Store, specification: Specification, left: str
    ) -> None:
        await add_titles(store, "aabc")

        removed = await store.notes.remove_where(specification, max_affected=4)

        assert removed == Success(4 - len(left))
        assert "".join(titles(value_of(await store.notes.select(Query())).items)) == left

    @pytest.mark.parametrize("limit", [0, 2])
    async def test_removes_none_when_they_are_more_than_allowed(self, store: Store, limit: int) -> None:
        await add_titles(store, "aaab")

        refused = await store.notes.remove_where(A, max_affected=limit)

        assert _limit(refused) == limit
        assert await store.notes.count(Everything()) == Success(4)

    async def test_as_many_as_allowed_is_allowed(self, store: Store) -> None:
        await add_titles(store, "aaa")

        assert await store.notes.update_where(A, Patch({"rank": 1}), max_affected=3) == Success(3)
        assert await store.notes.remove_where(A, max_affected=3) == Success(3)
        assert await store.notes.remove_where(A, max_affected=0) == Success(0)

    async def test_a_unique_value_may_go_to_the_only_one_that_is_meant(self, store: Store) -> None:
        added = await add_one(store.notes, title="a", code="c")

        assert await store.notes.update_where(A, Patch({"code": "c"}), max_affected=1) == Success(1)
        assert value_of(await store.notes.read(added.id)) == added


def _peak_memory() -> int:
    """Return the peak memory of this process in bytes; 0 on a platform that does not report it."""
    # Tracing allocations would be more exact, and six times slower with some drivers.
    if sys.platform == "win32":
        return 0
    resource = importlib.import_module("resource")
    usage: int = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return usage if sys.platform == "darwin" else usage * 1024


def _limit(outcome: Any) -> int:
    assert type(outcome) is Failure
    error = outcome.failure()
    assert type(error) is TooLarge
    return error.limit
