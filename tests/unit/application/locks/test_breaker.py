"""A breaker around the store of the leases: whoever asks anew is refused, and no lease is lost by that."""

import asyncio

import pytest
import pytest_asyncio
from returns.result import Failure, Success

from fastapi_easy.application.locks.lock_manager import LockManager
from fastapi_easy.domain import LockUnavailable, Unavailable, UnavailableReason
from fastapi_easy.domain.ports import CircuitState
from fastapi_easy.infrastructure.clock import SystemClock
from fastapi_easy.infrastructure.resilience.circuit_breaker import BreakerLimits, CircuitBreaker
from fastapi_easy.testing.conformance.locks.lease_suite import eventually
from tests.unit.application.locks.wired import is_free, work

PAUSE = 5.0


@pytest.fixture
def moment():
    """The breaker's time, which stands still until a test moves it."""
    return [100.0]


@pytest.fixture
def breaker(moment):
    return CircuitBreaker(BreakerLimits(calls=3, pause=PAUSE), now=lambda: moment[0])


@pytest_asyncio.fixture
async def locks(store, breaker):
    manager = LockManager(store, SystemClock(), breaker=lambda: breaker)
    yield manager
    store.is_cut, store.reason = False, UnavailableReason.NO_RESPONSE
    await manager.aclose()


async def is_refused(locks, name="x"):
    with pytest.raises(LockUnavailable) as refused:
        await work(locks, name, seconds=0, wait=0)
    return refused.value


async def open_up(locks, store, breaker):
    store.is_cut = True
    while breaker.circuit.state is CircuitState.CLOSED:
        await is_refused(locks, "asked for while nobody answers")


async def test_a_store_that_was_silent_is_not_asked_for_new_locks(locks, store, breaker):
    await open_up(locks, store, breaker)
    store.is_cut = False

    store.asked.clear()
    refused = await is_refused(locks)

    assert "try_acquire" not in store.asked
    assert refused.error == Unavailable("locks in memory", pytest.approx(PAUSE + 1.5, abs=1.6))
    assert refused.error.reason is UnavailableReason.CIRCUIT_OPEN
    await asyncio.sleep(0.05)
    # Nor is anything given back that was never asked for.
    assert "x" not in store.names


async def test_after_the_pause_one_probe_is_let_through(locks, store, breaker, moment):
    await open_up(locks, store, breaker)
    store.is_cut = False
    moment[0] += PAUSE

    assert await work(locks, "x", seconds=0) == "done"
    assert breaker.circuit.state is CircuitState.CLOSED


async def test_leases_that_are_held_are_renewed_whatever_the_breaker_says(locks, store, breaker, others):
    async with locks.hold("x", ttl=2.0) as lease:
        breaker.isolate()
        await eventually(lambda: store.asked.count("renew") >= 4)
        lease.check()
        assert await lease.renew() == Success(None)
        assert not await is_free(others, "x")
        await is_refused(locks, "y")

    assert await is_free(others, "x")
    assert breaker.circuit.state is CircuitState.ISOLATED


async def test_an_outage_shorter_than_a_lease_costs_no_lease(locks, store, breaker):
    async with locks.hold("x", ttl=3.0) as lease:
        token = lease.token
        await open_up(locks, store, breaker)
        await eventually(lambda: "renew" in store.asked)
        store.is_cut = False
        unheard = store.asked.count("renew")
        await eventually(lambda: store.asked.count("renew") > unheard)
        lease.check()
        assert lease.token == token
        # For others the pause goes on: their time stands still in this test.
        await is_refused(locks, "y")


async def test_a_renewal_notices_that_the_store_is_back(locks, store, breaker, moment):
    async with locks.hold("x", ttl=2.0) as lease:
        await open_up(locks, store, breaker)
        store.is_cut = False
        moment[0] += PAUSE
        await eventually(lambda: breaker.circuit.state is CircuitState.CLOSED)
        lease.check()

        assert await work(locks, "y", seconds=0) == "done"


async def test_an_answer_is_an_answer_whatever_it_says(locks, store, breaker, others):
    async with others.hold("x"):
        for _ in range(5):
            with pytest.raises(Exception, match="could not be acquired"):
                await work(locks, "x", wait=0)
    store.is_cut, store.reason = True, UnavailableReason.TIMEOUT
    for _ in range(5):
        await is_refused(locks)

    assert breaker.circuit.state is CircuitState.CLOSED
    assert await locks.inspect("x") == Success([])


async def test_calls_rejected_on_this_side_are_not_reported_to_the_breaker(locks, store, breaker, moment):
    store.is_cut, store.reason = True, UnavailableReason.OVERLOAD
    for _ in range(5):
        await is_refused(locks)
    assert breaker.circuit.state is CircuitState.CLOSED
    store.reason = UnavailableReason.NO_RESPONSE
    await open_up(locks, store, breaker)
    moment[0] += PAUSE

    store.reason = UnavailableReason.OVERLOAD
    await is_refused(locks)

    assert breaker.circuit.state is CircuitState.HALF_OPEN


async def test_inspection_is_refused_by_an_open_breaker_too(locks, breaker):
    breaker.isolate()

    refused = await locks.inspect()

    assert isinstance(refused, Failure)
    assert refused.failure().dependency == "locks in memory"
