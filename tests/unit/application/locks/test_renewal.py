"""Many leases are renewed together, earlier when they are late, and none beyond its limit."""

import asyncio
import contextlib

import pytest

from fastapi_easy.application.locks.call_turns import CONCURRENT_CALLS, CallTurns
from fastapi_easy.application.locks.lease_state import SAFETY_MARGIN, LeaseState
from fastapi_easy.application.locks.lock_manager import LockManager
from fastapi_easy.application.locks.renewal import split_into_batches
from fastapi_easy.domain import LeaseLost
from fastapi_easy.domain.locks.renewal import MAX_RENEWALS
from fastapi_easy.infrastructure.clock import SystemClock
from fastapi_easy.infrastructure.locks.memory import MemoryLeaseStore
from fastapi_easy.testing import FrozenClock
from fastapi_easy.testing.conformance.locks.lease_suite import eventually
from tests.unit.application.locks.wired import work

MANY = 120


@contextlib.asynccontextmanager
async def held(locks, *names, **terms):
    """The leases of *names*, each of its own, which tell of a loss."""
    async with contextlib.AsyncExitStack() as stack:
        yield [await stack.enter_async_context(locks.hold(name, on_lost="event", **terms)) for name in names]


async def test_leases_that_are_due_soon_are_renewed_with_the_first_that_is_due(locks, store):
    async with held(locks, *map(str, range(MANY)), ttl=1.5) as leases:
        await eventually(lambda: [len(each) for each in store.renewals[-2:]] == [MANY, MANY])

        assert store.asked.count("renew") < MANY / 4
        for each in leases:
            each.check()
    assert locks.renewals.renewed >= 2 * MANY
    assert locks.renewals.lost == 0


async def test_one_that_is_lost_costs_none_of_the_others(locks, others):
    async with held(locks, "a", "b", "c", ttl=0.9) as (first, second, third):
        await others.evict("b", token=second.token, reason="test")
        async with asyncio.timeout(30):
            await second.lost.wait()

        assert not first.lost.is_set()
        assert not third.lost.is_set()
        await eventually(lambda: locks.renewals.lost == 1)
        assert locks.renewals.held == 3
    assert (locks.renewals.held, locks.renewals.lost) == (0, 1)


async def test_names_of_one_lease_are_renewed_together_and_lost_together(locks, others, store):
    async with locks.hold("a", "b", "c", ttl=0.6, on_lost="event") as lease:
        await eventually(lambda: len(store.renewals) > 0)
        await others.evict("b", token=lease.tokens["b"], reason="test")
        async with asyncio.timeout(30):
            await lease.lost.wait()

    assert {tuple(renewal.name for renewal in each) for each in store.renewals} == {("a", "b", "c")}


async def test_renewals_are_asked_for_earlier_when_answers_are_late(locks, store):
    period = 0.6
    async with held(locks, "x", ttl=3 * period) as (lease,):
        store.delay = 0.4 * period
        await eventually(lambda: locks.renewals.lateness >= 0.4 * period)
        await eventually(
            lambda: any(
                later - earlier < 0.8 * period
                for earlier, later in zip(store.renewed_at, store.renewed_at[1:], strict=False)
            )
        )
        store.delay = 0.0
        lease.check()
    assert locks.renewals.late_seconds >= 0.4 * period


async def test_callers_who_ask_for_a_lease_do_not_keep_others_from_being_renewed(locks, store):
    async with held(locks, "x", ttl=1.2) as (lease,):
        store.delay = 0.03
        asking = [asyncio.ensure_future(work(locks, f"{each}", seconds=0)) for each in range(40)]
        await asyncio.gather(*asking)
        store.delay = 0.0

        last = len(store.asked) - store.asked[::-1].index("try_acquire")
        assert "renew" in store.asked[:last]
        assert store.most_at_once["try_acquire"] == CONCURRENT_CALLS
        lease.check()


async def test_a_turn_that_does_not_come_in_time_is_not_taken():
    turns = CallTurns()
    taken = [await turns.take(1.0) for _ in range(CONCURRENT_CALLS)]
    late = await turns.take(0.01)
    waiting = asyncio.ensure_future(turns.take(None))
    await asyncio.sleep(0.01)
    turns.end()

    assert (taken, late, await waiting) == ([True] * CONCURRENT_CALLS, False, True)


async def test_no_batch_is_larger_than_a_store_takes_unless_one_lease_is():
    clock = FrozenClock()
    store = MemoryLeaseStore(clock)

    def lease(names):
        state = LeaseState(store, clock, "owner", 30, "", tuple(map(str, range(names))))
        for name in state.names:
            state.mark_acquired(name, 1, 0.0)
        return state

    sizes = [1] * (MAX_RENEWALS - 1) + [2, MAX_RENEWALS + 1, 1]
    leases = [lease(each) for each in sizes]
    batches = list(split_into_batches(leases))

    assert [each for batch in batches for each in batch] == leases
    assert [sum(len(each.names) for each in batch) for batch in batches] == [
        MAX_RENEWALS - 1,
        2,
        MAX_RENEWALS + 1,
        1,
    ]


async def test_a_lease_is_released_at_its_limit_though_its_block_goes_on(locks, others):
    async with locks.hold("x", ttl=60, max_hold=0.3, on_lost="event") as lease:
        async with others.hold("x", wait=30) as next_one:
            assert lease.lost.is_set()
            assert next_one.token > lease.token
            with pytest.raises(LeaseLost, match=r"longer than max_hold, which is 0\.3 s"):
                lease.check()
            # It is not renewed, and its end takes nothing from others.
            await asyncio.sleep(0.1)
        assert next_one.remaining == 0


async def test_no_renewal_reaches_beyond_the_limit(locks, store):
    limit = 0.8
    clock = SystemClock()
    async with held(locks, "x", ttl=0.6, max_hold=limit) as (lease,):
        ends = clock.monotonic() + limit
        async with asyncio.timeout(30):
            await lease.lost.wait()
        assert clock.monotonic() >= ends - 0.2

    asked = [
        at + renewal.ttl * (1 - SAFETY_MARGIN)
        for at, (renewal,) in zip(store.renewed_at, store.renewals, strict=True)
    ]
    assert asked
    # The request is made a moment before it is recorded.
    assert max(asked) <= ends + 0.1


async def test_a_check_at_the_limit_names_the_limit():
    clock = FrozenClock()
    locks = LockManager(MemoryLeaseStore(clock), clock)
    async with locks.hold("x", ttl=30, max_hold=20, on_lost="event") as lease:
        assert lease.remaining == pytest.approx(18)
        clock.advance(17)
        assert await lease.renew()
        assert lease.remaining == pytest.approx(3)
        clock.advance(3)
        with pytest.raises(LeaseLost, match="max_hold"):
            lease.check()
    await locks.aclose()
