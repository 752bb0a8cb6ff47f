"""Cases about filters along relations."""

from typing import Final

import pytest
from returns.result import Success

from fastapi_easy.domain.changes.patch import Patch
from fastapi_easy.domain.queries.ordering import Direction
from fastapi_easy.domain.queries.page import Count, PageRequest
from fastapi_easy.domain.queries.query import Query
from fastapi_easy.domain.queries.specification import (
    AllOf,
    AnyOf,
    Not,
    Operator,
    Specification,
    Where,
)
from fastapi_easy.testing.conformance.reads.relation_paths import (
    SpecificationFactory,
    order,
    related_to,
    sort_by,
)
from fastapi_easy.testing.conformance.sample_data import NOON, add_sample_data, add_seats
from fastapi_easy.testing.conformance.store import Store, Suite, value_of

DESCENDING: Final = Direction.DESCENDING
ALL: Final = PageRequest(limit=100, count=Count.EXACT)


def _both(*parts: SpecificationFactory) -> SpecificationFactory:
    return lambda store: AllOf(tuple(part(store) for part in parts))


def _either(*parts: SpecificationFactory) -> SpecificationFactory:
    return lambda store: AnyOf(tuple(part(store) for part in parts))


def _none_of(part: SpecificationFactory) -> SpecificationFactory:
    return lambda store: Not(part(store))


def _plain(specification: Specification) -> SpecificationFactory:
    return lambda _: specification


def _equals(field: str, value: object) -> Where:
    return Where(field, Operator.EQUALS, value)


OF_BOOKS: Final = [
    pytest.param(related_to("books.author", _equals("country", "DE")), "b1 b2", id="to one"),
    pytest.param(related_to("books.author"), "a1 a2 b1 b2 c1", id="to anyone at all"),
    pytest.param(_none_of(related_to("books.author")), "x", id="to nobody"),
    pytest.param(
        _none_of(related_to("books.author", _equals("country", "DE"))),
        "a1 a2 c1 x",
        id="not to one: also to nobody",
    ),
    pytest.param(
        related_to("books.author", Not(_equals("country", "DE"))),
        "a1 a2 c1",
        id="to one that is not: not to nobody",
    ),
    pytest.param(related_to("books.author", Where("country", Operator.IS_NULL, True)), "c1", id="to a null"),
    pytest.param(
        related_to("books.author", Where("country", Operator.NOT_EQUALS, "DE")), "a1 a2 c1", id="differs"
    ),
    pytest.param(related_to("books.author", Where("name", Operator.IN, ("Ada", "Cy"))), "a1 a2 c1", id="in"),
    pytest.param(related_to("books.author", Where("name", Operator.IN, ())), "", id="in nothing"),
    pytest.param(
        related_to("books.author", Where("name", Operator.CONTAINS_ANY_CASE, "A")), "a1 a2", id="any case"
    ),
    pytest.param(related_to("books.reviews", _equals("rating", 5)), "a1 b1", id="to many: each once"),
    pytest.param(_none_of(related_to("books.reviews", _equals("rating", 5))), "a2 b2 c1 x", id="not to many"),
    pytest.param(
        related_to("books.reviews", Not(_equals("rating", 5))), "a1 a2 b1", id="to some of many that are not"
    ),
    pytest.param(related_to("books.reviews"), "a1 a2 b1", id="to any of many"),
    pytest.param(_none_of(related_to("books.reviews")), "b2 c1 x", id="to none of many"),
    pytest.param(
        _both(
            related_to("books.reviews", _equals("rating", 5)),
            related_to("books.reviews", _equals("rating", 1)),
        ),
        "a1",
        id="to two of many",
    ),
    pytest.param(
        related_to("books.reviews", AllOf((_equals("rating", 5), _equals("rating", 1)))),
        "",
        id="to one of many that is both",
    ),
    pytest.param(
        related_to("books.reviews", AnyOf((_equals("rating", 3), _equals("rating", 4)))),
        "a2 b1",
        id="to one of many: or",
    ),
    pytest.param(
        related_to("books.author.mentor", _equals("name", "Ada")),
        "b1 b2 c1",
        id="two steps, the second to itself",
    ),
    pytest.param(related_to("books.author.books", _equals("title", "a2")), "a1 a2", id="there and back"),
    pytest.param(related_to("books.author.books.reviews", _equals("rating", 4)), "b1 b2", id="three steps"),
    pytest.param(_none_of(related_to("books.author.mentor")), "a1 a2 x", id="not two steps"),
    pytest.param(
        related_to("books.author.pupils", _equals("country", "DE")), "a1 a2 b1 b2", id="to one and on to many"
    ),
    pytest.param(
        _both(related_to("books.author", _equals("country", "DE")), _plain(_equals("pages", 300))),
        "b1",
        id="and a field",
    ),
    pytest.param(
        _either(related_to("books.author", _equals("country", "DE")), _plain(_equals("pages", 300))),
        "b1 b2 x",
        id="or a field",
    ),
    pytest.param(
        _both(
            related_to("books.author", _equals("name", "Ada")),
            related_to("books.reviews", _equals("rating", 3)),
        ),
        "a2",
        id="two relations",
    ),
    pytest.param(
        _none_of(
            _either(
                _none_of(related_to("books.reviews")),
                related_to("books.author.mentor", _equals("name", "Ada")),
            )
        ),
        "a1 a2",
        id="nots and ors around",
    ),
]

