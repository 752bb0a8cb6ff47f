"""What is lent for long is told of, with who has it; what nobody can give back any more is closed."""

import asyncio
import gc
import logging
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from typing import Any

import pytest
from returns.result import Success
from sqlalchemy import literal, select, text

from fastapi_easy.infrastructure.persistence.sqlalchemy import ConnectionOptions, SqlAlchemyDatabase
from fastapi_easy.infrastructure.relational.driver import leaks
from fastapi_easy.infrastructure.relational.driver.leaks import LONG_CHECKOUT
from fastapi_easy.infrastructure.relational.transaction import Transaction


@asynccontextmanager
async def database_at(url: str, **options: Any) -> AsyncIterator[SqlAlchemyDatabase]:
    database = SqlAlchemyDatabase("main", url, ConnectionOptions(**options))
    assert await database.check() == Success(None)
    try:
        yield database
    finally:
        await database.close()


@pytest.fixture
def told(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    caplog.set_level(logging.WARNING, "fastapi_easy.connections")
    return caplog


def age(database: SqlAlchemyDatabase, seconds: float = LONG_CHECKOUT) -> None:
    """Make as if everything had been lent so much earlier."""
    for pooled in database.executor.pool._lent:
        pooled.lent_at -= seconds


class Holder:
    """Somebody who has a transaction open."""

    def __init__(self, transaction: Transaction) -> None:
        self.transaction = transaction
        self.begun = asyncio.Event()

    async def transfer(self) -> None:
        transaction = self.transaction
        _ = await transaction.execute(text("SELECT 1"), {})
        self.begun.set()
        await asyncio.sleep(60)
        await transaction.close()


async def test_logs_a_long_checkout_with_its_holder_once(url, told):
    async with database_at(url) as database:
        holder = Holder(database.begin())
        task = asyncio.create_task(holder.transfer(), name="the morning batch")
        await holder.begun.wait()
        young = database.pool.leaked, list(told.records)
        age(database)

        for _ in range(3):
            assert database.pool.leaked == 0

        assert young == (0, [])
        (record,) = told.records
        assert record.levelname == "WARNING"
        assert "a connection of main has been checked out for 10 s: the morning batch, in " in record.message
        assert "Holder.transfer, line " in record.message
        assert database.pool.in_use == 1
        _ = task.cancel()
        _ = await asyncio.wait([task])
        await holder.transaction.close()


async def test_logs_the_next_long_checkout_of_the_same_connection(url, told):
    async with database_at(url, pool_size=1) as database:
        for _ in range(2):
            pooled = await database.executor.pool.check_out()
            age(database)
            _ = database.pool
            database.executor.pool.check_in(pooled)

        assert len(told.records) == 2


async def test_closes_and_counts_an_abandoned_connection(url, told):
    async with database_at(url, pool_size=1, pool_timeout=5) as database:
        transaction = database.begin()
        _ = await transaction.execute(text("SELECT 1"), {})
        assert database.pool.in_use == 1
        del transaction
        _ = gc.collect()

        pool = database.pool

        assert (pool.in_use, pool.leaked) == (0, 1)
        assert [(each.levelname, each.message) for each in told.records] == [
            ("ERROR", "a connection of main was checked out and never returned; it is closed")
        ]
        assert await database.check() == Success(None)


async def test_a_waiting_caller_gets_an_abandoned_connection_back(url):
    async with database_at(url, pool_size=2, pool_timeout=5) as database:
        for _ in range(2):
            _ = await database.executor.pool.check_out()
        _ = gc.collect()

        async with asyncio.timeout(30), database.executor.lend_connection():
            assert database.pool.leaked == 2


async def test_a_writer_gets_the_turn_of_an_abandoned_transaction(url):
    async with database_at(url, pool_size=2, pool_timeout=5, busy_timeout=60) as database:
        abandoned = database.begin()
        _ = await abandoned.execute(text("SELECT 1"), {})
        del abandoned
        _ = gc.collect()

        transaction = database.begin()
        async with asyncio.timeout(30):
            _ = await transaction.execute(text("SELECT 1"), {})

        assert database.pool.leaked == 1
        await transaction.close()


async def test_leaves_a_held_connection_alone(url, told):
    async with database_at(url, pool_size=5) as database:
        executor = database.executor
        transaction = database.begin()
        _ = await transaction.execute(text("SELECT 1"), {})
        kept = {"in a dictionary": await executor.pool.check_out()}

        async def reading() -> AsyncIterator[int]:
            async with executor.lend_connection():
                yield 1
                yield 2

        async with aclosing(reading()) as numbers, executor.lend_connection():
            assert await anext(numbers) == 1
            # In a task of its own, which has ended by now.
            pooled = await asyncio.wait_for(executor.pool.check_out(), 5)
            for _ in range(20):
                assert database.pool.leaked == 0
                await asyncio.sleep(0)
            assert database.pool.in_use == 5
            executor.pool.check_in(pooled)
        executor.pool.check_in(kept.pop("in a dictionary"))
        await transaction.close()
        assert (database.pool.in_use, told.records) == (0, [])


def test_tells_an_abandoned_object_from_a_referenced_one():
    forgotten = {object() for _ in range(3)}
    known = object()

    assert len(leaks.find_abandoned({*forgotten})) == 0
    assert set(map(id, leaks.find_abandoned({object(), known}))).isdisjoint({id(known)})
    assert len(leaks.find_abandoned({object(), known})) == 1


async def test_a_statement_on_a_connection_that_was_closed_meanwhile_is_an_outage(url):
    async with database_at(url, pool_size=2) as database:
        executor = database.executor
        pooled = await executor.pool.check_out()
        await executor.pool.close()

        with pytest.raises(OSError, match="closed while it was in use"):
            _ = await executor.run(pooled, select(literal(1)), {})
        executor.pool.discard(pooled)
