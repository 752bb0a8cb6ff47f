"""Caches of answers keep the promises of every cache of answers, and their own."""

import contextlib

import pytest
import redis.asyncio

from fastapi_easy.domain.ports import CircuitState
from fastapi_easy.infrastructure.caching.memory import MemoryResultCache
from fastapi_easy.infrastructure.caching.redis import RedisResultCache
from fastapi_easy.infrastructure.clock import SystemClock
from fastapi_easy.infrastructure.resilience.circuit_breaker import BreakerLimits, CircuitBreaker
from fastapi_easy.testing import FrozenClock
from fastapi_easy.testing.conformance import ResultCacheConformance, ResultCacheFactory
from tests.wire import wired

PATIENT = 10.0
"""Seconds to wait for an answer, on a machine that has much else to do."""


class TestMemory(ResultCacheConformance):
    @pytest.fixture
    def caches(self) -> ResultCacheFactory:
        return ResultCacheFactory(open=lambda: MemoryResultCache(SystemClock()), is_shared=False)

    async def test_an_answer_ends_with_its_time(self) -> None:
        clock = FrozenClock()
        cache = MemoryResultCache(clock)
        await cache.set("key", b"value", 5)
        clock.advance(4.9)
        assert await cache.get("key") == b"value"

        clock.advance(0.1)

        assert await cache.get("key") is None
        assert (len(cache), cache.size) == (0, 0)

    async def test_it_forgets_what_was_asked_for_longest_ago(self) -> None:
        cache = MemoryResultCache(FrozenClock(), max_entries=2)
        await cache.set("one", b"1", 5)
        await cache.set("two", b"2", 5)
        _ = await cache.get("one")

        await cache.set("three", b"3", 5)

        assert [await cache.get(key) for key in ("one", "two", "three")] == [b"1", None, b"3"]

    async def test_it_never_holds_more_bytes_than_it_may(self) -> None:
        cache = MemoryResultCache(FrozenClock(), max_bytes=10_000)
        for number in range(100):
            await cache.set(str(number), b"x" * 1000, 5)
            assert cache.size <= 10_000
        await cache.set("too large", b"x" * 10_000, 5)

        assert await cache.get("too large") is None
        assert cache.size <= 10_000


class TestRedis(ResultCacheConformance):
    @pytest.fixture
    def caches(self, redis_url: str) -> ResultCacheFactory:
        return ResultCacheFactory(open=lambda: cache_at(redis_url), is_shared=True)

    async def test_the_server_ends_an_answer(self, redis_url: str) -> None:
        cache = cache_at(redis_url)
        await cache.set("ends", b"value", 5)

        async with contextlib.aclosing(redis.asyncio.Redis.from_url(redis_url)) as client:
            left = await client.pttl("fe:answer:ends")

        assert 0 < left <= 5000
        await cache.close()

    async def test_a_server_that_is_silent_is_a_miss_and_then_not_asked_for_a_while(
        self, redis_url: str
    ) -> None:
        async with wired(redis_url) as (address, wire):
            wire.is_black = True
            breaker = CircuitBreaker(BreakerLimits(calls=3, pause=60))
            cache = RedisResultCache(address, breaker, timeout=0.02)

            for _ in range(3):
                assert await cache.get("key") is None
                await cache.set("key", b"value", 5)
            taken = wire.taken
            assert await cache.get("key") is None

            assert breaker.circuit.state is CircuitState.OPEN
            assert breaker.circuit.refused > 0
            assert wire.taken == taken
            await cache.close()

    async def test_a_server_that_refuses_is_a_miss_and_still_there(self, redis_url: str) -> None:
        breaker = CircuitBreaker(BreakerLimits(calls=1))
        cache = RedisResultCache(redis_url, breaker, timeout=PATIENT)
        async with contextlib.aclosing(redis.asyncio.Redis.from_url(redis_url)) as client:
            _ = await client.lpush("fe:answer:list", b"of another type")

            assert await cache.get("list") is None

            _ = await client.delete("fe:answer:list")
        assert breaker.circuit.state is CircuitState.CLOSED
        await cache.close()


def cache_at(url: str) -> RedisResultCache:
    return RedisResultCache(url, CircuitBreaker(BreakerLimits()), timeout=PATIENT)
