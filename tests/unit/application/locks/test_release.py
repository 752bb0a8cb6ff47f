"""Callers who are cancelled, stores that fall silent, and locks that nobody ends: nothing is left behind."""

import asyncio
import gc
import re
import time
import warnings

import pytest

from fastapi_easy.application.locks import lock_manager
from fastapi_easy.testing.conformance.locks.lease_suite import eventually
from tests.unit.application.locks.wired import TTL, is_free, work


async def test_a_cancellation_by_somebody_else_stays_one(locks, others):
    task = asyncio.ensure_future(work(locks, "x"))
    await asyncio.sleep(0.05)
    task.cancel("by the user")

    with pytest.raises(asyncio.CancelledError):
        await task

    assert await is_free(others, "x")


async def test_another_cancellation_takes_precedence_over_the_loss(locks, others):
    cancelling = []

    async def hold_on():
        body = asyncio.current_task()
        async with locks.hold("x", ttl=TTL) as lease:

            async def cancel_in_the_same_moment():
                await lease.lost.wait()
                body.cancel()
                cancelling.append(body.cancelling())

            other = asyncio.create_task(cancel_in_the_same_moment())
            await asyncio.sleep(0)
            await others.evict("x", token=lease.token, reason="test")
            await asyncio.sleep(5)
        await other

    with pytest.raises(asyncio.CancelledError):
        await asyncio.create_task(hold_on())

    assert cancelling == [2]


async def test_a_cancelled_acquisition_is_undone(locks, store, others):
    for delay in (0.0, 0.02, 0.05):
        store.delay = 0.05
        task = asyncio.ensure_future(work(locks, "x"))
        await asyncio.sleep(delay)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

        async with others.hold("x", wait=1):
            pass


async def test_a_release_goes_on_when_its_task_is_cancelled(locks, store, others):
    task = asyncio.ensure_future(work(locks, "x", seconds=0))
    await asyncio.sleep(0.02)
    store.delay = 0.1
    await asyncio.sleep(0.02)
    task.cancel()
    _ = await asyncio.gather(task, return_exceptions=True)

    async with others.hold("x", wait=1):
        pass


async def test_a_release_that_the_store_does_not_confirm_is_logged(locks, store, caplog):
    async def fail():
        async with locks.hold("x"):
            store.is_cut = True
            _ = 1 / 0

    with pytest.raises(ZeroDivisionError):
        await fail()

    await eventually(lambda: "could not be released" in caplog.text)


async def test_a_leaked_lock_is_released_and_its_call_site_is_reported(locks, others):
    scope = locks.hold("x")
    await scope.__aenter__()
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        del scope
        gc.collect()

    # Whatever else was collected has warnings of its own.
    own = [each for each in told if "acquired at" in str(each.message)]
    assert [each.category for each in own] == [ResourceWarning]
    assert re.search(r"acquired at .*test_release\.py:\d+", str(own[0].message))
    async with others.hold("x", wait=1):
        pass


async def test_a_store_that_does_not_answer_does_not_block_shutdown(locks, store, monkeypatch):
    monkeypatch.setattr(lock_manager, "_CLOSE_TIMEOUT", 0.2)
    before = len(asyncio.all_tasks())
    scope = locks.hold("x", on_lost="event")
    await scope.__aenter__()
    store.delay = 60
    begun = time.monotonic()

    await locks.aclose()

    assert time.monotonic() - begun < 30
    assert len(asyncio.all_tasks()) == before
    await scope.__aexit__(None, None, None)


async def test_nothing_is_left_running(locks):
    before = len(asyncio.all_tasks())
    for number in range(20):
        async with locks.hold(f"x{number}"):
            pass
    await asyncio.sleep(0)

    assert len(asyncio.all_tasks()) == before
    assert locks.held == 0
