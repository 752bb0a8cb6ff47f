"""Attempts to log in are counted, each longer after the last, in the process and in Redis."""

import asyncio
import uuid
from collections.abc import AsyncIterator
from typing import Any

import pytest
from returns.result import Failure, Success

from fastapi_easy.domain.errors import Unavailable
from fastapi_easy.domain.ports.attempt_counter import AttemptCounter, AttemptLimit
from fastapi_easy.infrastructure.authentication.sessions.memory_attempts import MemoryAttemptCounter
from fastapi_easy.infrastructure.authentication.sessions.redis_attempts import RedisAttemptCounter
from fastapi_easy.testing import FrozenClock

LIMIT = AttemptLimit(free=3, delay=100.0, longest=250.0, memory=1000.0)
"""Delays so long that no machine is slow enough to see one of them end."""


@pytest.fixture(params=["memory", "redis"])
async def counter(request: pytest.FixtureRequest) -> AsyncIterator[AttemptCounter]:
    made: Any = (
        MemoryAttemptCounter(FrozenClock())
        if request.param == "memory"
        else RedisAttemptCounter(request.getfixturevalue("redis_url"))
    )
    yield made
    await made.aclose()


@pytest.fixture
def name() -> str:
    return uuid.uuid4().hex


async def waits(counter: AttemptCounter, name: str, times: int, limit: AttemptLimit = LIMIT) -> list[float]:
    return [(await counter.begin(name, limit)).unwrap() for _ in range(times)]


@pytest.mark.parametrize(
    ("attempts", "delay"), [(1, 0.0), (2, 0.0), (3, 100.0), (4, 200.0), (5, 250.0), (10_000, 250.0)]
)
def test_each_delay_is_twice_the_one_before(attempts: int, delay: float) -> None:
    assert LIMIT.delay_after(attempts) == delay


async def test_after_the_free_attempts_one_has_to_wait(counter: AttemptCounter, name: str) -> None:
    *free, fourth = await waits(counter, name, 4)

    assert free == [0.0, 0.0, 0.0]
    assert 90.0 < fourth <= 100.0


async def test_attempts_at_the_same_time_are_counted_one_by_one(counter: AttemptCounter, name: str) -> None:
    found = await asyncio.gather(*(counter.begin(name, LIMIT) for _ in range(20)))

    assert sum(each.unwrap() == 0.0 for each in found) == 3


async def test_names_are_counted_apart(counter: AttemptCounter, name: str) -> None:
    _ = await waits(counter, name, 4)

    assert await waits(counter, f"{name}x", 3) == [0.0, 0.0, 0.0]


async def test_what_was_forgotten_was_never_counted(counter: AttemptCounter, name: str) -> None:
    _ = await waits(counter, name, 4)
    assert await counter.forget(name) == Success(None)

    assert await waits(counter, name, 3) == [0.0, 0.0, 0.0]
    assert await counter.forget(f"{name}x") == Success(None)


async def test_an_attempt_that_is_taken_back_was_none(counter: AttemptCounter, name: str) -> None:
    for _ in range(10):
        assert await waits(counter, name, 1) == [0.0]
        assert await counter.take_back(name) == Success(None)
    _ = await waits(counter, name, 3)
    assert await counter.take_back(name) == Success(None)

    again, blocked = await waits(counter, name, 2)

    assert again == 0.0
    assert blocked > 0.0
    assert await counter.take_back(f"{name}x") == Success(None)
    assert await waits(counter, f"{name}x", 3) == [0.0, 0.0, 0.0]


async def test_a_delay_ends_and_the_next_one_is_longer_until_all_is_forgotten() -> None:
    clock = FrozenClock()
    counter = MemoryAttemptCounter(clock)
    _ = await waits(counter, "a", 3)

    clock.advance(99)
    assert await waits(counter, "a", 1) == [1.0]
    clock.advance(1)
    assert await waits(counter, "a", 2) == [0.0, 200.0]
    clock.advance(1000)
    assert await waits(counter, "a", 3) == [0.0, 0.0, 0.0]


async def test_a_delay_in_redis_ends(redis_url: str, name: str) -> None:
    counter = RedisAttemptCounter(redis_url)
    short = AttemptLimit(free=1, delay=0.001, longest=0.002, memory=100.0)
    _ = await waits(counter, name, 1, short)

    await asyncio.sleep(0.05)

    assert await waits(counter, name, 1, short) == [0.0]
    await counter.aclose()


async def test_what_the_process_remembers_is_bounded() -> None:
    counter = MemoryAttemptCounter(FrozenClock(), max_names=10)
    for first in ("oldest", "busy"):
        _ = await waits(counter, first, 2)
    for each in range(9):
        _ = await counter.begin(str(each), LIMIT)

    assert await waits(counter, "busy", 2) == [0.0, 100.0]
    assert await waits(counter, "oldest", 3) == [0.0, 0.0, 0.0]


async def test_a_redis_that_is_down_is_unavailable() -> None:
    counter = RedisAttemptCounter("redis://127.0.0.1:1/0")

    for outcome in (await counter.begin("a", LIMIT), await counter.forget("a"), await counter.take_back("a")):
        assert isinstance(outcome, Failure)
        assert isinstance(outcome.failure(), Unavailable)
    await counter.aclose()
