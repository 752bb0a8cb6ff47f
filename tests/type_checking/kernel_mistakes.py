# pyright: standard, reportUnnecessaryTypeIgnoreComment=true
"""Mistakes in a program that calls the kernel: each is found by mypy and pyright, or they say here that it is not.

Checked, never executed.
"""

from dataclasses import dataclass
from decimal import Decimal

from fastapi_easy.application import Kernel
from fastapi_easy.bootstrap import open_kernel
from fastapi_easy.container import Container, resource


@dataclass
class Book:
    """An entity of a user's own."""

    title: str
    price: Decimal
    id: int | None = None


class Shop(Container):
    """A container of a user's own."""

    books = resource(Book)


class Misdeclared(Container):
    """A misspelt option, and one of a wrong type."""

    books = resource(Book, databse="reports")  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    others = resource(Book, database=7)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]


async def a_misspelt_resource(kernel: Kernel) -> None:
    shop: Shop = Shop()
    _ = kernel.resource(shop.boks)  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue]
    _ = kernel.resource(Shop.boks)  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue]


async def a_misspelt_method_or_option_of_the_kernel(shop: Shop) -> None:
    async with open_kernel(shop) as kernel:
        _ = kernel.acting_is(tenant="acme")  # type: ignore[operator]  # pyright: ignore[reportCallIssue]
        _ = kernel.acting_as(tennant="acme")  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
        _ = kernel.acting_as("ada")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
        _ = kernel.acting_as(timeout="soon")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
        _ = kernel.resource(Book)  # type: ignore[call-overload]  # pyright: ignore[reportArgumentType, reportCallIssue]


async def a_misspelt_method(kernel: Kernel) -> None:
    books = kernel.resource(Shop.books)
    _ = await books.creat({"title": "Emma"})  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue]
    _ = await books.cancel(7, reason="late")  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue]


async def a_misspelt_option(kernel: Kernel) -> None:
    books = kernel.resource(Shop.books)
    _ = await books.list({"price__lt": 8}, limt=50)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    _ = await books.get(7, inclde="author")  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    _ = await books.count(limit=5)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    _ = await books.update(7, {"price": Decimal(8)}, expected_verson="3")  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    _ = await books.delete(7, version="3")  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    _ = await books.bulk([], atomc=True)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    _ = await books.import_([], upsrt=True)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    _ = await books.aggregate(groupby="title")  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]


async def an_option_of_a_wrong_type(kernel: Kernel) -> None:
    books = kernel.resource(Shop.books)
    _ = await books.list(limit="50")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    _ = await books.list(count="exactly")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    _ = await books.list(cursor=7)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    _ = await books.list("Emma")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    _ = await books.create("Emma")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    _ = await books.create(title="Emma")  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    _ = await books.perform(7, Book("Emma", Decimal(8)))  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]


async def the_short_form_knows_its_options_too(kernel: Kernel) -> None:
    _ = await kernel.books.list(price__lt=8, limit="50")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    _ = await kernel.books.get(7, inclde="author")  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    _ = await kernel.books.creat(title="Emma")  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]


async def an_answer_nobody_waits_for(kernel: Kernel) -> None:
    kernel.books.create(title="Emma")  # type: ignore[unused-coroutine]  # pyright: ignore[reportUnusedCoroutine]
    kernel.resource(Shop.books).delete(7)  # type: ignore[unused-coroutine]  # pyright: ignore[reportUnusedCoroutine]
