"""What PostgreSQL alone has: indexes that are built while others write, limits of time, details of errors."""

import asyncio

import pytest
import pytest_asyncio
from returns.result import Success

from fastapi_easy.domain.errors import LockHeld
from fastapi_easy.domain.migrations.run import StepState
from fastapi_easy.domain.migrations.step import Effect, Probe, StepMode
from fastapi_easy.domain.migrations.stopped import MigrationStop
from fastapi_easy.testing.conformance.migrations.schema_suite import error_of, run_of
from fastapi_easy.testing.conformance.store import value_of
from tests.faults.migrations.places import POSTGRES, place_of
from tests.faults.migrations.test_step_modes import filled, record, step

INDEX = step(
    "CREATE UNIQUE INDEX CONCURRENTLY books_shelf ON books (shelf)",
    mode=StepMode.AUTOCOMMIT,
    probe=Probe(kind="index", wanted={"table": "books", "index": "books_shelf"}),
    cleanup=("DROP INDEX CONCURRENTLY IF EXISTS books_shelf",),
    lock_timeout=0.3,
)


@pytest_asyncio.fixture(params=POSTGRES)
async def place(request, tmp_path):
    return await place_of(request.param, request, tmp_path)


async def test_an_index_is_built_while_replicas_wait_for_the_lock(place):
    await filled(place, 1)
    store, plan = place.store(), place.plan(INDEX)

    async def wait():
        async with place.store().session("replica", 30) as found:
            return isinstance(found, Success)

    async with store.session("ada", 0) as found:
        session = value_of(found)
        run = value_of(await session.begin(plan, run_of(plan)))
        waiting = [asyncio.create_task(wait()) for _ in range(3)]
        await asyncio.wait(waiting, timeout=0.5)
        answer = await session.execute(run, 0, INDEX)

    assert answer == Success(0)
    assert await asyncio.gather(*waiting) == [True] * 3
    assert value_of(await store.probe(INDEX)) is Effect.APPLIED


async def test_an_invalid_index_that_a_failed_attempt_has_left_is_built_anew(place):
    await filled(place, 2)
    await place.ask("UPDATE books SET shelf = 1")
    store, plan = place.store(), place.plan(INDEX)

    async with store.session("ada", 0) as found:
        session = value_of(found)
        run = value_of(await session.begin(plan, run_of(plan)))
        failed = error_of(await session.execute(run, 0, INDEX))
        left = value_of(await store.probe(INDEX))
        await place.ask("UPDATE books SET shelf = id")
        answer = await session.execute(run, 0, INDEX)

    assert (failed.stop, left) == (MigrationStop.FAILED, Effect.PARTIAL)
    # The server's details would show the value.
    assert failed.message == (
        'could not create unique index "books_shelf" in:'
        " CREATE UNIQUE INDEX CONCURRENTLY books_shelf ON books (shelf)"
    )
    assert answer == Success(0)
    assert value_of(await store.probe(INDEX)) is Effect.APPLIED


async def test_an_index_that_was_held_up_is_built_anew(place):
    await filled(place, 1)
    store, plan = place.store(), place.plan(INDEX)

    async with store.session("ada", 0) as found:
        session = value_of(found)
        run = value_of(await session.begin(plan, run_of(plan)))
        async with place.beside(committing=False) as other:
            await other.exec_driver_sql("UPDATE books SET shelf = 2")
            held = error_of(await session.execute(run, 0, INDEX))
        answer = await session.execute(run, 0, INDEX)

    assert isinstance(held, LockHeld)
    assert answer == Success(0)
    assert value_of(await store.probe(INDEX)) is Effect.APPLIED
    assert (await record(store)).attempts == 2


@pytest.mark.parametrize("mode", [StepMode.TRANSACTION, StepMode.AUTOCOMMIT])
async def test_a_statement_may_take_as_long_as_the_step_says(place, mode):
    slow = step("SELECT pg_sleep(5)", mode=mode, statement_timeout=0.2)
    store, plan = place.store(), place.plan(slow)

    async with store.session("ada", 0) as found:
        session = value_of(found)
        run = value_of(await session.begin(plan, run_of(plan)))
        failed = error_of(await session.execute(run, 0, slow))

    assert failed.stop is MigrationStop.FAILED
    assert failed.message == "canceling statement due to statement timeout in: SELECT pg_sleep(5)"
    assert (await record(store)).state is StepState.FAILED


async def test_a_deadlock_is_tried_again(place):
    """The server ends one of both, which has changed nothing then."""
    await filled(place, 2)
    crossing = step(
        "UPDATE books SET shelf = 1 WHERE id = 0",
        "SELECT pg_sleep(0.5)",
        "UPDATE books SET shelf = 1 WHERE id = 1",
        lock_timeout=30.0,
    )
    store, plan = place.store(), place.plan(crossing)

    async with store.session("ada", 0) as found:
        session = value_of(found)
        run = value_of(await session.begin(plan, run_of(plan)))
        async with place.beside(committing=False) as other:
            await other.exec_driver_sql("SET deadlock_timeout = '30s'")
            await other.exec_driver_sql("UPDATE books SET shelf = 9 WHERE id = 1")
            executing = asyncio.create_task(session.execute(run, 0, crossing))
            await asyncio.wait([executing], timeout=0.3)
            await other.exec_driver_sql("UPDATE books SET shelf = 9 WHERE id = 0")
            held = error_of(await executing)
        answer = await session.execute(run, 0, crossing)

    assert isinstance(held, LockHeld)
    assert answer == Success(2)
