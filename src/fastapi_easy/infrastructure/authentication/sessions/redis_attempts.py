"""Counts attempts to log in in Redis or Valkey, for all processes together."""

from collections.abc import Awaitable, Callable
from typing import Any, Final, TypeVar

from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import TimeoutError as RedisTimeoutError
from returns.result import Failure, Success

from fastapi_easy.domain.errors import Outcome, Unavailable
from fastapi_easy.domain.ports.attempt_counter import AttemptLimit
from fastapi_easy.infrastructure.redis_connection import RedisConnection

T = TypeVar("T")

_CONNECTIONS: Final = 4
_TIMEOUT: Final = 1.0
"""Seconds for a connection, and for an answer."""

_NAME: Final = "attempts to log in, in Redis"

# Times are milliseconds of the server's clock. The delays by the number of attempts are arguments, so that the formula
# is written once, in `AttemptLimit`.
_BEGIN: Final = """
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local count, ends = unpack(redis.call('HMGET', KEYS[1], 'count', 'ends'))
if ends and tonumber(ends) > now then return tonumber(ends) - now end
count = (tonumber(count) or 0) + 1
local delay = tonumber(ARGV[2])
for index = 3, #ARGV, 2 do
  if count <= tonumber(ARGV[index]) then delay = tonumber(ARGV[index + 1]) break end
end
redis.call('HSET', KEYS[1], 'count', count, 'ends', string.format('%.0f', now + delay))
redis.call('PEXPIRE', KEYS[1], ARGV[1])
return 0
"""
_TAKE_BACK: Final = """
if redis.call('EXISTS', KEYS[1]) == 0 then return 0 end
if redis.call('HINCRBY', KEYS[1], 'count', -1) <= 0 then return redis.call('DEL', KEYS[1]) end
return redis.call('HSET', KEYS[1], 'ends', 0)
"""


class RedisAttemptCounter:
    """Implements `AttemptCounter` in Redis or Valkey; names are hashes already, and expire by themselves.

    Args:
        url: `redis://…`, `rediss://…` or `unix://…`. Nothing is connected before the first call.
    """

    def __init__(self, url: str) -> None:
        self._connection = RedisConnection(
            url, connections=_CONNECTIONS, pool_timeout=2 * _TIMEOUT, timeout=_TIMEOUT
        )

    async def begin(self, name: str, limit: AttemptLimit, /) -> Outcome[float]:
        """Count one attempt of *name*; return 0.0, or the seconds to wait."""

        async def count() -> float:
            waits: Any = await self._run(_BEGIN, name, *_arguments(limit))
            return int(waits) / 1000

        return await self._call(count)

    async def take_back(self, name: str, /) -> Outcome[None]:
        """Uncount one attempt of *name*."""

        async def uncount() -> None:
            _ = await self._run(_TAKE_BACK, name)

        return await self._call(uncount)

    async def forget(self, name: str, /) -> Outcome[None]:
        """Forget every attempt of *name*."""

        async def delete() -> None:
            _ = await self._connection.client.delete(_key(name))

        return await self._call(delete)

    async def aclose(self) -> None:
        """Close every connection."""
        await self._connection.close()

    async def _run(self, script: str, name: str, *arguments: int) -> Any:
        return await self._connection.client.register_script(script)(keys=[_key(name)], args=arguments)

    async def _call(self, operation: Callable[[], Awaitable[T]]) -> Outcome[T]:
        try:
            return Success(await operation())
        except (RedisConnectionError, RedisTimeoutError, OSError):
            return Failure(Unavailable(_NAME))


def _key(name: str) -> str:
    return f"fe:attempts:{name}"


def _arguments(limit: AttemptLimit) -> list[int]:
    """Return for how long attempts are remembered, the longest delay, and pairs of a count and the delay up to it."""
    pairs = [limit.free - 1, 0]
    count = limit.free
    while (delay := limit.delay_after(count)) < limit.longest:
        pairs += [count, _milliseconds(delay)]
        count += 1
    return [_milliseconds(limit.memory), _milliseconds(limit.longest), *pairs]


def _milliseconds(seconds: float) -> int:
    return round(seconds * 1000)
