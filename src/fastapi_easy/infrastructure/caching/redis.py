"""Answers in Redis or Valkey, for all processes together."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, Final, TypeVar

from redis.asyncio import Redis
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import RedisError
from redis.exceptions import TimeoutError as RedisTimeoutError

from fastapi_easy.domain.ports.breaker import Breaker, CallNotPermitted
from fastapi_easy.infrastructure.redis_connection import RedisConnection

T = TypeVar("T")

CONNECTIONS: Final = 10
TIMEOUT: Final = 0.05
"""Seconds to wait for an answer: the store that a cache stands before answers soon as well."""

_CONNECT_TIMEOUT: Final = 1.0
_PREFIX: Final = "fe:answer:"
_SILENCE: Final = (RedisConnectionError, RedisTimeoutError, OSError)


class RedisResultCache:
    """Implements `ResultCache` in Redis, whose own policy decides what it forgets (`maxmemory-policy allkeys-lru`).

    Args:
        url: `redis://…`, `rediss://…` or `unix://…`. Nothing is connected before the first call.

        breaker: Keeps calls from waiting for a server that does not answer.

        timeout: Seconds after which a call is given up.
    """

    def __init__(self, url: str, breaker: Breaker, *, timeout: float = TIMEOUT) -> None:
        self._connection = RedisConnection(
            url, connections=CONNECTIONS, pool_timeout=timeout, timeout=_CONNECT_TIMEOUT, decode=False
        )
        self._breaker = breaker
        self._timeout = timeout

    async def get(self, key: str) -> bytes | None:
        """Return the value that was set under *key*; `None` when there is none, or nobody answers in time."""
        found = await self._ask(lambda redis: redis.get(_PREFIX + key))
        return found if isinstance(found, bytes) else None

    async def set(self, key: str, value: bytes, seconds: float) -> None:
        """Keep *value* under *key* for *seconds* at most; do nothing when nobody answers in time."""
        _ = await self._ask(lambda redis: redis.set(_PREFIX + key, value, px=max(1, round(seconds * 1000))))

    async def close(self) -> None:
        """Close every connection."""
        await self._connection.close()

    async def _ask(self, ask: Callable[[Redis], Awaitable[Any]]) -> Any:
        """Return what the server answers to *ask*; `None` when it does not, or says that something is wrong."""
        try:
            permit = self._breaker.enter()
        except CallNotPermitted:
            return None
        answered: bool | None = None
        try:
            async with asyncio.timeout(self._timeout):
                answer = await ask(self._connection.client)
        except (RedisError, OSError) as error:
            # A server that answers with an error, being full or still loading, is there.
            answered = not isinstance(error, _SILENCE)
            return None
        else:
            answered = True
            return answer
        finally:
            self._breaker.leave(permit, answered=answered)
