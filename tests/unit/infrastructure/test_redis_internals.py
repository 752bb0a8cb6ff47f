"""The connections of redis-py's pool, counted alike by the versions that say so and by those before."""

import pytest
from redis.asyncio import BlockingConnectionPool, Redis
from redis.asyncio.connection import ConnectionPool, ConnectionPoolInterface

from fastapi_easy.infrastructure.locks.redis_internals import connections_of


@pytest.mark.parametrize("says", [True, False], ids=["it says", "it does not"])
async def test_connections_are_counted(monkeypatch, redis_url, says: bool):
    if not says:
        for cls in (ConnectionPool, ConnectionPoolInterface):
            monkeypatch.delattr(cls, "get_connection_count", raising=False)
    pool = BlockingConnectionPool.from_url(redis_url, max_connections=2)
    client = Redis(connection_pool=pool)
    try:
        assert connections_of(pool) == (0, 0)
        _ = await client.ping()
        assert connections_of(pool) == (1, 0)
        taken = await pool.get_connection()
        assert connections_of(pool) == (0, 1)
        await pool.release(taken)
    finally:
        await client.aclose(close_connection_pool=True)
