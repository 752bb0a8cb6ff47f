"""Sample data for cases: authors, books, reviews and seats."""

import datetime
import decimal
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from fastapi_easy.domain.changes.row import Row
from fastapi_easy.testing.conformance.store import Store, value_of

NOON: Final = datetime.datetime(2026, 1, 1, 12, tzinfo=datetime.UTC)
"""When what is deleted was deleted."""

AUTHORS: Final[Mapping[str, Mapping[str, object]]] = {
    "Ada": {"country": "FR", "born": datetime.date(1950, 1, 1)},
    "Bob": {"country": "DE", "born": datetime.date(1980, 1, 1)},
    "Cy": {"born": datetime.date(1980, 1, 1)},
    "Dee": {"country": "DE"},
}
MENTORS: Final[Mapping[str, str]] = {"Bob": "Ada", "Cy": "Ada", "Dee": "Bob"}
"""By whom they teach: Ada teaches Bob and Cy, Bob teaches Dee."""

BOOKS: Final[Mapping[str, Mapping[str, object]]] = {
    "a1": {"price": decimal.Decimal(10), "pages": 100},
    "a2": {"price": decimal.Decimal(20)},
    "b1": {"price": decimal.Decimal(10), "pages": 300},
    "b2": {"pages": 200},
    "c1": {"price": decimal.Decimal(5), "pages": 100},
    "x": {"price": decimal.Decimal(30), "pages": 300},
}
WRITERS: Final[Mapping[str, str]] = {"a1": "Ada", "a2": "Ada", "b1": "Bob", "b2": "Bob", "c1": "Cy"}
"""Dee wrote none, and nobody knows who wrote x."""

RATINGS: Final[Mapping[str, tuple[int, ...]]] = {"a1": (5, 5, 1), "a2": (3,), "b1": (5, 4)}
"""Of their reviews; the other books have none."""


@dataclass(frozen=True, slots=True)
class SampleData:
    """The sample data, with the keys that the store generated.

    Attributes:
        authors: By name.

        books: By title.
    """

    authors: Mapping[str, Row]
    books: Mapping[str, Row]


async def add_sample_data(store: Store) -> SampleData:
    """Add every author, book and review of this module to *store*."""
    authors: dict[str, Row] = {}
    for name, values in AUTHORS.items():
        mentor = authors[MENTORS[name]].id if name in MENTORS else None
        authors[name] = value_of(await store.authors.add({"name": name, "mentor_id": mentor, **values}))
    added = value_of(
        await store.books.add_all(
            [
                {
                    "title": title,
                    "author_id": authors[WRITERS[title]].id if title in WRITERS else None,
                    **values,
                }
                for title, values in BOOKS.items()
            ]
        )
    )
    books = {row.title: row for row in added}
    _ = value_of(
        await store.reviews.add_all(
            [
                {"book_id": books[title].id, "rating": rating, "text": f"{title} {rating}"}
                for title, ratings in RATINGS.items()
                for rating in ratings
            ]
        )
    )
    return SampleData(authors, books)


async def add_seats(store: Store) -> None:
    """Add three seats to *store*, tickets for two of them, and tickets without a seat."""
    seats = [("a", 1, "Ann"), ("a", 2, None), ("b", 1, "Ben")]
    _ = value_of(
        await store.seats.add_all(
            [{"hall": hall, "number": number, "guest": guest} for hall, number, guest in seats]
        )
    )
    tickets = [("a", 1, 7), ("b", 1, 5), ("a", 1, 6), ("a", None, 1), (None, 1, 2), (None, None, 3)]
    _ = value_of(
        await store.tickets.add_all(
            [
                {"hall": hall, "number": number, "price": decimal.Decimal(price)}
                for hall, number, price in tickets
            ]
        )
    )
