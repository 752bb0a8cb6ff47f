"""The connections to Redis that adapters share: how they end."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
import uvloop
from redis.asyncio.connection import Connection, SSLConnection, UnixDomainSocketConnection
from redis.exceptions import ConnectionError as RedisConnectionError

from fastapi_easy.infrastructure.redis_connection import RedisConnection, RedisPool
from tests.services.wanted import empty_database


@pytest.mark.parametrize("run", [asyncio.run, uvloop.run], ids=["asyncio", "uvloop"])
def test_a_connection_that_was_reset_ends_with_the_error_of_the_client(
    run: Callable[..., BaseException | None],
) -> None:
    async def ask_after_a_reset(url: str) -> BaseException | None:
        connection = RedisConnection(url, connections=1, pool_timeout=1, timeout=1)
        _ = await connection.client.ping()
        pool = connection.client.connection_pool
        (pooled,) = pool._available_connections
        # Between two looks of the client at it, as in a reset of all connections.
        pooled.can_read_destructive = _nothing
        assert pooled._writer is not None
        pooled._writer.transport.abort()
        await asyncio.sleep(0.05)
        try:
            async with asyncio.timeout(5):
                await pooled.send_command("PING")
                _ = await pooled.read_response()
        except (RedisConnectionError, OSError, RuntimeError) as error:
            return error
        finally:
            await connection.close()
        return None

    with empty_database("redis") as url:
        error = run(ask_after_a_reset(url))

    assert isinstance(error, RedisConnectionError)


async def _nothing() -> bool:
    return False


@pytest.mark.parametrize(
    ("url", "kind"),
    [
        ("redis://localhost/0", Connection),
        ("rediss://localhost/0", SSLConnection),
        ("unix:///run/redis.sock", UnixDomainSocketConnection),
    ],
)
def test_every_kind_of_connection_tells_its_end(url: str, kind: type[object]) -> None:
    pool: Any = RedisPool.from_url(url)

    made = pool.make_connection()

    assert isinstance(made, kind)
    assert type(made) is not kind
