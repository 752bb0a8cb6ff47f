"""A lease that is lost, or may be, and what becomes of the work."""

import asyncio
import contextlib
import time

import pytest
from returns.result import Failure, Success

from fastapi_easy.application.locks.lock_manager import LockManager
from fastapi_easy.domain import (
    Eviction,
    LeaseLost,
    LockLost,
)
from fastapi_easy.infrastructure.clock import SystemClock
from fastapi_easy.infrastructure.locks.memory import MemoryLeaseStore
from fastapi_easy.testing import FrozenClock
from fastapi_easy.testing.conformance.locks.lease_suite import eventually
from tests.unit.application.locks.wired import TTL, WORK, work


async def test_a_store_that_stops_answering_cancels_the_block_when_the_lease_expires(locks, store):
    begun = time.monotonic()
    task = asyncio.ensure_future(work(locks, "x", ttl=TTL))
    await asyncio.sleep(0.05)
    store.is_cut = True

    with pytest.raises(LeaseLost, match="did not respond"):
        await task

    # Left alone, the work would have taken longer.
    assert TTL * 0.8 < time.monotonic() - begun < WORK
    assert store.asked.count("renew") >= 2


async def test_a_store_that_is_back_in_time_renews_the_same_lease(locks, store):
    async with locks.hold("x", ttl=3) as lease:
        token = lease.token
        store.is_cut = True
        await eventually(lambda: "renew" in store.asked)
        store.is_cut = False
        unheard = store.asked.count("renew")
        await eventually(lambda: store.asked.count("renew") > unheard)
        lease.check()
        assert lease.token == token


async def test_a_suspended_program_is_stopped_before_it_does_harm(locks):
    async def stand_still():
        async with locks.hold("x", ttl=0.3) as lease:
            time.sleep(0.5)  # noqa: ASYNC251 - that is the point
            lease.check()
            pytest.fail("went on")

    with pytest.raises(LeaseLost, match="the process was suspended"):
        await stand_still()


async def test_a_suspended_program_is_cancelled_soon_after(locks):
    async def stand_still():
        async with locks.hold("x", ttl=0.3):
            time.sleep(0.8)  # noqa: ASYNC251 - that is the point
            begun = time.monotonic()
            try:
                await asyncio.sleep(WORK)
            finally:
                assert time.monotonic() - begun < WORK / 2

    with pytest.raises(LeaseLost, match="the process was suspended"):
        await stand_still()


async def test_a_block_that_swallows_the_cancellation_raises_at_its_end(locks, others):
    async def swallow():
        async with locks.hold("x", ttl=TTL) as lease:
            await others.evict("x", token=lease.token, reason="test")
            with contextlib.suppress(asyncio.CancelledError):
                await asyncio.sleep(5)

    with pytest.raises(LeaseLost):
        await swallow()

    await asyncio.sleep(0)
    assert asyncio.current_task().cancelling() == 0


async def test_what_a_block_raises_is_not_replaced_by_the_loss(locks, others):
    async def fail():
        async with locks.hold("x", ttl=TTL) as lease:
            await others.evict("x", token=lease.token, reason="test")
            try:
                await asyncio.sleep(5)
            except asyncio.CancelledError:
                _ = 1 / 0

    with pytest.raises(ZeroDivisionError):
        await fail()

    assert asyncio.current_task().cancelling() == 0


async def test_on_lost_event_does_not_cancel(locks, others):
    async with locks.hold("x", ttl=TTL, on_lost="event") as lease:
        await others.evict("x", token=lease.token, reason="test")
        async with asyncio.timeout(30):
            await lease.lost.wait()
        assert lease.remaining == 0
        assert await lease.renew() == Failure(LockLost("x"))
        with pytest.raises(LeaseLost):
            lease.check()


async def test_a_block_longer_than_max_hold_loses_its_lease(locks, others):
    begun = time.monotonic()
    with pytest.raises(LeaseLost, match="max_hold"):
        await work(locks, "x", ttl=0.4, max_hold=0.5)

    assert 0.5 < time.monotonic() - begun < WORK


async def test_a_lease_counts_from_its_request_not_from_a_slow_answer(locks, store):
    store.delay = 0.3
    async with locks.hold("x", ttl=1.0) as lease:
        assert lease.remaining <= 0.9 - 0.3


async def test_time_is_that_of_the_clock_it_is_given():
    clock = FrozenClock()
    locks = LockManager(MemoryLeaseStore(clock), clock)
    async with locks.hold("x", ttl=30, on_lost="event") as lease:
        assert lease.remaining == pytest.approx(27)
        clock.advance(20)
        assert lease.remaining == pytest.approx(7)
        clock.advance(7)
        with pytest.raises(LeaseLost):
            lease.check()
    await locks.aclose()


async def test_every_eviction_is_reported(store):
    told = []

    async def hook(eviction):
        told.append(eviction)

    locks = LockManager(store, SystemClock(), on_eviction=hook)
    async with locks.hold("x", on_lost="event") as lease:
        assert await locks.evict("x", token=lease.token + 1, reason="wrong") == Success(False)
        assert await locks.evict("x", token=lease.token, reason="stuck") == Success(True)
        assert told == [Eviction(name="x", token=lease.token, reason="stuck")]
    await locks.aclose()
