"""Containers that come from one another, and what can be done with their classes."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from dependency_injector import providers

from fastapi_easy.application import NOBODY, CreateEntity
from fastapi_easy.container import Container, resource
from fastapi_easy.domain import DeclarationError, Failure, Success
from fastapi_easy.domain.ports.repository import EVERYTHING
from fastapi_easy.infrastructure.observation.log import LogObserver
from fastapi_easy.settings import Settings
from fastapi_easy.testing import FailingRepository, FrozenClock
from tests.e2e.overriding import EMMA, MEMORY, Book, Recorder, Shop, Told, create, read, running, told


async def test_a_unit_of_work_is_replaced_for_one_resource_only() -> None:
    class Refused:
        async def __aenter__(self) -> Any:
            return self

        async def __aexit__(self, *_: object) -> None:
            pass

        def repository(self, *_: Any, **__: Any) -> Any:
            return FailingRepository()

    shop: Any = Shop(settings=MEMORY)
    async with running(shop):
        kernel = shop.kernel()
        with shop.books.unit_of_work.override(providers.Factory(Refused)):
            book = await create(shop)
            pen = await kernel.use_cases("pens").create(CreateEntity({"colour": "red"}), NOBODY)
            own = shop.unit_of_work()
        again = await create(shop)

    assert [isinstance(each, Failure) for each in (book, pen, again)] == [True, False, False]
    assert not isinstance(own, Refused)


async def test_what_wraps_the_one_it_replaces_wraps_that_of_its_instance() -> None:
    class Twice(Recorder):
        def __init__(self, inner: Any) -> None:
            super().__init__()
            self.inner = inner

    class Wrapped:
        def __init__(self, inner: Any) -> None:
            self.inner = inner

        def __getattr__(self, name: str) -> Any:
            return getattr(self.inner, name)

    class Own(Shop):
        clock = FrozenClock()
        observer = providers.Singleton(Twice, Container.observer)
        locks = providers.Singleton(Wrapped, Container.locks)

    shop: Any = Own(settings=MEMORY)
    async with running(shop):
        _ = await read(shop)

    assert len(shop.observer().observations) == 1
    assert isinstance(shop.observer().inner, LogObserver)
    assert shop.locks().inner.clock is shop.clock()


async def test_a_class_replaces_the_attributes_of_the_class_it_comes_from() -> None:
    first, second = FrozenClock(), FrozenClock()

    class Base(Shop):
        clock = providers.Object(first)

    class Own(Base):
        clock = providers.Object(second)

    class Diamond(Own, Shop):
        pass

    clocks = [made(settings=MEMORY).locks().clock for made in (Base, Own, Diamond)]

    assert [each is known for each, known in zip(clocks, (first, second, second), strict=True)] == [True] * 3


async def test_a_provider_of_ones_own_is_made_from_those_of_a_resource() -> None:
    @dataclass
    class Report:
        repository: Any
        work: Callable[[], Any]
        clock: Any

    class Own(Container):
        books = resource(Book)
        report = providers.Factory(Report, books.repository, books.unit_of_work.provider, Container.clock)

    class Later(Own):
        clock = FrozenClock()
        books = resource(Book, database="archive")

    archive = Settings.model_validate(
        {"databases": {"default": {"url": "memory://"}, "archive": {"url": "memory://"}}}
    )
    shop: Any = Own(settings=MEMORY)
    later: Any = Later(settings=archive)
    async with running(shop), running(later):
        found = [await each.report().repository.read(1) for each in (shop, later)]
        with shop.books.repository.override(Told(lambda: "told")):
            overridden = await shop.report().repository.read(1)
        async with later.report().work() as work:
            counted = await work.repository("books").count(EVERYTHING)

    assert [told(each) for each in found] == [EMMA, EMMA]
    assert told(overridden) == "told"
    assert counted == Success(1)


async def test_an_override_on_the_class_counts_for_instances_made_from_then_on() -> None:
    class Own(Shop):
        pass

    there: Any = Own(settings=MEMORY)
    with Own.books.repository.override(providers.Factory(Told, providers.Object(lambda: "told"))):
        during: Any = Own(settings=MEMORY)
    after: Any = Own(settings=MEMORY)

    answers = []
    for shop in (there, during, after):
        async with running(shop):
            answers.append(told(await read(shop)))
    assert answers == [EMMA, "told", EMMA]


@pytest.mark.parametrize(
    ("asked", "instead"),
    [
        (Shop.books.repository, "shop.books.repository()"),
        (Shop.pens.create, "shop.pens.create()"),
        (Shop.locks, "shop.locks()"),
        (Shop.databases.default, "shop.databases.default()"),
    ],
    ids=["repository", "handler", "locks", "database"],
)
def test_a_class_says_where_to_ask_instead(asked: Callable[[], Any], instead: str) -> None:
    with pytest.raises(DeclarationError) as refused:
        asked()

    assert instead in str(refused.value)


def test_a_misspelt_part_of_a_resource_is_told_what_there_is() -> None:
    with pytest.raises(AttributeError, match=r"'repositry'.*repository"):
        _ = Shop.books.repositry


@pytest.mark.parametrize("name", ["clock", "kernel", "databases", "wire", "parent", "declarations"])
def test_a_resource_may_not_be_called_like_something_of_the_container(name: str) -> None:
    taken = type("Taken", (Container,), {name: resource(Book)})

    with pytest.raises(
        DeclarationError, match=f"{name}: this name is reserved by the container: rename the resource"
    ):
        taken(settings=MEMORY)


@pytest.mark.parametrize("name", ["databases", "breakers"])
def test_databases_are_replaced_one_by_one(name: str) -> None:
    own = type("Own", (Shop,), {name: providers.Object({})})

    with pytest.raises(DeclarationError, match=f"{name}: .*one by one"):
        own(settings=MEMORY)


def test_an_unknown_argument_is_a_mistake() -> None:
    with pytest.raises(AttributeError, match="clok"):
        Shop(clok=FrozenClock())
