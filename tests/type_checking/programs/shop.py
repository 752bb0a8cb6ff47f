"""A user's program: what it declares is known to type checkers, and what it misspells is found.

A line that ends in the comment `error` is one that each of them has to refuse; there may be no other.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import assert_type

from dependency_injector import containers, providers
from fastapi import FastAPI

from fastapi_easy.application import GetEntity, Kernel, Step
from fastapi_easy.application.resources.create_entity import CreateEntityHandler
from fastapi_easy.application.resources.get_entity import GetEntityHandler
from fastapi_easy.bootstrap import create_app, mount_resources, open_kernel
from fastapi_easy.container import Container, DeclaredResource, resource
from fastapi_easy.domain.ports import Clock, Repository, UnitOfWork
from fastapi_easy.domain.resources.resource import Resource
from fastapi_easy.settings import Settings
from fastapi_easy.testing import FailingRepository, FrozenClock, in_memory, in_memory_kernel


@dataclass
class Book:
    """Something to read."""

    title: str
    id: int | None = None


@dataclass
class Pen:
    """Something to write with."""

    colour: str
    id: int | None = None


class Report:
    """Something of the user's own."""

    def __init__(self, books: Repository[Book]) -> None:
        self.books = books


class Shop(Container):
    """Declares, replaces and adds."""

    books = resource(Book)
    pens = resource(Pen, operations=["list", "get"], version="colour")
    clock = providers.Singleton(FrozenClock)
    report = providers.Factory(Report, books.repository)


class Mistaken(Container):
    """Options are known, and what a provider has to make."""

    books = resource(Book, operatons=["list"])  # error
    pens = resource(Pen, database=7)  # error
    clock = providers.Singleton(Report)  # error


shop = Shop(settings=Settings(), clock=FrozenClock())

assert_type(shop, Shop)
assert_type(shop.books, DeclaredResource[Book])
assert_type(shop.pens, DeclaredResource[Pen])
assert_type(Shop.books, DeclaredResource[Book])
assert_type(shop.books.resource(), Resource[Book])
assert_type(shop.books.repository(), Repository[Book])
assert_type(shop.books.unit_of_work(), UnitOfWork)
assert_type(shop.books.create(), CreateEntityHandler)
assert_type(shop.books.get(), GetEntityHandler)
assert_type(shop.unit_of_work(), UnitOfWork)
assert_type(shop.steps(), Sequence[Step])
assert_type(shop.kernel(), Kernel)
assert_type(shop.report(), Report)
clock: Clock = shop.clock()
databases: containers.DynamicContainer = shop.databases

_ = shop.boks  # error
_ = shop.books.repositry  # error
_ = Shop.pns  # error
_ = shop.kernal()  # error
_ = shop.report().boks  # error
other: Repository[Pen] = shop.books.repository()  # error

with (
    shop.clock.override(FrozenClock()),
    shop.books.repository.override(providers.Factory(FailingRepository)),
    Shop.books.repository.override(providers.Factory(FailingRepository)),
    shop.books.repositry.override(FailingRepository()),  # error
):
    pass

shop.wire(modules=[__name__])
assert_type(create_app(shop), FastAPI)
assert_type(create_app(in_memory(Shop, clock=FrozenClock())), FastAPI)
_ = create_app(Book("Emma"))  # error
mount_resources(FastAPI(), shop)
mount_resources(FastAPI(), Shop)  # error


async def main() -> None:
    """Embeds it."""
    async with open_kernel(shop) as kernel:
        assert_type(kernel, Kernel)
        _ = kernel.use_cases("books").get(GetEntity(1))  # error
    async with in_memory_kernel(Shop) as kernel:
        assert_type(kernel, Kernel)
    async with open_kernel(Report(shop.books.repository())):  # error
        pass
