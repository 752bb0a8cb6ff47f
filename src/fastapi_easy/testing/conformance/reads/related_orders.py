"""Cases about orders along relations."""

from typing import Final

import pytest

from fastapi_easy.domain.changes.patch import Patch
from fastapi_easy.domain.changes.row import Row
from fastapi_easy.domain.queries.ordering import Direction
from fastapi_easy.domain.queries.page import PageRequest
from fastapi_easy.domain.queries.query import Query
from fastapi_easy.testing.conformance.reads.relation_paths import OrderFactory, order, sort_by
from fastapi_easy.testing.conformance.sample_data import NOON, add_sample_data, add_seats
from fastapi_easy.testing.conformance.store import Store, Suite, value_of

DESCENDING: Final = Direction.DESCENDING
ALL: Final = PageRequest(limit=100)

ORDERS: Final = [
    pytest.param(order(sort_by("books.author.name")), "a1 a2 b1 b2 c1 x", id="up, nowhere last"),
    pytest.param(
        order(sort_by("books.author.name", DESCENDING)), "c1 b1 b2 a1 a2 x", id="down, nowhere last"
    ),
    pytest.param(
        order(sort_by("books.author.country"), sort_by("books.title", DESCENDING)),
        "b2 b1 a2 a1 x c1",
        id="a null is as nowhere",
    ),
    pytest.param(
        order(sort_by("books.author.country", DESCENDING), sort_by("books.price")),
        "a1 a2 b1 b2 c1 x",
        id="down, then a field",
    ),
    pytest.param(
        order(sort_by("books.price"), sort_by("books.author.name", DESCENDING)),
        "c1 b1 a1 a2 x b2",
        id="a field first",
    ),
    pytest.param(order(sort_by("books.author.mentor.name")), "b1 b2 c1 a1 a2 x", id="two steps"),
    pytest.param(
        order(sort_by("books.author.mentor.country", DESCENDING), sort_by("books.author.name", DESCENDING)),
        "c1 b1 b2 a1 a2 x",
        id="two paths with one beginning",
    ),
    pytest.param(
        order(sort_by("books.author.id", DESCENDING)),
        "c1 b1 b2 a1 a2 x",
        id="a field called like the key: the key follows",
    ),
    pytest.param(
        order(
            sort_by("books.author.born", DESCENDING),
            sort_by("books.author.name", DESCENDING),
            sort_by("books.id", DESCENDING),
        ),
        "c1 b2 b1 a2 a1 x",
        id="ties all the way",
    ),
]


class RelatedOrderCases(Suite):
    """Cases about `Sort.path` in orders."""

    @pytest.mark.parametrize(("order_of", "expected"), ORDERS)
    async def test_rows_are_sorted_by_related_entities(
        self, store: Store, order_of: OrderFactory, expected: str
    ) -> None:
        _ = await add_sample_data(store)

        page = value_of(await store.books.select(Query(order=order_of(store), page=ALL)))
        found = value_of(await store.entities("books").find_all(Query(order=order_of(store), page=ALL)))

        assert [row.title for row in page.items] == expected.split()
        assert [book.title for book in found.items] == expected.split()
        assert list(page.items[0]) == list(store.resources["books"].fields)

    @pytest.mark.parametrize("limit", [1, 2, 4])
    @pytest.mark.parametrize(("order_of", "expected"), ORDERS)
    async def test_pagination_follows_an_order_by_related_entities(
        self, store: Store, order_of: OrderFactory, expected: str, limit: int
    ) -> None:
        _ = await add_sample_data(store)

        walked: list[Row] = []
        request: PageRequest | None = PageRequest(limit=limit)
        while request is not None:
            query = Query(order=order_of(store), page=request, fields=("title",))
            page = value_of(await store.books.select(query))
            assert len(walked) < 10, "the walk does not end"
            walked.extend(page.items)
            request = None if page.next is None else PageRequest(limit=limit, after=page.next)

        assert walked == [{"title": title} for title in expected.split()]

    async def test_a_cursor_holds_values_of_related_entities(self, store: Store) -> None:
        stock = await add_sample_data(store)
        mentors = order(sort_by("books.author.mentor.name"), sort_by("books.price", DESCENDING))(store)

        page = value_of(await store.books.select(Query(order=mentors, page=PageRequest(limit=4))))

        assert [row.title for row in page.items] == ["b1", "c1", "b2", "x"]
        assert page.next is not None
        assert page.next.values == (None, 30, stock.books["x"].id)

    async def test_a_path_over_two_fields_sorts_too(self, store: Store) -> None:
        await add_seats(store)

        page = value_of(
            await store.tickets.select(Query(order=order(sort_by("tickets.seat.guest", DESCENDING))(store)))
        )

        assert [row.price for row in page.items] == [5, 7, 6, 1, 2, 3]

    async def test_references_to_deleted_entities_sort_as_null(self, store: Store) -> None:
        stock = await add_sample_data(store)
        _ = value_of(await store.books.update(stock.books["a1"].id, Patch({"deleted_at": NOON})))

        page = value_of(
            await store.reviews.select(Query(order=order(sort_by("reviews.book.title"))(store), page=ALL))
        )

        assert [row.rating for row in page.items] == [3, 5, 4, 5, 5, 1]
