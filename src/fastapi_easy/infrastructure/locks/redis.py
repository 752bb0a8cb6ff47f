"""Leases in Redis or Valkey: each call is one Lua script, which the server runs without another in between.

Replication is asynchronous, so that a failover may lose a lease: writes elsewhere are protected by a fence.
"""

import asyncio
import hashlib
import math
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Any, Final, TypeVar

from redis.asyncio import Redis
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import NoScriptError, ResponseError
from redis.exceptions import TimeoutError as RedisTimeoutError
from returns.result import Failure, Success

from fastapi_easy.domain.errors import Outcome, Unavailable
from fastapi_easy.domain.locks.lease import (
    EVERY_LOCK_CAPABILITY,
    Acquired,
    Busy,
    LockCapability,
    LockInfo,
    WaitEdge,
)
from fastapi_easy.domain.locks.renewal import Renewal
from fastapi_easy.domain.ports.database import Pool
from fastapi_easy.domain.ports.unit_of_work import UnitOfWork
from fastapi_easy.infrastructure.locks.redis_internals import connections_of
from fastapi_easy.infrastructure.locks.wakeups import OwnerEvents
from fastapi_easy.infrastructure.redis_connection import RedisConnection

T = TypeVar("T")

CONNECTIONS: Final = 2
TIMEOUT: Final = 1.0
"""Seconds for a connection, and for an answer."""

_NAMES_WITH_WAITERS: Final = "fe:waited-for"
"""The set of names that have waiters, for `edges`; each prolonged wait adds its name again."""

_EVICTION_POLICY_WARNING: Final = (
    "Redis may evict leases: maxmemory-policy is {!r}; set it to 'noeviction', "
    "or use another store with locks.url"
)
# `text` replaces Lua's tostring(), which writes numbers of this size as 1.7e+15. Lua's numbers are doubles, which hold
# whole microseconds until the year 2255.
_PRELUDE: Final = """
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local owner, token, ends = unpack(redis.call('HMGET', KEYS[1], 'owner', 'token', 'ends'))
local held = owner and tonumber(ends) > now
local function text(number) return string.format('%.0f', number) end
local function forget_silent()
  for _, each in ipairs(redis.call('ZRANGEBYSCORE', KEYS[3], '-inf', text(now))) do
    redis.call('ZREM', KEYS[2], each)
    redis.call('ZREM', KEYS[3], each)
  end
end
"""
# KEYS[1] is the lease, KEYS[2] the waiters by ticket, KEYS[3] the waiters by the time until which each was heard of.
# Keys expire by themselves: a lease after a week, whose tokens go on growing since there is a clock in them.
_ACQUIRE: Final = """
if not (held and owner == ARGV[1]) then
  forget_silent()
  local ahead = redis.call('ZCOUNT', KEYS[2], '-inf', '(' .. ARGV[3])
  if held or ahead > 0 then return {'', held and owner or '', text(ahead)} end
  token = text(math.max((tonumber(token) or 0) + 1, now))
  redis.call('HSET', KEYS[1], 'owner', ARGV[1], 'token', token, 'since', text(now))
end
redis.call('HSET', KEYS[1], 'ends', text(now + ARGV[2]))
redis.call('EXPIRE', KEYS[1], 604800)
redis.call('ZREM', KEYS[2], ARGV[1])
redis.call('ZREM', KEYS[3], ARGV[1])
return {token, '', '0'}
"""
_RENEW: Final = (
    _PRELUDE
    + """
if not (held and owner == ARGV[1] and token == ARGV[2]) then return 0 end
redis.call('HSET', KEYS[1], 'ends', text(now + ARGV[3]))
redis.call('EXPIRE', KEYS[1], 604800)
return 1
"""
)
_RENEW_DIGEST: Final = hashlib.sha1(_RENEW.encode()).hexdigest()  # noqa: S324 (how Redis names scripts)
_RELEASE: Final = """
if owner ~= ARGV[1] then return 0 end
redis.call('HDEL', KEYS[1], 'owner', 'ends', 'since')
return 1
"""
_EVICT: Final = """
if not (held and token == ARGV[1]) then return 0 end
redis.call('HDEL', KEYS[1], 'owner', 'ends', 'since')
return 1
"""
_ENQUEUE: Final = """
forget_silent()
local ticket = redis.call('ZSCORE', KEYS[2], ARGV[1])
if not ticket then
  ticket = text(math.max((tonumber(redis.call('HGET', KEYS[1], 'ticket')) or 0) + 1, now))
  redis.call('HSET', KEYS[1], 'ticket', ticket)
  redis.call('EXPIRE', KEYS[1], 604800)
  redis.call('ZADD', KEYS[2], ticket, ARGV[1])
end
redis.call('ZADD', KEYS[3], text(now + ARGV[2]), ARGV[1])
redis.call('EXPIRE', KEYS[2], 3600)
redis.call('EXPIRE', KEYS[3], 3600)
return text(tonumber(ticket))
"""
_INSPECT: Final = """
forget_silent()
local line = redis.call('ZRANGE', KEYS[2], 0, -1, 'WITHSCORES')
if not held then return {'', '', '', '', line} end
return {owner, token, text(now - redis.call('HGET', KEYS[1], 'since')), text(ends - now), line}
"""


