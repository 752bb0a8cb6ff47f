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
from fastapi_easy.infrastructure.relational.driver.pool import Channel, ConnectionPool


@asynccontextmanager
async def pool_of(url: str, **options: float) -> AsyncIterator[tuple[SqlAlchemyDatabase, ConnectionPool]]:
    database = SqlAlchemyDatabase("default", url, ConnectionOptions(**options))  # type: ignore[arg-type]
    assert await database.check() == Success(None)
    try:
        yield database, database.executor.pool
    finally:
        await database.close()


async def number_of(database: SqlAlchemyDatabase, channel: Channel) -> int:
    asked = "SELECT pg_backend_pid()" if database.technology == "PostgreSQL" else "SELECT CONNECTION_ID()"
    return int((await database.executor.run(channel, text(asked), {})).rows[0][0])


async def test_whoever_waits_longest_is_served_first(url):
    async with pool_of(url, pool_size=1) as (_, pool):
        served: list[int] = []
        first = await pool.take()

        async def borrow(number: int) -> None:
            channel = await pool.take()
            served.append(number)
            pool.give_back(channel)

        tasks = [asyncio.create_task(borrow(number)) for number in range(20)]
        await asyncio.sleep(0)
        assert pool.waiting == 20
        pool.give_back(first)
        # Nobody passes those who wait.
        late = asyncio.create_task(borrow(99))
        await asyncio.gather(*tasks, late)

        assert served == [*range(20), 99]
        assert (pool.in_use, pool.open, pool.waiting) == (0, 1, 0)


async def test_there_are_never_more_than_its_size(url):
    async with pool_of(url, pool_size=3, pool_timeout=10) as (database, pool):
        most = 0

        async def borrow() -> None:
            nonlocal most
            channel = await pool.take()
            most = max(most, pool.open)
            _ = await database.executor.run(channel, text("SELECT 1"), {})
            pool.give_back(channel)

        await asyncio.gather(*(borrow() for _ in range(50)))
        assert most == 3
        assert (pool.in_use, pool.open) == (0, 3)


async def test_a_wait_has_an_end(url):
    async with pool_of(url, pool_size=1, pool_timeout=0.05) as (database, pool):
        channel = await pool.take()
        with pytest.raises(PoolTimeout):
            _ = await pool.take()
        # Nor is it known of the database that it answers.
        assert await database.check() == Failure(Unavailable("default"))
        assert pool.waiting == 0

        pool.give_back(channel)
        assert await database.check() == Success(None)


async def test_who_gives_up_while_being_served_passes_it_on(url):
    async with pool_of(url, pool_size=1) as (_, pool):
        channel = await pool.take()
        impatient = asyncio.create_task(pool.take())
        patient = asyncio.create_task(pool.take())
        await asyncio.sleep(0)

        pool.give_back(channel)
        _ = impatient.cancel()

        assert await patient is channel
        with pytest.raises(asyncio.CancelledError):
            _ = await impatient
        pool.give_back(channel)
        assert (pool.in_use, pool.open, pool.waiting) == (0, 1, 0)


async def test_who_gives_up_while_waiting_is_forgotten(url):
    async with pool_of(url, pool_size=1) as (_, pool):
        channel = await pool.take()
        impatient = asyncio.create_task(pool.take())
        await asyncio.sleep(0)
        _ = impatient.cancel()
        _ = await asyncio.wait([impatient])
        assert pool.waiting == 0

        pool.give_back(channel)
        assert await pool.take() is channel
        pool.give_back(channel)


async def test_what_was_begun_for_one_who_gave_up_serves_the_next(url):
    async with pool_of(url, pool_size=2) as (_, pool):
        channel = await pool.take()
        impatient = asyncio.create_task(pool.take())
        await asyncio.sleep(0)
        _ = impatient.cancel()
        _ = await asyncio.wait([impatient])

        other = await pool.take()
        assert other is not channel
        for each in (channel, other):
            pool.give_back(each)
        assert pool.open == 2


async def test_an_old_one_is_replaced(url):
    async with pool_of(url, pool_size=1, recycle=1) as (_, pool):
        channel = await pool.take()
        pool.give_back(channel)
        channel.made -= 1

        other = await pool.take()
        assert other is not channel
        pool.give_back(other)
        assert (pool.in_use, pool.open) == (0, 1)


async def test_one_that_the_server_has_closed_is_not_lent(url):
    if url.startswith("sqlite"):
        pytest.skip("a file closes no connections")
    async with pool_of(url, pool_size=2) as (database, pool):
        assert pool.sees_loss
        killer, victim = await pool.take(), await pool.take()
        number = await number_of(database, victim)
        pool.give_back(victim)
        word = f"SELECT pg_terminate_backend({number})" if "postgres" in url else f"KILL {number}"
        _ = await database.executor.run(killer, text(word), {})
        # The news has to travel.
        await asyncio.sleep(0.2)

        other = await pool.take()
        assert await number_of(database, other) != number
        for each in (killer, other):
            pool.give_back(each)


async def test_what_comes_back_after_the_end_is_closed(url):
    async with pool_of(url, pool_size=2) as (database, pool):
        channel = await pool.take()
        await database.close()
        pool.give_back(channel)
        await database.close()

        assert channel.connection.closed
        assert (pool.in_use, pool.open) == (0, 0)
