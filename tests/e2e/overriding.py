"""A shop in memory, what may take the place of something in it, and calls that show it."""

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from fastapi_easy.application import NOBODY, CreateEntity, GetEntity, Handler, Target
from fastapi_easy.bootstrap import open_kernel
from fastapi_easy.container import Container, resource
from fastapi_easy.domain import Failure, Outcome, Row, Success, Unavailable
from fastapi_easy.domain.ports.repository import EVERYTHING
from fastapi_easy.domain.queries.specification import Not, Specification
from fastapi_easy.settings import Settings
from tests.policies import RowPolicy


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


class Shop(Container):
    """Both in one database."""

    books = resource(Book)
    pens = resource(Pen)


def settings_with(**sections: Any) -> Settings:
    return Settings.model_validate({"databases": {"default": {"url": "memory://"}}, **sections})


MEMORY = settings_with()
IN_MEMORY: Any = Shop(settings=MEMORY)


class Recorder:
    """An observer, and metrics."""

    media_type = "text/plain"

    def __init__(self) -> None:
        self.observations: list[Any] = []

    def observe(self, observation: Any) -> None:
        self.observations.append(observation)

    def report(self, *_: Any) -> bytes:
        return b""


class Persistent:
    """A retry that has what it wants at the second attempt."""

    repeated: Mapping[str, int] = {}

    async def repeat(self, *_: Any) -> Outcome[Any]:
        return Success("again")


class NothingIsThere(RowPolicy):
    """A policy."""

    def visible(self, *_: Any) -> Specification:
        return Not(EVERYTHING)


class Told:
    """A repository of what somebody wants to know."""

    def __init__(self, ask: Callable[[], Any]) -> None:
        self._ask = ask

    async def read(self, *_: Any, **__: Any) -> Outcome[Any]:
        return Success(self._ask())

    async def add(self, *_: Any) -> Outcome[Any]:
        return Success(self._ask())


class Silent:
    """A repository that counts how often it is asked."""

    def __init__(self) -> None:
        self.asked = 0

    async def read(self, *_: Any, **__: Any) -> Outcome[Any]:
        self.asked += 1
        return Failure(Unavailable("default"))


def stepping_in(target: Target, handler: Handler[Any, Any]) -> Handler[Any, Any]:
    async def step(command: Any, context: Any, /) -> Outcome[Any]:
        return Success("stepped in")

    return step


async def read(shop: Any, key: int = 1) -> Outcome[Any]:
    return await shop.kernel().use_cases("books").get(GetEntity(key), NOBODY)


async def create(shop: Any) -> Outcome[Any]:
    return await shop.kernel().use_cases("books").create(CreateEntity({"title": "Persuasion"}), NOBODY)


@asynccontextmanager
async def running(shop: Any) -> AsyncIterator[None]:
    """With Emma in it, whatever is around its use cases."""
    async with open_kernel(shop):
        async with shop.books.unit_of_work() as work:
            _ = await work.repository("books").add({"title": "Emma"})
            _ = await work.commit()
        yield


EMMA = "Emma"


def told(outcome: Outcome[Any]) -> Any:
    """The title, what somebody else has answered, or nothing."""
    if isinstance(outcome, Failure):
        return None
    answer = outcome.unwrap()
    return answer["title"] if isinstance(answer, Row) else answer