class RedisLeaseStore:
    """Implements `LeaseStore` in Redis or Valkey.

    Args:
        url: `redis://…`, `rediss://…` or `unix://…`. Nothing is connected before the first call.
    """

    name = "locks in Redis"
    sends_wakeups = False
    capabilities: frozenset[LockCapability] = EVERY_LOCK_CAPABILITY - {LockCapability.DURABLE}

    def __init__(self, url: str) -> None:
        self._connection = RedisConnection(
            url, connections=CONNECTIONS, pool_timeout=2 * TIMEOUT, timeout=TIMEOUT
        )
        self._events = OwnerEvents()

    async def try_acquire(
        self, name: str, owner: str, ttl: float, ticket: int | None = None
    ) -> Outcome[Acquired | Busy]:
        """Give *name* to *owner* if it is free, or is its already, and no earlier ticket waits."""

        async def acquire() -> Acquired | Busy:
            place = math.inf if ticket is None else ticket
            token, holder, ahead = await self._run(_ACQUIRE, name, owner, _micros(ttl), place)
            return Acquired(int(token)) if token else Busy(holder or None, int(ahead))

        return await self._call_store(acquire)

    async def renew(self, leases: Sequence[Renewal]) -> Outcome[Sequence[bool]]:
        """Let each of *leases* run for its `ttl` from now, in one round trip; return whether its owner still had it."""

        async def renew_all() -> Sequence[bool]:
            try:
                return await self._send_renewals(leases)
            except NoScriptError:
                # The server was restarted, or is new to this script. What was renewed is renewed again.
                _ = await self._redis.script_load(_RENEW)
                return await self._send_renewals(leases)

        return await self._call_store(renew_all)

    async def release(self, name: str, owner: str) -> Outcome[bool]:
        """Release *name*; return whether *owner* had it."""
        return await self._run_bool(_RELEASE, name, owner)

    async def enqueue(self, name: str, owner: str, seconds: float) -> Outcome[int]:
        """Register or prolong the wait of *owner* for *name*, for the next *seconds*; return its ticket."""

        async def insert_wait() -> int:
            _ = await self._redis.sadd(_NAMES_WITH_WAITERS, name)
            return int(await self._run(_ENQUEUE, name, owner, _micros(seconds)))

        return await self._call_store(insert_wait)

    async def dequeue(self, name: str, owner: str) -> Outcome[None]:
        """End the wait of *owner* for *name*."""

        async def delete_wait() -> None:
            _, queue, deadlines = _keys(name)
            _ = await self._redis.zrem(queue, owner)
            _ = await self._redis.zrem(deadlines, owner)

        return await self._call_store(delete_wait)

    async def edges(self) -> Outcome[Sequence[WaitEdge]]:
        """List who waits for whom; one name after the other, so not all at one moment."""

        async def query() -> Sequence[WaitEdge]:
            found: list[WaitEdge] = []
            names: Any = await self._redis.smembers(_NAMES_WITH_WAITERS)
            for name in names:
                holder, token, _, _, queue = await self._run(_INSPECT, name)
                if not queue:
                    _ = await self._redis.srem(_NAMES_WITH_WAITERS, name)
                if holder:
                    found += [
                        WaitEdge(name, waiter, holder, ticket, int(token))
                        for waiter, ticket in _parse_queue(queue)
                    ]
            return found

        return await self._call_store(query)

    async def inspect(self, prefix: str = "") -> Outcome[Sequence[LockInfo]]:
        """List the names that are held and begin with *prefix*, in their order."""

        async def query() -> Sequence[LockInfo]:
            keys = [key async for key in self._redis.scan_iter(match="fe:{*}:lock", count=1000)]
            names = sorted({key.removeprefix("fe:{").removesuffix("}:lock") for key in keys})
            return [
                LockInfo(
                    name=name,
                    owner=owner,
                    token=int(token),
                    age=int(age) / 1e6,
                    remaining=int(remaining) / 1e6,
                    waiters=tuple(each for each, _ in _parse_queue(queue)),
                )
                for name in names
                if name.startswith(prefix)
                for owner, token, age, remaining, queue in [await self._run(_INSPECT, name)]
                if owner
            ]

        return await self._call_store(query)

    async def evict(self, name: str, token: int) -> Outcome[bool]:
        """Take *name* from its holder by *token*; return whether there was one."""
        return await self._run_bool(_EVICT, name, token)

    async def guard(self, work: UnitOfWork, name: str, owner: str, token: int) -> Outcome[bool] | None:
        """Return `None`: Redis takes part in no other database's transaction."""
        return None

    def wakeups(self, name: str, owner: str) -> AbstractAsyncContextManager[asyncio.Event]:
        """Return an event that nobody sets: those who wait poll."""
        return self._events.register(owner)

    @property
    def pool(self) -> Pool | None:
        """Its connections; `None` before the first call."""
        if self._connection.opened is None:
            return None
        idle, in_use = connections_of(self._connection.opened.connection_pool)
        return Pool(limit=CONNECTIONS, open=in_use + idle, in_use=in_use)

    async def answers(self) -> Outcome[None]:
        """Ask whether the server answers."""

        async def ping() -> None:
            asked: Any = self._redis.ping()  # typed as a bool or an awaitable
            _ = await asked

        return await self._call_store(ping)

    async def check(self) -> Outcome[Sequence[str]]:
        """Warn when the server may evict leases."""

        async def query() -> Sequence[str]:
            try:
                found: Any = await self._redis.config_get("maxmemory*")
            except ResponseError:
                return ()  # CONFIG is forbidden, as managed servers do
            policy = str(found.get("maxmemory-policy", "noeviction"))
            if policy == "noeviction" or int(found.get("maxmemory", 0)) == 0:
                return ()
            return [_EVICTION_POLICY_WARNING.format(policy)]

        return await self._call_store(query)

    async def close(self) -> None:
        """Close every connection."""
        await self._connection.close()

    @property
    def _redis(self) -> Redis:
        return self._connection.client

    async def _send_renewals(self, leases: Sequence[Renewal]) -> Sequence[bool]:
        # One script for each name, since the keys of several may be in different slots of a cluster.
        async with self._redis.pipeline(transaction=False) as pipeline:
            for each in leases:
                keys = _keys(each.name)
                arguments = each.owner, each.token, _micros(each.ttl)
                _ = pipeline.evalsha(_RENEW_DIGEST, len(keys), *keys, *map(str, arguments))
            return [bool(each) for each in await pipeline.execute()]

    async def _run(self, script: str, name: str, *arguments: str | float) -> Any:
        return await self._redis.register_script(_PRELUDE + script)(keys=_keys(name), args=arguments)

    async def _run_bool(self, script: str, name: str, *arguments: str | float) -> Outcome[bool]:
        async def run() -> bool:
            return bool(await self._run(script, name, *arguments))

        return await self._call_store(run)

    async def _call_store(self, operation: Callable[[], Awaitable[T]]) -> Outcome[T]:
        try:
            return Success(await operation())
        except (RedisConnectionError, RedisTimeoutError, OSError):
            return Failure(Unavailable(self.name))


def _keys(name: str) -> list[str]:
    """Return the keys of *name*: its lease, its waiters by ticket, and until when each was heard of.

    The braces make a hash tag, so that a cluster keeps all three in one slot, as a script needs.
    """
    return [f"fe:{{{name}}}:{part}" for part in ("lock", "line", "heard")]


def _parse_queue(scored: Sequence[str]) -> list[tuple[str, int]]:
    # Members and scores alternate; Redis writes scores as floating-point numbers.
    return [(scored[place], int(float(scored[place + 1]))) for place in range(0, len(scored), 2)]


def _micros(seconds: float) -> int:
    return round(seconds * 1_000_000)
