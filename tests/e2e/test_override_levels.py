"""An override anywhere below a use case is followed by the very next call, and ends with its block."""

from collections.abc import Callable
from typing import Any

import pytest
from dependency_injector import providers

from fastapi_easy.application import Handler, Target
from fastapi_easy.application.application_ports import ApplicationPorts
from fastapi_easy.application.collaborators import Collaborators
from fastapi_easy.domain import Failure, Outcome, Success
from fastapi_easy.infrastructure.persistence.memory.connection import MemoryDatabase
from fastapi_easy.testing import FrozenClock
from tests.e2e.overriding import (
    EMMA,
    MEMORY,
    NothingIsThere,
    Shop,
    Told,
    read,
    running,
    settings_with,
    stepping_in,
    told,
)


class Elsewhere(MemoryDatabase):
    """A database in which nothing is."""


class Muted:
    """A handler."""

    async def __call__(self, command: Any, context: Any, /) -> Outcome[Any]:
        return Success("muted")


def of_nobody(shop: Any) -> Any:
    return providers.Factory(
        Collaborators,
        resource=shop.books.resource,
        repository=providers.Object(lambda: Told(lambda: "collaborating")),
        unit_of_work=shop.books.unit_of_work.provider,
        ports=providers.Factory(ApplicationPorts, clock=shop.clock, event_bus=shop.event_bus),
    )


LEVELS: dict[str, tuple[Callable[[Any], Any], Callable[[Any], Any], Any]] = {
    "steps": (lambda shop: shop.steps, lambda _: (stepping_in,), "stepped in"),
    "handler": (lambda shop: shop.books.get, lambda _: Muted(), "muted"),
    "handler by a factory": (lambda shop: shop.books.get, lambda _: providers.Factory(Muted), "muted"),
    "collaborators": (lambda shop: shop.books.collaborators, of_nobody, "collaborating"),
    "repository": (lambda shop: shop.books.repository, lambda _: Told(lambda: "told"), "told"),
    "repository by a factory": (
        lambda shop: shop.books.repository,
        lambda _: providers.Factory(Told, providers.Object(lambda: "told")),
        "told",
    ),
    "database": (lambda shop: shop.databases.default, lambda _: Elsewhere(), None),
    "policy": (lambda shop: shop.policy, lambda _: NothingIsThere(), None),
}


@pytest.mark.parametrize("level", LEVELS)
async def test_the_very_next_call_follows_an_override(level: str) -> None:
    find, make, expected = LEVELS[level]
    shop: Any = Shop(settings=MEMORY)

    async with running(shop):
        answers = [told(await read(shop))]
        with find(shop).override(make(shop)):
            answers += [told(await read(shop)), told(await read(shop))]
        answers += [told(await read(shop)), told(await read(shop))]

    assert answers == [EMMA, expected, expected, EMMA, EMMA]


@pytest.mark.parametrize("level", LEVELS)
async def test_overrides_within_one_another_end_one_after_the_other(level: str) -> None:
    find, make, expected = LEVELS[level]
    shop: Any = Shop(settings=MEMORY)
    provider = find(shop)
    answers = []

    async with running(shop):
        with provider.override(make(shop)):
            with provider.override(provider.overridden[0]), shop.steps.override((stepping_in,)):
                answers.append(told(await read(shop)))
            answers.append(told(await read(shop)))
        answers.append(told(await read(shop)))

    assert answers == ["stepped in", expected, EMMA]


@pytest.mark.parametrize("level", LEVELS)
async def test_whichever_way_an_override_is_taken_back_it_ends(level: str) -> None:
    find, make, expected = LEVELS[level]
    shop: Any = Shop(settings=MEMORY)
    answers = []

    async with running(shop):
        provider = find(shop)
        provider.override(make(shop))
        provider.override(make(shop))
        answers.append(told(await read(shop)))
        provider.reset_last_overriding()
        answers.append(told(await read(shop)))
        provider.reset_override()
        answers.append(told(await read(shop)))

    assert answers == [expected, expected, EMMA]


async def test_what_an_override_itself_is_made_from_can_be_overridden() -> None:
    shop: Any = Shop(settings=MEMORY)
    word = providers.Object(lambda: "first")

    async with running(shop):
        with shop.books.repository.override(providers.Factory(Told, word)):
            answers = [told(await read(shop))]
            with word.override(providers.Object(lambda: "second")):
                answers.append(told(await read(shop)))
            answers.append(told(await read(shop)))

    assert answers == ["first", "second", "first"]


async def test_a_stand_in_made_by_a_factory_is_made_for_each_call() -> None:
    made: list[Told] = []

    def make() -> Told:
        made.append(Told(lambda: "told"))
        return made[-1]

    shop: Any = Shop(settings=MEMORY)
    async with running(shop):
        with shop.books.repository.override(providers.Factory(make)):
            for _ in range(3):
                _ = await read(shop)

    assert len(made) == 3


async def test_a_handler_made_by_a_factory_is_made_for_each_call() -> None:
    made: list[Muted] = []

    def make() -> Muted:
        made.append(Muted())
        return made[-1]

    shop: Any = Shop(settings=MEMORY)
    async with running(shop):
        with shop.books.get.override(providers.Factory(make)):
            for _ in range(3):
                _ = await read(shop)

    assert len(made) == 3


async def test_a_policy_that_differs_by_task_is_asked_for_each_call() -> None:
    class Own(Shop):
        policy = providers.ContextLocalSingleton(NothingIsThere)

    shop: Any = Own(settings=MEMORY)
    shop.policy.override(providers.Callable(lambda: None))
    async with running(shop):
        shown = await read(shop)
        shop.policy.reset_override()
        hidden = await read(shop)

    assert isinstance(hidden, Failure)
    assert told(shown) == EMMA


async def test_a_policy_made_by_a_factory_is_made_for_each_call_and_the_steps_stay() -> None:
    made: list[NothingIsThere] = []
    composed: list[Target] = []

    def make() -> NothingIsThere:
        made.append(NothingIsThere())
        return made[-1]

    def counting(target: Target, handler: Handler[Any, Any]) -> Handler[Any, Any]:
        composed.append(target)
        return handler

    class Own(Shop):
        policy = providers.Factory(make)
        steps = (counting,)

    shop: Any = Own(settings=MEMORY)
    async with running(shop):
        for _ in range(2):
            _ = await read(shop)
        made.clear()
        composed.clear()
        for _ in range(3):
            _ = await read(shop)

    assert (len(made), composed) == (3, [])


async def test_a_singleton_that_is_made_anew_is_seen() -> None:
    class Own(Shop):
        clock = providers.Singleton(FrozenClock)

    shop: Any = Own(settings=MEMORY)
    async with running(shop):
        before = shop.books.collaborators().ports.clock
        shop.clock.reset()
        after = shop.books.collaborators().ports.clock

    assert before is not after
    assert after is shop.clock()


async def test_what_was_there_before_an_override_is_there_again_after_it() -> None:
    shop: Any = Shop(settings=MEMORY)
    names = ("retry", "observer", "locks", "steps")
    before = [shop.providers[name]() for name in names]

    with shop.settings.override(settings_with(deadline=5)), shop.clock.override(FrozenClock()):
        during = [shop.providers[name]() for name in names]
        with shop.settings.override(settings_with(deadline=6)):
            _ = [shop.providers[name]() for name in names]
    after = [shop.providers[name]() for name in names]

    assert [a is b for a, b in zip(before, during, strict=True)] == [False] * 4
    assert [a is b for a, b in zip(before, after, strict=True)] == [True] * 4
