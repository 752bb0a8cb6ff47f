"""Who gets a connection, when, and which one."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from returns.result import Failure, Success
from sqlalchemy import text
from sqlalchemy.exc import TimeoutError as PoolTimeout

from fastapi_easy.domain.errors import Unavailable
from fastapi_easy.infrastructure.persistence.sqlalchemy import ConnectionOptions, SqlAlchemyDatabase
from fastapi_easy.infrastructure.relational.driver.pool import ConnectionPool
from fastapi_easy.infrastructure.relational.driver.pooled_connection import PooledConnection


@asynccontextmanager
async def pool_of(url: str, **options: float) -> AsyncIterator[tuple[SqlAlchemyDatabase, ConnectionPool]]:
    database = SqlAlchemyDatabase("default", url, ConnectionOptions(**options))  # type: ignore[arg-type]
    assert await database.check() == Success(None)
    try:
        yield database, database.executor.pool
    finally:
        await database.close()


async def number_of(database: SqlAlchemyDatabase, pooled: PooledConnection) -> int:
    asked = "SELECT pg_backend_pid()" if database.technology == "PostgreSQL" else "SELECT CONNECTION_ID()"
    return int((await database.executor.run(pooled, text(asked), {})).rows[0][0])


async def test_serves_waiters_first_come_first_served(url):
    async with pool_of(url, pool_size=1) as (_, pool):
        served: list[int] = []
        first = await pool.check_out()

        async def borrow(number: int) -> None:
            pooled = await pool.check_out()
            served.append(number)
            pool.check_in(pooled)

        tasks = [asyncio.create_task(borrow(number)) for number in range(20)]
        await asyncio.sleep(0)
        assert pool.waiting == 20
        pool.check_in(first)
        # Nobody passes those who wait.
        late = asyncio.create_task(borrow(99))
        await asyncio.gather(*tasks, late)

        assert served == [*range(20), 99]
        assert (pool.in_use, pool.open, pool.waiting) == (0, 1, 0)


async def test_never_opens_more_connections_than_its_size(url):
    async with pool_of(url, pool_size=3, pool_timeout=10) as (database, pool):
        most = 0
        # Quick statements would be done before the third connection is open.
        all_open = asyncio.Barrier(3)

        async def borrow() -> None:
            nonlocal most
            pooled = await pool.check_out()
            _ = await all_open.wait()
            most = max(most, pool.open)
            _ = await database.executor.run(pooled, text("SELECT 1"), {})
            pool.check_in(pooled)

        await asyncio.gather(*(borrow() for _ in range(51)))
        assert most == 3
        assert (pool.in_use, pool.open) == (0, 3)


async def test_a_wait_times_out(url):
    async with pool_of(url, pool_size=1, pool_timeout=0.3) as (database, pool):
        pooled = await pool.check_out()
        with pytest.raises(PoolTimeout):
            _ = await pool.check_out()
        # Nor is it known of the database that it answers.
        assert await database.check() == Failure(Unavailable("default"))
        assert pool.waiting == 0

        pool.check_in(pooled)
        assert await database.check() == Success(None)


async def test_a_waiter_cancelled_while_served_passes_the_connection_on(url):
    async with pool_of(url, pool_size=1) as (_, pool):
        pooled = await pool.check_out()
        impatient = asyncio.create_task(pool.check_out())
        patient = asyncio.create_task(pool.check_out())
        await asyncio.sleep(0)

        pool.check_in(pooled)
        _ = impatient.cancel()

        assert await patient is pooled
        with pytest.raises(asyncio.CancelledError):
            _ = await impatient
        pool.check_in(pooled)
        assert (pool.in_use, pool.open, pool.waiting) == (0, 1, 0)


async def test_forgets_a_waiter_that_is_cancelled(url):
    async with pool_of(url, pool_size=1) as (_, pool):
        pooled = await pool.check_out()
        impatient = asyncio.create_task(pool.check_out())
        await asyncio.sleep(0)
        _ = impatient.cancel()
        _ = await asyncio.wait([impatient])
        assert pool.waiting == 0

        pool.check_in(pooled)
        assert await pool.check_out() is pooled
        pool.check_in(pooled)


async def test_a_connection_opened_for_a_cancelled_waiter_serves_the_next(url):
    async with pool_of(url, pool_size=2) as (_, pool):
        pooled = await pool.check_out()
        impatient = asyncio.create_task(pool.check_out())
        await asyncio.sleep(0)
        _ = impatient.cancel()
        _ = await asyncio.wait([impatient])

        other = await pool.check_out()
        assert other is not pooled
        for each in (pooled, other):
            pool.check_in(each)
        assert pool.open == 2


async def test_replaces_an_old_connection(url):
    async with pool_of(url, pool_size=1, recycle=1) as (_, pool):
        pooled = await pool.check_out()
        pool.check_in(pooled)
        pooled.connected_at -= 1

        other = await pool.check_out()
        assert other is not pooled
        pool.check_in(other)
        assert (pool.in_use, pool.open) == (0, 1)


async def test_does_not_lend_a_connection_that_the_server_has_closed(url):
    if url.startswith("sqlite"):
        pytest.skip("a file closes no connections")
    async with pool_of(url, pool_size=2) as (database, pool):
        assert pool.detects_disconnects
        killer, victim = await pool.check_out(), await pool.check_out()
        number = await number_of(database, victim)
        pool.check_in(victim)
        word = f"SELECT pg_terminate_backend({number})" if "postgres" in url else f"KILL {number}"
        _ = await database.executor.run(killer, text(word), {})
        # The news has to travel.
        await asyncio.sleep(0.2)

        other = await pool.check_out()
        assert await number_of(database, other) != number
        for each in (killer, other):
            pool.check_in(each)


async def test_closes_a_connection_given_back_after_the_end(url):
    async with pool_of(url, pool_size=2) as (database, pool):
        pooled = await pool.check_out()
        await database.close()
        pool.check_in(pooled)
        await database.close()

        assert pooled.connection.closed
        assert (pool.in_use, pool.open) == (0, 0)
