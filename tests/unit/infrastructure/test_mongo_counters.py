"""Numbers for keys: those who wait are served together, nobody gets one twice, and nobody waits for ever."""

import asyncio
from dataclasses import dataclass
from typing import Any

import pytest

from fastapi_easy.domain import Field, Kind, Shape
from fastapi_easy.infrastructure.persistence.mongo.documents.mapping import Plan
from fastapi_easy.infrastructure.persistence.mongo.driver.counters import Counters
from fastapi_easy.infrastructure.persistence.mongo.errors import PoolExhausted
from fastapi_easy.testing import resource_from


@dataclass
class Thing:
    id: int | None = None


PLAN = Plan(
    resource_from(
        Shape(fields=(Field(name="id", kind=Kind.INTEGER, generated=True),), key=("id",)), "x", Thing
    )
)


class Server:
    """Stands for the server: raises one number, when it is let."""

    def __init__(self) -> None:
        self.last = 0
        self.asked: list[int] = []
        self.open = asyncio.Event()
        self.broken = False

    async def find_and_modify(self, collection: str, match: Any, update: Any, session: Any = None) -> Any:
        many = update["$inc"]["last"]
        self.asked.append(many)
        await self.open.wait()
        if self.broken:
            self.broken = False
            raise ConnectionError
        self.last += many
        return {"last": self.last}

    def counters(self, turn_timeout: float = 1.0) -> Counters:
        unused: Any = None
        server: Any = self
        return Counters(unused, {"fastapi_easy": None}, server, turn_timeout)


async def test_waiting_callers_are_served_by_one_increment() -> None:
    server = Server()
    counters = server.counters()

    waiting = [asyncio.ensure_future(counters.reserve(PLAN, many)) for many in (1, 2, 1, 3)]
    await asyncio.sleep(0)
    server.open.set()
    found = await asyncio.gather(*waiting)

    assert server.asked == [1, 6]
    assert [len(each) for each in found] == [1, 2, 1, 3]
    assert sorted(number for each in found for number in each) == list(range(1, 8))


async def test_numbers_that_are_not_taken_are_dropped() -> None:
    server = Server()
    counters = server.counters()
    waiting = [asyncio.ensure_future(counters.reserve(PLAN, 1)) for _ in range(3)]
    await asyncio.sleep(0)
    # The second reserves for the third too, which has gone when its turn comes.
    waiting[2].cancel()
    server.open.set()
    _ = await asyncio.gather(*waiting, return_exceptions=True)

    again = await counters.reserve(PLAN, 1)

    assert list(again) == [server.last]


async def test_a_failed_increment_fails_only_its_own_caller() -> None:
    server = Server()
    server.broken = True
    counters = server.counters()
    waiting = [asyncio.ensure_future(counters.reserve(PLAN, 1)) for _ in range(2)]
    await asyncio.sleep(0)
    server.open.set()

    first, second = await asyncio.gather(*waiting, return_exceptions=True)

    assert isinstance(first, ConnectionError)
    assert second == range(1, 2)


async def test_waiting_for_numbers_has_a_timeout() -> None:
    server = Server()
    counters = server.counters(turn_timeout=0.01)
    first = asyncio.ensure_future(counters.reserve(PLAN, 1))
    await asyncio.sleep(0)

    with pytest.raises(PoolExhausted):
        _ = await counters.reserve(PLAN, 1)

    server.open.set()
    assert await first == range(1, 2)
