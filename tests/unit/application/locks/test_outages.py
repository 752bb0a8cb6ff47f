"""Callers who are willing to wait, while the store of the locks does not answer for a moment."""

import asyncio
import logging
import time

import pytest
import pytest_asyncio

from fastapi_easy.application.locks import lock_request, releases
from fastapi_easy.application.locks.lock_manager import LockManager
from fastapi_easy.domain import LockUnavailable, Unavailable, UnavailableReason
from fastapi_easy.domain.open_transaction import register_transaction
from fastapi_easy.domain.ports import CircuitState
from fastapi_easy.infrastructure.clock import SystemClock
from fastapi_easy.infrastructure.resilience.circuit_breaker import BreakerLimits, CircuitBreaker
from fastapi_easy.testing.conformance.locks.lease_suite import eventually
from tests.unit.application.locks.wired import WORK, is_free, work

SILENT = [UnavailableReason.NO_RESPONSE, UnavailableReason.TIMEOUT, UnavailableReason.READ_ONLY]


@pytest.fixture(autouse=True)
def _patience(monkeypatch):
    monkeypatch.setattr(releases, "_DELAYS", (0.01, 0.01))
    monkeypatch.setattr(releases, "_LATE_DELAYS", (0.05,))
    monkeypatch.setattr(lock_request, "_RETRY_WINDOW", 0.1)
    monkeypatch.setattr(lock_request, "_MIN_OUTAGE_BACKOFF", 0.01)
    monkeypatch.setattr(lock_request, "_MAX_OUTAGE_BACKOFF", 0.05)


@pytest.fixture
def moment():
    """The breaker's time, which stands still until a test moves it."""
    return [100.0]


@pytest.fixture
def breaker(moment):
    return CircuitBreaker(BreakerLimits(calls=3, pause=5.0), now=lambda: moment[0])


@pytest_asyncio.fixture
async def guarded(store, breaker):
    manager = LockManager(store, SystemClock(), breaker=lambda: breaker)
    yield manager
    store.is_cut = False
    await manager.aclose()


@pytest.mark.parametrize("reason", SILENT, ids=lambda each: each.name)
async def test_an_outage_that_is_shorter_than_the_wait_is_part_of_the_wait(locks, store, reason):
    store.is_cut, store.reason = True, reason
    waiting = asyncio.ensure_future(work(locks, "x", seconds=0, wait=WORK))
    await eventually(lambda: len(store.asked) >= 3)
    store.is_cut = False

    assert await waiting == "done"


async def test_an_outage_while_others_hold_the_lock_is_part_of_the_wait(locks, store, others):
    async with others.hold("x"):
        waiting = asyncio.ensure_future(work(locks, "x", seconds=0, wait=WORK))
        await eventually(lambda: len(store.asked) >= 2)
        store.is_cut = True
        unheard = len(store.asked)
        await eventually(lambda: len(store.asked) >= unheard + 3)
        store.is_cut = False
        assert not waiting.done()

    assert await waiting == "done"


async def test_the_refusals_of_the_breaker_are_part_of_the_wait(guarded, store, breaker, moment):
    store.is_cut = True
    waiting = asyncio.ensure_future(work(guarded, "x", seconds=0, wait=WORK))
    await eventually(lambda: breaker.circuit.refused > 0)
    store.is_cut = False
    moment[0] += 5.0

    assert await waiting == "done"
    assert breaker.circuit.state is CircuitState.CLOSED


async def test_nobody_waits_for_an_operator(guarded, breaker):
    breaker.isolate()
    begun = time.monotonic()

    with pytest.raises(LockUnavailable):
        await work(guarded, "x", wait=WORK)

    assert time.monotonic() - begun < WORK


async def test_the_wait_ends_with_the_cause_when_the_outage_is_longer(locks, store):
    store.is_cut = True
    begun = time.monotonic()

    with pytest.raises(LockUnavailable) as refused:
        await work(locks, "x", wait=0.3)

    assert refused.value.error == Unavailable("locks in memory")
    assert time.monotonic() - begun >= 0.3
    assert len(store.asked) >= 3


async def test_who_does_not_wait_is_refused_at_once(locks, store):
    store.is_cut = True

    with pytest.raises(LockUnavailable):
        await work(locks, "x", wait=0)

    assert store.asked.count("try_acquire") == 1


async def test_an_open_transaction_does_not_wait_for_the_end_of_an_outage(locks, store):
    store.is_cut = True
    begun = time.monotonic()

    async def work_inside():
        register_transaction(lambda: True)
        await work(locks, "x", wait=WORK)

    with pytest.raises(LockUnavailable):
        await asyncio.create_task(work_inside())

    assert time.monotonic() - begun < WORK


async def test_who_is_cancelled_during_an_outage_leaves_nothing_behind(locks, store, others):
    waiting = asyncio.ensure_future(work(locks, "x", wait=WORK))
    await eventually(lambda: "try_acquire" in store.asked)
    store.is_cut = True
    waiting.cancel("by the user")
    with pytest.raises(asyncio.CancelledError):
        await waiting
    unheard = store.asked.count("release")
    await eventually(lambda: store.asked.count("release") >= unheard + 4)
    store.is_cut = False

    await eventually(lambda: is_free(others, "x"))


async def test_a_release_that_an_outage_prevents_is_made_up_for(locks, store, others):
    async with locks.hold("x"):
        store.is_cut = True
    waiting = asyncio.ensure_future(work(others, "x", seconds=0, wait=WORK))
    # More often than at first: the later attempts have begun.
    await eventually(lambda: store.asked.count("release") >= 4)
    store.is_cut = False

    assert await waiting == "done"


async def test_nobody_is_warned_of_a_lock_that_was_never_had(locks, store, caplog):
    store.is_cut = True
    with caplog.at_level(logging.INFO, "fastapi_easy.locks"):
        with pytest.raises(LockUnavailable):
            await work(locks, "x", wait=0)
        await eventually(lambda: "could not be withdrawn" in caplog.text)

    assert [each.levelname for each in caplog.records if each.levelno >= logging.WARNING] == []