OF_AUTHORS: Final = [
    pytest.param(related_to("authors.mentor", _equals("country", "DE")), "Dee", id="to another of the same"),
    pytest.param(related_to("authors.pupils", _equals("country", "DE")), "Ada Bob", id="to many of the same"),
    pytest.param(
        related_to("authors.pupils.pupils", _equals("name", "Dee")), "Ada", id="to many of the same, twice"
    ),
    pytest.param(
        related_to("authors.mentor.mentor", _equals("name", "Ada")), "Dee", id="to one of the same, twice"
    ),
    pytest.param(
        related_to("authors.mentor.pupils", _equals("name", "Bob")), "Bob Cy", id="to its siblings and itself"
    ),
    pytest.param(
        related_to("authors.books.reviews", _equals("rating", 1)), "Ada", id="to many and on to many"
    ),
    pytest.param(_none_of(related_to("authors.books")), "Dee", id="to none of many"),
]


class RelatedFilterCases(Suite):
    """Cases about `Related` in specifications."""

    @pytest.mark.parametrize(("specification_of", "expected"), OF_BOOKS)
    async def test_books_are_filtered_by_related_entities(
        self, store: Store, specification_of: SpecificationFactory, expected: str
    ) -> None:
        _ = await add_sample_data(store)

        page = value_of(await store.books.select(Query(specification=specification_of(store), page=ALL)))

        assert [row.title for row in page.items] == expected.split()
        assert page.total == len(expected.split())
        assert await store.books.count(specification_of(store)) == Success(len(expected.split()))

    @pytest.mark.parametrize(("specification_of", "expected"), OF_AUTHORS)
    async def test_authors_are_filtered_by_related_entities(
        self, store: Store, specification_of: SpecificationFactory, expected: str
    ) -> None:
        _ = await add_sample_data(store)

        page = value_of(
            await store.entities("authors").find_all(Query(specification=specification_of(store), page=ALL))
        )

        assert [author.name for author in page.items] == expected.split()
        assert page.total == len(expected.split())

    async def test_a_relation_by_two_fields_leads_only_where_both_are_equal(self, store: Store) -> None:
        await add_seats(store)

        tickets = Query(specification=related_to("tickets.seat", _equals("guest", "Ann"))(store))
        unseated = Query(specification=Not(related_to("tickets.seat")(store)))
        sold = Query(specification=related_to("seats.tickets", Where("price", Operator.LESS, 7))(store))

        assert [row.price for row in value_of(await store.tickets.select(tickets)).items] == [7, 6]
        assert [row.price for row in value_of(await store.tickets.select(unseated)).items] == [1, 2, 3]
        assert [(row.hall, row.number) for row in value_of(await store.seats.select(sold)).items] == [
            ("a", 1),
            ("b", 1),
        ]

    async def test_a_page_of_what_leads_to_many_has_its_size_and_its_total(self, store: Store) -> None:
        _ = await add_sample_data(store)
        meant = related_to("books.reviews")(store)

        first = value_of(
            await store.books.select(Query(specification=meant, page=PageRequest(limit=2, count=Count.EXACT)))
        )
        second = value_of(
            await store.books.select(Query(specification=meant, page=PageRequest(limit=2, after=first.next)))
        )

        assert ([row.title for row in first.items], first.total) == (["a1", "a2"], 3)
        assert ([row.title for row in second.items], second.next) == (["b1"], None)

    async def test_deleted_entities_are_not_reached_through_relations(self, store: Store) -> None:
        stock = await add_sample_data(store)
        mark = Patch({"deleted_at": NOON})
        _ = value_of(await store.books.update(stock.books["a1"].id, mark))

        rated = Query(specification=related_to("reviews.book")(store))
        writers = Query(specification=related_to("authors.books", _equals("price", 10))(store))
        onward = Query(specification=related_to("reviews.book.author", _equals("name", "Ada"))(store))

        assert [row.rating for row in value_of(await store.reviews.select(rated)).items] == [3, 5, 4]
        assert [row.name for row in value_of(await store.authors.select(writers)).items] == ["Bob"]
        assert [row.rating for row in value_of(await store.reviews.select(onward)).items] == [3]

    async def test_streams_are_filtered_by_related_entities(self, store: Store) -> None:
        _ = await add_sample_data(store)
        query = Query(
            specification=related_to("books.reviews")(store),
            order=order(sort_by("books.author.name", DESCENDING))(store),
        )

        streamed = [row.title async for rows in store.books.stream(query, chunk=1) for row in rows]

        assert streamed == ["b1", "a1", "a2"]

    async def test_bulk_changes_are_filtered_by_related_entities(self, store: Store) -> None:
        _ = await add_sample_data(store)
        germans, pupils = (
            related_to("books.author", _equals("country", "DE")),
            related_to("authors.mentor", _equals("name", "Ada")),
        )

        books = await store.books.update_where(germans(store), Patch({"pages": 1}), max_affected=2)
        authors = await store.authors.update_where(pupils(store), Patch({"country": "IT"}), max_affected=2)
        reviews = await store.reviews.remove_where(
            related_to("reviews.book.author", _equals("name", "Ada"))(store), max_affected=4
        )
        childless = await store.authors.remove_where(
            AllOf((Not(related_to("authors.pupils")(store)), Not(related_to("authors.books")(store)))),
            max_affected=1,
        )

        assert (books, authors, reviews, childless) == (Success(2), Success(2), Success(4), Success(1))
        assert await _values_as_text(store, "books", "pages") == ["100", "None", "1", "1", "100", "300"]
        assert await _values_as_text(store, "authors", "country") == ["FR", "IT", "IT"]
        assert await _values_as_text(store, "reviews", "rating") == ["5", "4"]


async def _values_as_text(store: Store, name: str, field: str) -> list[str]:
    rows = value_of(await store.repositories[name]().select(Query(page=ALL))).items
    return [str(row[field]) for row in rows]
