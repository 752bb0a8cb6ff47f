# pyright: strict, reportUnusedCallResult=false
"""What type checkers know of a program that calls the kernel. Checked by mypy and pyright, never executed."""

import datetime
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, assert_type

from fastapi_easy.application import (
    BoundResource,
    BulkAnswer,
    Context,
    Create,
    Delete,
    DryRun,
    DynamicResource,
    ImportReport,
    Kernel,
    Upserted,
)
from fastapi_easy.bootstrap import open_kernel
from fastapi_easy.container import Container, DeclaredResource, resource
from fastapi_easy.domain import (
    Count,
    Function,
    Group,
    Key,
    Measure,
    Operator,
    Outcome,
    Page,
    Patch,
    Principal,
    QueryRules,
    Row,
    Success,
    Where,
)
from fastapi_easy.domain.ports import UnitOfWork


@dataclass
class Book:
    """An entity of a user's own."""

    title: str
    price: Decimal
    id: int | None = None


@dataclass(frozen=True)
class SellBook:
    """An action that answers a row."""

    copies: int = 1

    async def perform(self, key: Key, work: UnitOfWork, context: Context, /) -> Outcome[Row]:
        """Take them off the shelf."""
        return await work.repository("books").update(key, Patch({"copies": -self.copies}))


@dataclass(frozen=True)
class CountPages:
    """An action that answers something else."""

    async def perform(self, key: Key, work: UnitOfWork, context: Context, /) -> Outcome[int]:
        """Count them."""
        return Success(400)


class Shop(Container):
    """A container of a user's own."""

    books = resource(Book, actions=[SellBook, CountPages], query=QueryRules(search=["title"]))


async def a_kernel_is_opened_and_its_resources_are_known() -> None:
    shop: Shop = Shop()
    async with open_kernel(shop) as kernel:
        assert_type(kernel, Kernel)
        assert_type(shop.books, DeclaredResource[Book])
        assert_type(kernel.resource(shop.books), BoundResource[Book])
        assert_type(kernel.resource(Shop.books), BoundResource[Book])
        assert_type(kernel.resource("books"), BoundResource[Any])
        assert_type(kernel.books, DynamicResource)
        assert_type(kernel.acting_as(Principal(id="ada"), tenant="acme", timeout=2), Kernel)
        assert_type(kernel.acting_as(correlation_id="c-1", idempotency_key="k-1", dry_run=DryRun()), Kernel)


async def the_typed_form_reads(books: BoundResource[Book]) -> None:
    assert_type(await books.get(7, include="author", fields=["title"]), Outcome[Row])
    assert_type(await books.list(), Outcome[Page[Row]])
    found = await books.list({"price__lt": 8}, q="emma", sort="-price", limit=50, count="exact")
    page = assert_type(found.unwrap(), Page[Row])
    assert_type(
        await books.list(
            Where("price", Operator.LESS, Decimal(8)),
            sort=["-price", "title"],
            fields=("title",),
            include={"reviews": {"limit": 5}},
            cursor=page.next,
            count=Count.ESTIMATED,
        ),
        Outcome[Page[Row]],
    )
    assert_type(
        await books.list(where={"or": [{"title": "Emma"}, {"price": 8}]}, offset=20), Outcome[Page[Row]]
    )
    assert_type(await books.count({"price__lt": 8}), Outcome[int])
    measures = [Measure(Function.SUM, "price"), Measure(Function.COUNT)]
    assert_type(await books.aggregate(group_by="title", total=measures), Outcome[Sequence[Group]])
    assert_type(await books.aggregate(total=["sum:price", "count"]), Outcome[Sequence[Group]])
    assert_type(await books.export(sort="title"), Outcome[AsyncIterator[Sequence[Row]]])


async def the_typed_form_writes(books: BoundResource[Book]) -> None:
    created = await books.create({"title": "Emma", "price": Decimal("9.50")})
    version = assert_type(books.version_of(created.unwrap()), str)
    assert_type(await books.update(7, {"price": Decimal(8)}, expected_version=version), Outcome[Row])
    assert_type(
        await books.replace(7, {"title": "Emma", "price": Decimal(8)}, expected_version=3), Outcome[Row]
    )
    assert_type(await books.upsert({"title": "Emma"}), Outcome[Upserted])
    assert_type(await books.delete(7, expected_version="3"), Outcome[None])
    assert_type(await books.restore(7), Outcome[Row])
    assert_type(await books.purge((1, "a")), Outcome[None])
    assert_type(await books.bulk([Create({"title": "Emma"}), Delete(7)], atomic=False), Outcome[BulkAnswer])
    assert_type(await books.import_([{"title": "Emma"}], upsert=True, max_failures=3), Outcome[ImportReport])


async def an_action_keeps_the_type_of_its_answer(books: BoundResource[Book]) -> None:
    assert_type(await books.perform(7, SellBook(copies=2), expected_version="1"), Outcome[Row])
    assert_type(await books.perform(7, CountPages()), Outcome[int])


async def the_short_form_takes_keywords(kernel: Kernel) -> None:
    since = datetime.datetime(2026, 11, 23, tzinfo=datetime.UTC)
    assert_type(await kernel.books.create(title="Emma", price=Decimal("9.50")), Outcome[Row])
    assert_type(await kernel.books.create({"title": "Emma"}), Outcome[Row])
    assert_type(await kernel.books.list(price__lt=8, added_at__gte=since, sort="-price"), Outcome[Page[Row]])
    assert_type(await kernel.books.list({"price__lt": 8}, title="Emma"), Outcome[Page[Row]])
    assert_type(await kernel.books.count(author__country__in=["GB"]), Outcome[int])
    assert_type(await kernel.books.update(7, price=Decimal(8), expected_version="3"), Outcome[Row])
    assert_type(await kernel.books.sell(7, copies=2, expected_version="3"), Outcome[Any])
    assert_type(await kernel.books.sell(7, {"copies": 2}), Outcome[Any])


async def what_knows_the_typed_form_takes_the_short_one(kernel: Kernel) -> None:
    await the_typed_form_reads(kernel.books)
