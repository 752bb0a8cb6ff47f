"""Sliding windows in Redis or Valkey, for all processes together."""

import asyncio
from typing import Final

from limits.aio.storage import RedisStorage
from redis.exceptions import RedisError

from fastapi_easy.domain.ports.breaker import Breaker, CallNotPermitted
from fastapi_easy.domain.ports.rate_limiter import Allowance
from fastapi_easy.domain.rates.rate import Rate
from fastapi_easy.infrastructure.rate_limits.sliding_window import SlidingWindows
from fastapi_easy.infrastructure.redis_connection import RedisPool

_CONNECTIONS: Final = 10
_PREFIX: Final = "fe:rate"


class RedisRateLimiter:
    """Implements `RateLimiter` in Redis or Valkey; counters expire by themselves.

    Args:
        url: `redis://…`, `rediss://…` or `unix://…`. Nothing is connected before the first call.

        breaker: Keeps calls from waiting for a server that does not answer.

        timeout: Seconds after which the counter is not waited for any more.
    """

    def __init__(self, url: str, breaker: Breaker, *, timeout: float) -> None:
        self._breaker = breaker
        self._timeout = timeout
        self._pool = RedisPool.from_url(
            url, max_connections=_CONNECTIONS, timeout=timeout, socket_connect_timeout=1.0, socket_timeout=1.0
        )
        # The pool has the address; the URL here only chooses the kind of storage.
        storage = RedisStorage(
            "async+redis://localhost:6379",
            implementation="redispy",
            key_prefix=_PREFIX,
            connection_pool=self._pool,  # type: ignore[arg-type]  # typed for plain options only
        )
        self._windows = SlidingWindows(storage)

    async def take(self, rate: Rate, counter: str, cost: int, /) -> Allowance | None:
        """Count *cost* calls of *counter*, and return what *rate* leaves; `None` when nobody answers in time."""
        try:
            permit = self._breaker.enter()
        except CallNotPermitted:
            return None
        answered: bool | None = None
        try:
            async with asyncio.timeout(self._timeout):
                left = await self._windows.take(rate, counter, cost)
        except (RedisError, OSError):
            answered = False
            return None
        else:
            answered = True
            return left
        finally:
            self._breaker.leave(permit, answered=answered)

    async def close(self) -> None:
        """Close every connection."""
        await self._pool.aclose()
