"""Cases about storing entities as they were stored before: `add_stored`."""

import datetime
from collections.abc import Sequence

import pytest
from returns.result import Failure, Success

from fastapi_easy.domain.changes.row import Row
from fastapi_easy.domain.errors import AlreadyExists
from fastapi_easy.domain.queries.query import Query
from fastapi_easy.domain.queries.specification import Everything
from fastapi_easy.testing.conformance.store import Store, Suite, add_one, value_of


class RestoringCases(Suite):
    """Cases about keys, versions and marks of deletion that the store would otherwise set itself."""

    async def test_restored_entities_are_as_they_were(self, store: Store) -> None:
        lent = {"id": 7, "title": "a", "isbn": None, "shelf": None, "place": None, "author_id": None}
        rest = {"price": None, "pages": 3, "version": 5, "deleted_at": None}
        others = {**lent, "id": 3, "title": "b"}, {"id": 9, "title": "c"}

        restored = value_of(
            await store.books.add_stored([{**lent, **rest}, {**others[0], **rest}, others[1]])
        )

        assert [(row.id, row.title, row.version) for row in restored] == [
            (7, "a", 5),
            (3, "b", 5),
            (9, "c", 1),
        ]
        assert dict(restored[0]) == {**lent, **rest}
        assert value_of(await store.books.read(7)) == restored[0]

    @pytest.mark.parametrize("distance", [1, 40, 3_000])
    async def test_keys_that_are_generated_later_are_not_those_restored(
        self, store: Store, distance: int
    ) -> None:
        before = await add_one(store.notes, title="before")
        keys = [before.id + distance + 1, before.id + distance]

        restored = value_of(await store.notes.add_stored([{"id": key, "title": f"{key}"} for key in keys]))
        made = [await add_one(store.notes, title="after") for _ in range(3)]

        assert [row.id for row in restored] == keys
        assert min(row.id for row in made) > max(keys)

    async def test_smaller_keys_do_not_take_a_counter_back(self, store: Store) -> None:
        many = value_of(await store.notes.add_all([{"title": f"{number}"} for number in range(5)]))
        _ = await store.notes.remove(many[0].id)

        restored = value_of(await store.notes.add_stored([{"id": many[0].id, "title": "again"}]))
        made = await add_one(store.notes, title="after")

        assert restored[0].id == many[0].id
        assert made.id > max(row.id for row in many)

    async def test_the_key_zero_and_keys_below_are_kept(self, store: Store) -> None:
        restored = value_of(await store.notes.add_stored([{"id": key, "title": "a"} for key in (0, -3)]))
        made = await add_one(store.notes, title="after")

        assert [row.id for row in restored] == [0, -3]
        assert made.id not in {0, -3}
        assert await store.notes.count(Everything()) == Success(3)

    async def test_a_restored_mark_of_deletion_hides_the_entity(self, store: Store) -> None:
        gone = datetime.datetime(2026, 11, 30, 12, tzinfo=datetime.UTC)

        restored = value_of(
            await store.books.add_stored(
                [{"id": 4, "title": "a", "deleted_at": gone}, {"id": 5, "title": "b"}]
            )
        )

        assert [row.deleted_at for row in restored] == [gone, None]
        assert await store.books.count(store.resources["books"].alive) == Success(1)

    async def test_all_are_restored_or_none(self, store: Store) -> None:
        _ = await store.notes.add_stored([{"id": 2, "title": "a"}])

        refused = await store.notes.add_stored([{"id": 1, "title": "b"}, {"id": 2, "title": "c"}])

        assert refused == Failure(AlreadyExists("notes", ("id",)))
        assert _keys(value_of(await store.notes.select(Query())).items) == [2]

    async def test_entities_that_refer_to_one_another_are_restored_in_order(self, store: Store) -> None:
        restored = value_of(
            await store.authors.add_stored(
                [
                    {"id": 8, "name": "a"},
                    {"id": 2, "name": "b", "mentor_id": 8},
                    {"id": 5, "name": "c", "mentor_id": 2},
                ]
            )
        )

        assert [row.mentor_id for row in restored] == [None, 8, 2]


def _keys(rows: Sequence[Row]) -> list[int]:
    return [row.id for row in rows]
