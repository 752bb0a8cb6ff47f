"""What stands on the shelves when the shop opens for the first time."""

import datetime
import uuid
from decimal import Decimal
from typing import Any

from examples.bookshop.models import Binding, OrderStatus
from examples.bookshop.shop import Bookshop
from fastapi_easy.domain import AlreadyExists, Everything, Failure

AUTHORS: list[tuple[str, str, datetime.date]] = [
    ("Jane Austen", "GB", datetime.date(1775, 12, 16)),
    ("Mary Shelley", "GB", datetime.date(1797, 8, 30)),
    ("Herman Melville", "US", datetime.date(1819, 8, 1)),
    ("George Eliot", "GB", datetime.date(1819, 11, 22)),
    ("Fyodor Dostoevsky", "RU", datetime.date(1821, 11, 11)),
    ("Theodor Fontane", "DE", datetime.date(1819, 12, 30)),
]

BOOKS: list[tuple[str, int, str, int, Binding, float | None]] = [
    ("Pride and Prejudice", 1, "9.50", 1813, Binding.PAPERBACK, 4.7),
    ("Emma", 1, "8.90", 1815, Binding.PAPERBACK, 4.3),
    ("Persuasion", 1, "7.99", 1817, Binding.EBOOK, 4.4),
    ("Sense and Sensibility", 1, "24.00", 1811, Binding.HARDCOVER, None),
    ("Frankenstein", 2, "6.50", 1818, Binding.PAPERBACK, 4.5),
    ("The Last Man", 2, "12.00", 1826, Binding.HARDCOVER, None),
    ("Moby-Dick", 3, "15.75", 1851, Binding.PAPERBACK, 4.1),
    ("Bartleby, the Scrivener", 3, "4.20", 1853, Binding.EBOOK, 4.6),
    ("Middlemarch", 4, "18.00", 1871, Binding.HARDCOVER, 4.8),
    ("Silas Marner", 4, "7.25", 1861, Binding.PAPERBACK, None),
    ("Crime and Punishment", 5, "13.40", 1866, Binding.PAPERBACK, 4.6),
    ("The Idiot", 5, "14.10", 1869, Binding.PAPERBACK, 4.2),
    ("Effi Briest", 6, "9.00", 1895, Binding.PAPERBACK, 4.0),
    ("Der Stechlin", 6, "11.00", 1898, Binding.HARDCOVER, None),
]

ORDERS: list[tuple[str, OrderStatus, str]] = [
    ("Ada", OrderStatus.PAID, "18.40"),
    ("Grace", OrderStatus.OPEN, "15.75"),
    ("Alan", OrderStatus.SHIPPED, "24.00"),
    ("Edsger", OrderStatus.CANCELLED, "9.00"),
]


async def plant(shop: Bookshop) -> None:
    """Fill an empty shop, all or nothing. Twice, or by several workers at once, it is filled once.

    Raises:
        RuntimeError: The store refused.
    """
    counted = await shop.authors.repository().count(Everything())
    if isinstance(counted, Failure) or counted.unwrap() > 0:
        return
    async with shop.authors.unit_of_work() as work:
        authors = await work.repository("authors").add_all(_authors())
        if not isinstance(authors, Failure):
            books = _books([row["id"] for row in authors.unwrap()])
            planted = await work.repository("books").add_all(books)
            if not isinstance(planted, Failure):
                planted = await work.repository("orders").add_all(_orders())
            outcome = planted if isinstance(planted, Failure) else await work.commit()
        else:
            outcome = authors
        # Another worker that was faster has planted the same.
        error = outcome.failure() if isinstance(outcome, Failure) else None
        if error is not None and not isinstance(error, AlreadyExists):
            raise RuntimeError(f"cannot plant the shop: {error}")


def _authors() -> list[dict[str, Any]]:
    return [{"name": name, "country": country, "born": born} for name, country, born in AUTHORS]


def _books(author_ids: list[int]) -> list[dict[str, Any]]:
    return [
        {
            "isbn": f"97801430{number:05d}",
            "title": title,
            "author_id": author_ids[author - 1],
            "price": Decimal(price),
            "stock": number % 5,
            "binding": binding,
            "published": datetime.date(year, 1, 1),
            "rating": rating,
        }
        for number, (title, author, price, year, binding, rating) in enumerate(BOOKS, 1)
    ]


def _orders() -> list[dict[str, Any]]:
    opened = datetime.datetime(2026, 11, 1, 9, 0, tzinfo=datetime.UTC)
    return [
        {
            "id": uuid.UUID(int=number),
            "customer": customer,
            "status": status,
            "total": Decimal(total),
            "placed_at": opened + datetime.timedelta(hours=number),
        }
        for number, (customer, status, total) in enumerate(ORDERS, 1)
    ]
