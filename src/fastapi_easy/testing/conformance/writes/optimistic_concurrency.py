"""Cases about optimistic concurrency: versions and `expected_version`."""

import asyncio
from typing import Any

import pytest
from returns.result import Failure, Success

from fastapi_easy.domain.changes.patch import Patch
from fastapi_easy.domain.changes.row import Row
from fastapi_easy.domain.errors import Outcome, Stale, Unavailable
from fastapi_easy.domain.queries.query import Query
from fastapi_easy.domain.queries.specification import Everything, Operator, Where
from fastapi_easy.domain.resources.capability import Capability
from fastapi_easy.testing.conformance.store import Store, Suite, add_one, run_concurrently, value_of

CALLERS = 8

VERSIONED = [pytest.param("notes", id="by its fields"), pytest.param("books", id="by a field of its own")]


class OptimisticConcurrencyCases(Suite):
    """Cases about `expected_version` with and without a `version` field, and about the value of that field."""

    async def test_a_new_entity_has_version_one_whatever_is_given(self, store: Store) -> None:
        added = await add_one(store.books, title="a", version=7)
        several = value_of(await store.books.add_all([{"title": "b"}, {"title": "c", "version": 9}]))
        saved = value_of(await store.entities("books").save(_book(store, title="d", version=7)))

        assert (added.version, [row.version for row in several], saved.version) == (1, [1, 1], 1)
        assert await _versions(store) == [1, 1, 1, 1]

    async def test_every_change_raises_it_by_one(self, store: Store) -> None:
        added = await add_one(store.books, title="a")

        updated = value_of(await store.books.update(added.id, Patch({"title": "b"})))
        again = value_of(await store.books.update(added.id, Patch({"title": "b"})))
        affected = value_of(await store.books.update_where(Everything(), Patch({"pages": 1}), max_affected=5))
        saved = value_of(
            await store.entities("books").save(value_of(await store.entities("books").find_by_id(added.id)))
        )

        assert (updated.version, again.version, affected, saved.version) == (2, 3, 1, 5)
        assert value_of(await store.books.read(added.id)) == {
            **added,
            "title": "b",
            "pages": 1,
            "version": 5,
        }

    async def test_a_patch_cannot_set_it(self, store: Store) -> None:
        added = await add_one(store.books, title="a")

        updated = value_of(await store.books.update(added.id, Patch({"title": "b", "version": 40})))
        _ = value_of(
            await store.books.update_where(Everything(), Patch({"title": "c", "version": 50}), max_affected=1)
        )

        assert updated.version == 2
        assert await _versions(store) == [3]

    async def test_what_changes_nothing_does_not_raise_it(self, store: Store) -> None:
        added = await add_one(store.books, title="a", isbn="i")
        other = await add_one(store.books, title="b")

        empty = await store.books.update(added.id, Patch({}))
        stale = await store.books.update(added.id, Patch({"title": "c"}), expected_version="9")
        refused = await store.books.update(other.id, Patch({"isbn": "i"}))
        missed = await store.books.update_where(
            Where("title", Operator.EQUALS, "z"), Patch({"title": "y"}), max_affected=9
        )

        assert empty == Success(added)
        assert (type(stale), type(refused), missed) == (Failure, Failure, Success(0))
        assert await _versions(store) == [1, 1]

    async def test_the_version_of_a_row_is_what_the_field_holds(self, store: Store) -> None:
        added = await add_one(store.books, title="a")
        updated = value_of(await store.books.update(added.id, Patch({"title": "b"})))

        assert _version(store, "books", added) == "1"
        assert _version(store, "books", updated) == "2"

    @pytest.mark.parametrize("name", VERSIONED)
    async def test_a_change_based_on_the_current_version_succeeds(self, store: Store, name: str) -> None:
        repository = store.repositories[name]()
        added = await add_one(repository, title="a")

        updated = value_of(
            await repository.update(
                added.id, Patch({"title": "b"}), expected_version=_version(store, name, added)
            )
        )
        unchanged = await repository.update(
            added.id, Patch({}), expected_version=_version(store, name, updated)
        )
        removed = await repository.remove(added.id, expected_version=_version(store, name, updated))

        assert (updated.title, unchanged, removed) == ("b", Success(updated), Success(None))
        assert await repository.count(Everything()) == Success(0)

    @pytest.mark.parametrize("name", VERSIONED)
    async def test_a_change_based_on_another_version_is_stale(self, store: Store, name: str) -> None:
        repository = store.repositories[name]()
        added = await add_one(repository, title="a")
        before = _version(store, name, added)
        updated = value_of(await repository.update(added.id, Patch({"title": "b"})))
        expected = Failure(Stale(name, added.id, _version(store, name, updated)))

        for stale in (before, "0" * 24, "", "one", "99999999999999999999", "2.0", " 2", "-2"):
            assert (
                await repository.update(added.id, Patch({"title": "c"}), expected_version=stale) == expected
            )
            assert await repository.update(added.id, Patch({}), expected_version=stale) == expected
            assert await repository.remove(added.id, expected_version=stale) == expected
        assert await repository.read(added.id) == Success(updated)

    async def test_saving_is_based_on_the_version_that_the_entity_holds(self, store: Store) -> None:
        added = await add_one(store.books, title="a")
        first = value_of(await store.entities("books").find_by_id(added.id))
        second = value_of(await store.entities("books").find_by_id(added.id))
        first.title, second.title = "first", "second"

        saved = value_of(await store.entities("books").save(first))
        refused = await store.entities("books").save(second)
        again = value_of(await store.entities("books").save(saved))

        assert (saved.version, again.version) == (2, 3)
        assert refused == Failure(Stale("books", added.id, "2"))
        assert value_of(await store.books.read(added.id)).title == "first"

    async def test_saving_with_a_version_that_was_never_reached_is_stale(self, store: Store) -> None:
        added = await add_one(store.books, title="a")

        refused = await store.entities("books").save(_book(store, **{**added, "title": "b", "version": 2}))

        assert refused == Failure(Stale("books", added.id, "1"))
        assert await store.books.read(added.id) == Success(added)

    async def test_of_many_changes_based_on_one_version_one_succeeds(self, store: Store) -> None:
        added = await add_one(store.books, title="a")

        outcomes = await run_concurrently(
            CALLERS,
            lambda number: store.books.update(added.id, Patch({"pages": number}), expected_version="1"),
        )

        assert sum(type(each) is Success for each in outcomes) == 1
        assert outcomes.count(Failure(Stale("books", added.id, "2"))) == CALLERS - 1

    async def test_of_many_changes_based_on_nothing_each_is_counted(self, store: Store) -> None:
        added = await add_one(store.books, title="a")

        outcomes = await run_concurrently(
            CALLERS, lambda number: store.books.update(added.id, Patch({"pages": number}))
        )

        assert sorted(value_of(each).version for each in outcomes) == list(range(2, CALLERS + 2))
        assert await _versions(store) == [CALLERS + 1]

    async def test_of_many_who_save_what_they_found_one_succeeds(self, store: Store) -> None:
        added = await add_one(store.books, title="a")
        found = [value_of(await store.entities("books").find_by_id(added.id)) for _ in range(CALLERS)]

        outcomes = await run_concurrently(CALLERS, lambda number: store.entities("books").save(found[number]))

        assert sum(type(each) is Success for each in outcomes) == 1
        assert outcomes.count(Failure(Stale("books", added.id, "2"))) == CALLERS - 1

    @pytest.mark.parametrize("name", VERSIONED)
    async def test_of_many_who_hold_a_version_and_change_later_one_succeeds(
        self, store: Store, name: str
    ) -> None:
        store.require(Capability.TRANSACTIONS)
        added = await add_one(store.repositories[name](), title="a")
        version = _version(store, name, added)

        async def change(number: int) -> Outcome[object]:
            async with store.unit_of_work() as work:
                entities = work.repository(name)
                held = await entities.update(added.id, Patch({}), expected_version=version)
                if isinstance(held, Failure):
                    return held
                await asyncio.sleep(0.005)
                changed = await entities.update(added.id, Patch({"title": str(number)}))
                return changed if isinstance(changed, Failure) else await work.commit()

        outcomes = await run_concurrently(CALLERS, change)

        won = value_of(await store.repositories[name]().read(added.id))
        assert outcomes.count(Success(None)) == 1
        assert outcomes[int(won.title)] == Success(None)
        assert all(
            isinstance(each.failure(), Stale | Unavailable) for each in outcomes if isinstance(each, Failure)
        )

    async def test_changes_of_one_unit_of_work_are_counted_one_by_one(self, store: Store) -> None:
        store.require(Capability.TRANSACTIONS)
        added = await add_one(store.books, title="a")

        async with store.unit_of_work() as work:
            books = work.repository("books")
            first = value_of(await books.update(added.id, Patch({"pages": 1}), expected_version="1"))
            stale = await books.update(added.id, Patch({"pages": 2}), expected_version="1")
            second = value_of(await books.update(added.id, Patch({"pages": 2}), expected_version="2"))
            new = await add_one(books, title="b")
            _ = value_of(await books.update(new.id, Patch({"title": "c"}), expected_version="1"))
            _ = value_of(await work.commit())

        assert (first.version, second.version) == (2, 3)
        assert stale == Failure(Stale("books", added.id, "2"))
        assert await _versions(store) == [3, 2]


def _book(store: Store, **values: object) -> Any:
    return store.resources["books"].entity(**values)


def _version(store: Store, name: str, row: Row) -> str:
    return store.resources[name].version_of(row)


async def _versions(store: Store) -> list[int]:
    return [row.version async for rows in store.books.stream(Query()) for row in rows]
