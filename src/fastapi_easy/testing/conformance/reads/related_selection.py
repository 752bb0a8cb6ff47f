"""Cases about `select_each`: the related entities of many entities in one call."""

from collections.abc import Sequence
from typing import Final

from fastapi_easy.domain.changes.row import Row
from fastapi_easy.domain.queries.ordering import Direction, Sort
from fastapi_easy.domain.queries.page import Count, Cursor, PageRequest
from fastapi_easy.domain.queries.query import Query
from fastapi_easy.domain.queries.specification import Operator, Where
from fastapi_easy.testing.conformance.sample_data import add_sample_data, add_seats
from fastapi_easy.testing.conformance.store import Store, Suite, add_rows, value_of

DESCENDING: Final = Direction.DESCENDING
ALL: Final = PageRequest(limit=100)


class RelatedSelectionCases(Suite):
    """Cases about `select_each`."""

    async def test_selects_many_for_each_source_in_their_order(self, store: Store) -> None:
        stock = await add_sample_data(store)

        found = await _select_related(
            store, "books.reviews", [stock.books[each].id for each in ("b1", "c1", "a1")]
        )

        assert _ratings(found) == [[5, 4], [], [5, 5, 1]]
        assert list(found[0][0]) == list(store.resources["reviews"].fields)
        assert type(found[0][0]) is Row

    async def test_selects_at_most_one(self, store: Store) -> None:
        stock = await add_sample_data(store)
        ids = [stock.authors[each].id for each in ("Cy", "Ada")]

        found = await _select_related(store, "books.author", ids, Query(fields=("name", "id")))

        assert found == [[{"name": "Cy", "id": ids[0]}], [{"name": "Ada", "id": ids[1]}]]

    async def test_selects_through_a_self_reference(self, store: Store) -> None:
        stock = await add_sample_data(store)
        ids = [stock.authors[each].id for each in ("Ada", "Bob", "Cy")]

        pupils = await _select_related(store, "authors.pupils", ids)
        mentors = await _select_related(store, "authors.mentor", ids)

        assert [[row.name for row in rows] for rows in pupils] == [["Bob", "Cy"], ["Dee"], []]
        assert [[row.name for row in rows] for rows in mentors] == [["Ada"], ["Bob"], ["Cy"]]

    async def test_without_sources_there_are_no_rows(self, store: Store) -> None:
        stock = await add_sample_data(store)

        assert await _select_related(store, "books.reviews", []) == []
        assert await _select_related(store, "books.author", []) == []
        assert await _select_related(store, "books.author", [4711]) == [[]]
        assert _ratings(
            await _select_related(store, "books.reviews", [4711, stock.books["a2"].id, -1, 2**31 - 1])
        ) == [[], [3], [], []]

    async def test_the_limit_holds_for_each_source(self, store: Store) -> None:
        stock = await add_sample_data(store)
        ids = [stock.books[each].id for each in ("a1", "a2", "b1", "x")]
        up, down = (Sort("rating"),), (Sort("rating", DESCENDING),)

        least = await _select_related(store, "books.reviews", ids, Query(order=up, page=PageRequest(limit=1)))
        most = await _select_related(
            store, "books.reviews", ids, Query(order=down, page=PageRequest(limit=2))
        )

        assert _ratings(least) == [[1], [3], [4], []]
        assert _ratings(most) == [[5, 5], [3], [5, 4], []]

    async def test_the_order_is_total_with_nulls_last(self, store: Store) -> None:
        stock = await add_sample_data(store)
        ids = [stock.authors[each].id for each in ("Ada", "Bob")]

        up = await _select_related(store, "authors.books", ids, Query(order=(Sort("price"),), page=ALL))
        down = await _select_related(
            store, "authors.books", ids, Query(order=(Sort("price", DESCENDING),), page=ALL)
        )
        tied = await _select_related(store, "authors.books", ids, Query(order=(Sort("version"),), page=ALL))
        first = await _select_related(
            store, "authors.books", ids, Query(order=(Sort("version"),), page=PageRequest(limit=1))
        )

        assert _titles(up) == [["a1", "a2"], ["b1", "b2"]]
        assert _titles(down) == [["a2", "a1"], ["b1", "b2"]]
        assert _titles(tied) == [["a1", "a2"], ["b1", "b2"]]
        assert _titles(first) == [["a1"], ["b1"]]

    async def test_the_order_may_go_along_a_path(self, store: Store) -> None:
        stock = await add_sample_data(store)
        ids = [stock.authors[each].id for each in ("Bob", "Ada")]
        order = (Sort("name", DESCENDING, (store.relation("books.author"),)), Sort("price", DESCENDING))

        found = await _select_related(
            store, "authors.books", ids, Query(order=order, page=PageRequest(limit=1))
        )

        assert _titles(found) == [["b1"], ["a2"]]

    async def test_selects_only_what_matches(self, store: Store) -> None:
        stock = await add_sample_data(store)
        ids = [stock.authors[each].id for each in ("Ada", "Bob", "Cy")]
        praised = store.relation("books.reviews").exists(Where("rating", Operator.EQUALS, 5))

        dear = await _select_related(
            store,
            "authors.books",
            ids,
            Query(specification=Where("price", Operator.GREATER, 9), page=PageRequest(limit=1)),
        )
        good = await _select_related(store, "authors.books", ids, Query(specification=praised))

        assert _titles(dear) == [["a1"], ["b1"], []]
        assert _titles(good) == [["a1"], ["b1"], []]

    async def test_rows_hold_the_fields_asked_for_in_their_order_and_no_others(self, store: Store) -> None:
        stock = await add_sample_data(store)
        query = Query(fields=("rating", "id"), order=(Sort("text"),), page=PageRequest(limit=1))

        [[row]] = await _select_related(store, "books.reviews", [stock.books["b1"].id], query)

        assert list(row) == ["rating", "id"]
        assert row.rating == 4

    async def test_nothing_else_of_the_page_is_looked_at(self, store: Store) -> None:
        stock = await add_sample_data(store)
        page = PageRequest(limit=2, offset=1, after=Cursor((0,)), count=Count.EXACT)

        found = await _select_related(store, "books.reviews", [stock.books["a1"].id], Query(page=page))

        assert _ratings(found) == [[5, 5]]

    async def test_selects_by_a_composite_reference(self, store: Store) -> None:
        await add_seats(store)
        sources = [("b", 1), ("a", 2), ("a", 1), ("A", 1), ("a", 4711)]
        tickets = Query(fields=("price",))

        sold = value_of(await store.tickets.select_each(store.relation("seats.tickets"), sources, tickets))
        seats = value_of(await store.seats.select_each(store.relation("tickets.seat"), sources, Query()))

        assert [[row.price for row in rows] for rows in sold] == [[5], [], [7, 6], [], []]
        assert [[row.guest for row in rows] for rows in seats] == [["Ben"], [None], ["Ann"], [], []]

    async def test_selects_for_a_thousand_sources(self, store: Store) -> None:
        rows = [{"name": f"author {number}"} for number in range(1000)]
        ids = [row.id for row in value_of(await store.authors.add_all(rows))]
        await add_rows(
            store.books,
            ({"title": f"{each} {copy}", "author_id": each} for each in ids[::3] for copy in range(3)),
        )
        order = (Sort("title", DESCENDING),)

        books = await _select_related(
            store, "authors.books", ids[::-1], Query(order=order, page=PageRequest(limit=2))
        )
        authors = await _select_related(store, "books.author", ids, Query(fields=("name",)))

        expected = {each: [f"{each} 2", f"{each} 1"] for each in ids[::3]}
        assert _titles(books) == [expected.get(each, []) for each in ids[::-1]]
        assert authors == [[row] for row in rows]


async def _select_related(
    store: Store, path: str, sources: Sequence[object], query: Query | None = None
) -> list[list[Row]]:
    """Return the related rows of each value in *sources* along a relation like `books.author`."""
    relation = store.relation(path)
    target = store.repositories[relation.target.name]()
    found = value_of(
        await target.select_each(relation, [(source,) for source in sources], query or Query(page=ALL))
    )
    return [list(rows) for rows in found]


def _ratings(found: list[list[Row]]) -> list[list[int]]:
    return [[row.rating for row in rows] for rows in found]


def _titles(found: list[list[Row]]) -> list[list[str]]:
    return [[row.title for row in rows] for rows in found]
