"""Cases about soft deletion and restoring."""

import datetime
from typing import Any

import pytest
from returns.result import Failure, Success

from fastapi_easy.domain.changes.patch import Patch
from fastapi_easy.domain.changes.row import Row
from fastapi_easy.domain.errors import AlreadyExists, NotFound, Stale, TooLarge
from fastapi_easy.domain.ports.repository import Repository
from fastapi_easy.domain.queries.aggregation import Aggregation, Function, Group, Measure
from fastapi_easy.domain.queries.page import Count, PageRequest
from fastapi_easy.domain.queries.query import Query
from fastapi_easy.domain.queries.specification import Everything, Operator, Where
from fastapi_easy.domain.resources.capability import Capability
from fastapi_easy.domain.scoped_repository import SoftDeletingRepository, deleted_entities
from fastapi_easy.testing.conformance.sample_data import NOON, add_sample_data
from fastapi_easy.testing.conformance.store import Store, Suite, add_one, add_rows, titles, value_of

BACK = Patch({"deleted_at": None})
UNIQUE = [
    pytest.param({"isbn": "i"}, ("isbn",), id="one field"),
    pytest.param({"shelf": "s", "place": 1}, ("shelf", "place"), id="two fields"),
]


class SoftDeletionCases(Suite):
    """Cases about `SoftDeletingRepository` on the adapter; deleted entities do not count for uniqueness."""

    async def test_what_is_removed_is_marked_with_the_time(self, store: Store) -> None:
        book = await add_one(store.books, title="a")

        removed = await _soft_deleting(store).remove(book.id)

        assert removed == Success(None)
        assert await store.books.read(book.id) == Success({**book, "deleted_at": NOON, "version": 2})

    async def test_what_is_removed_is_not_there(self, store: Store) -> None:
        books, stock = _soft_deleting(store), await add_sample_data(store)
        removed, entities = stock.books["a1"], store.entities_in(books, "books")
        missing = Failure(NotFound("books", removed.id))
        _ = value_of(await books.remove(removed.id))
        query = Query(page=PageRequest(limit=3, count=Count.EXACT))
        rest = ["a2", "b1", "b2", "c1", "x"]

        page, found = value_of(await books.select(query)), value_of(await entities.find_all(query))

        assert await books.read(removed.id) == missing
        assert await entities.find_by_id(removed.id) == missing
        assert (titles(page.items), page.total) == (rest[:3], 5)
        assert (titles(found.items), found.total) == (rest[:3], 5)
        assert titles([row async for rows in books.stream(Query()) for row in rows]) == rest
        assert await books.count(Everything()) == Success(5)
        assert await books.count(Where("title", Operator.EQUALS, "a1")) == Success(0)

    async def test_what_is_removed_does_not_count_in_numbers_nor_where_relations_lead(
        self, store: Store
    ) -> None:
        books, stock = _soft_deleting(store), await add_sample_data(store)
        ada = stock.authors["Ada"].id
        _ = value_of(await books.remove(stock.books["a1"].id))
        measures = (Measure(Function.COUNT), Measure(Function.SUM, "pages"))
        wrote_for_ten = store.relation("authors.books").exists(Where("price", Operator.EQUALS, 10))

        numbers = value_of(await books.aggregate(Aggregation(measures=measures)))
        led_to = value_of(await books.select_each(store.relation("authors.books"), [(ada,)], Query()))
        writers = value_of(await store.authors.select(Query(specification=wrote_for_ten))).items
        back = value_of(
            await books.select_each(store.relation("reviews.book"), [(stock.books["a1"].id,)], Query())
        )

        assert list(numbers) == [Group((), (5, 900))]
        assert [titles(rows) for rows in led_to] == [["a2"]]
        assert [row.name for row in writers] == ["Bob"]
        assert list(map(list, back)) == [[]]

    async def test_what_is_removed_cannot_be_changed(self, store: Store) -> None:
        books, book = _soft_deleting(store), await add_one(store.books, title="a")
        _ = value_of(await books.remove(book.id))
        marked = value_of(await store.books.read(book.id))
        missing = Failure(NotFound("books", book.id))

        assert await books.update(book.id, Patch({"title": "b"})) == missing
        assert await books.update(book.id, Patch({"title": "b"}), expected_version="2") == missing
        assert await books.update_where(Everything(), Patch({"title": "b"}), max_affected=9) == Success(0)
        assert await books.remove(book.id) == missing
        assert await books.remove(book.id, expected_version="2") == missing
        assert await books.remove_where(Everything(), max_affected=9) == Success(0)
        entity = store.resources["books"].entity(**{**marked, "title": "b"})
        assert await store.entities_in(books, "books").save(entity) == Failure(
            AlreadyExists("books", ("id",))
        )
        assert await store.books.read(book.id) == Success(marked)

    async def test_only_the_expected_version_is_removed(self, store: Store) -> None:
        books, book = _soft_deleting(store), await add_one(store.books, title="a")

        refused = await books.remove(book.id, expected_version="2")
        removed = await books.remove(book.id, expected_version="1")

        assert refused == Failure(Stale("books", book.id, "1"))
        assert removed == Success(None)

    async def test_removing_many_marks_them(self, store: Store) -> None:
        books = _soft_deleting(store)
        await add_rows(store.books, ({"title": each, "pages": ord(each)} for each in "abcd"))
        late = Where("title", Operator.GREATER, "b")

        refused = await books.remove_where(late, max_affected=1)
        before = await books.count(Everything())
        removed = await books.remove_where(late, max_affected=2)

        assert (type(refused.failure()), before) == (TooLarge, Success(4))
        assert removed == Success(2)
        assert titles(value_of(await books.select(Query())).items) == ["a", "b"]
        assert await store.books.count(Where("deleted_at", Operator.EQUALS, NOON)) == Success(2)

    @pytest.mark.parametrize(("values", "_fields"), UNIQUE)
    async def test_values_that_must_be_unique_are_free_again(
        self, store: Store, values: dict[str, object], _fields: object
    ) -> None:
        books = _soft_deleting(store)

        for number in range(3):
            row = await add_one(books, title=str(number), **values)
            _ = value_of(await books.remove(row.id))
        last = await add_one(books, title="last", **values)

        assert titles(value_of(await books.select(Query())).items) == ["last"]
        assert await store.books.count(Everything()) == Success(4)
        assert {name: last[name] for name in values} == values

    @pytest.mark.parametrize(("values", "fields"), UNIQUE)
    async def test_values_that_must_be_unique_are_among_what_is_not_deleted(
        self, store: Store, values: dict[str, object], fields: tuple[str, ...]
    ) -> None:
        books, taken = _soft_deleting(store), Failure(AlreadyExists("books", fields))
        _ = await add_one(books, title="a", **values)
        other = await add_one(books, title="b")

        assert await books.add({"title": "c", **values}) == taken
        assert await books.add_all([{"title": "c"}, {"title": "d", **values}]) == taken
        assert await books.update(other.id, Patch(values)) == taken
        assert titles(value_of(await books.select(Query())).items) == ["a", "b"]

    async def test_the_key_of_what_is_deleted_stays_taken(self, store: Store) -> None:
        books, book = _soft_deleting(store), await add_one(store.books, title="a")
        _ = value_of(await books.remove(book.id))

        assert await books.add({"id": book.id, "title": "b"}) == Failure(AlreadyExists("books", ("id",)))

    async def test_the_deleted_ones_are_found_where_only_they_are(self, store: Store) -> None:
        books = _soft_deleting(store)
        await add_rows(store.books, ({"title": each} for each in "abc"))
        _ = value_of(await books.remove_where(Where("title", Operator.LESS, "c"), max_affected=2))

        assert titles(value_of(await deleted_entities(books).select(Query())).items) == ["a", "b"]
        assert await deleted_entities(books).count(Everything()) == Success(2)
        assert deleted_entities(store.books) is not None

    async def test_restored_entities_are_found_again(self, store: Store) -> None:
        books, book = _soft_deleting(store), await add_one(store.books, title="a", isbn="i")
        _ = value_of(await books.remove(book.id))

        restored = value_of(await deleted_entities(books).update(book.id, BACK, expected_version="2"))

        assert restored == {**book, "version": 3}
        assert await books.read(book.id) == Success(restored)
        assert await deleted_entities(books).update(book.id, BACK) == Failure(NotFound("books", book.id))
        assert await books.add({"title": "b", "isbn": "i"}) == Failure(AlreadyExists("books", ("isbn",)))

    @pytest.mark.parametrize(("values", "fields"), UNIQUE)
    async def test_what_is_restored_onto_taken_values_is_refused(
        self, store: Store, values: dict[str, object], fields: tuple[str, ...]
    ) -> None:
        books = _soft_deleting(store)
        first = await add_one(books, title="first", **values)
        _ = value_of(await books.remove(first.id))
        _ = await add_one(books, title="second", **values)

        refused = await deleted_entities(books).update(first.id, BACK)

        assert refused == Failure(AlreadyExists("books", fields))
        assert titles(value_of(await books.select(Query())).items) == ["second"]

    async def test_what_is_purged_is_gone(self, store: Store) -> None:
        books, book = _soft_deleting(store), await add_one(store.books, title="a")
        alive = await add_one(store.books, title="b")
        _ = value_of(await books.remove(book.id))

        stale = await deleted_entities(books).remove(book.id, expected_version="1")
        purged = await deleted_entities(books).remove(book.id, expected_version="2")
        refused = await deleted_entities(books).remove(alive.id)

        assert stale == Failure(Stale("books", book.id, "2"))
        assert purged == Success(None)
        assert refused == Failure(NotFound("books", alive.id))
        assert await store.books.count(Everything()) == Success(1)

    async def test_is_a_repository(self, store: Store) -> None:
        assert isinstance(_soft_deleting(store), Repository)

    async def test_a_unit_of_work_may_free_a_value_and_take_it(self, store: Store) -> None:
        store.require(Capability.TRANSACTIONS)
        first = await add_one(store.books, title="first", isbn="i")

        async with store.unit_of_work() as work:
            books = _soft_deleting(store, work.repository("books"))
            _ = value_of(await books.remove(first.id))
            second = await add_one(books, title="second", isbn="i")
            refused = await deleted_entities(books).update(first.id, BACK)
            _ = value_of(await work.commit())

        assert refused == Failure(AlreadyExists("books", ("isbn",)))
        assert await _soft_deleting(store).read(second.id) == Success(second)
        assert await _soft_deleting(store).read(first.id) == Failure(NotFound("books", first.id))

    async def test_a_unit_of_work_that_is_discarded_deletes_nothing(self, store: Store) -> None:
        store.require(Capability.TRANSACTIONS)
        book = await add_one(store.books, title="a")

        async with store.unit_of_work() as work:
            _ = value_of(await _soft_deleting(store, work.repository("books")).remove(book.id))

        assert await _soft_deleting(store).read(book.id) == Success(book)

    async def test_of_many_who_restore_onto_the_same_value_one_succeeds(self, store: Store) -> None:
        books = _soft_deleting(store)
        rows: list[Row] = []
        for number in range(4):
            rows.append(await add_one(books, title=str(number), isbn="i"))
            _ = value_of(await books.remove(rows[-1].id))

        outcomes = [await deleted_entities(books).update(row.id, BACK) for row in rows]

        assert [type(each) for each in outcomes] == [Success, Failure, Failure, Failure]
        assert outcomes[1:] == [Failure(AlreadyExists("books", ("isbn",)))] * 3


def _soft_deleting(store: Store, inner: Repository[Any] | None = None) -> SoftDeletingRepository[Any]:
    """Return the soft-deleting repository of books, in a unit of work or outside one; its clock says noon."""

    def now() -> datetime.datetime:
        return NOON

    return SoftDeletingRepository(inner or store.books, store.resources["books"], now)
