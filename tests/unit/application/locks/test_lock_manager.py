"""What a lock manager does that no store knows of: cancelling, losing, leaking, misuse."""

import asyncio
import contextlib
import gc
import re
import time
import warnings

import pytest
import pytest_asyncio
from returns.result import Failure, Success

from fastapi_easy.application.locks.lock_manager import LockManager
from fastapi_easy.domain import (
    Eviction,
    LeaseLost,
    LockDeadlock,
    LockLost,
    LockMisuse,
    LockTimeout,
    LockUnavailable,
    Unavailable,
)
from fastapi_easy.infrastructure.clock import SystemClock
from fastapi_easy.infrastructure.locks.memory import Leases, MemoryLeaseStore
from fastapi_easy.infrastructure.persistence.memory import MemoryDatabase, MemoryRepository, MemoryUnitOfWork
from fastapi_easy.testing import FrozenClock, RecordingEventBus, resource_from
from fastapi_easy.testing.conformance import NOTES
from fastapi_easy.testing.conformance.lease_access import eventually

TTL = 0.6
SILENCE = Failure(Unavailable("locks in memory"))


class Wired(MemoryLeaseStore):
    """A store at the end of a wire that can be cut, or be slow."""

    def __init__(self, *arguments, **options):
        super().__init__(*arguments, **options)
        self.is_cut = False
        self.delay = 0.0
        self.asked = []

    async def _through(self, what, answer):
        self.asked.append(what)
        if self.is_cut:
            answer.close()
            return SILENCE
        await asyncio.sleep(self.delay)
        return await answer

    async def try_acquire(self, *asked):
        return await self._through("try_acquire", super().try_acquire(*asked))

    async def renew(self, *asked):
        return await self._through("renew", super().renew(*asked))

    async def release(self, *asked):
        return await self._through("release", super().release(*asked))


@pytest.fixture
def shared():
    return Leases()


@pytest.fixture
def store(shared):
    return Wired(SystemClock(), shared, database="default")


@pytest_asyncio.fixture
async def locks(store):
    manager = LockManager(store, SystemClock())
    yield manager
    store.is_cut, store.delay = False, 0.0
    await manager.aclose()


@pytest_asyncio.fixture
async def others(shared):
    manager = LockManager(MemoryLeaseStore(SystemClock(), shared), SystemClock())
    yield manager
    await manager.aclose()


async def is_free(locks, name):
    return [each.name for each in (await locks.inspect(name)).unwrap()] == []


async def work(locks, *names, seconds=5.0, **terms):
    async with locks.hold(*names, **terms):
        await asyncio.sleep(seconds)
        return "done"


async def test_a_store_that_falls_silent_ends_the_work_when_the_lease_has_run_out_here(locks, store):
    begun = time.monotonic()
    task = asyncio.ensure_future(work(locks, "x", ttl=TTL))
    await asyncio.sleep(0.05)
    store.is_cut = True

    with pytest.raises(LeaseLost, match="has not answered"):
        await task

    assert TTL * 0.8 < time.monotonic() - begun < TTL * 1.3
    assert store.asked.count("renew") >= 2


async def test_a_store_that_is_back_in_time_renews_the_same_lease(locks, store):
    async with locks.hold("x", ttl=TTL) as lease:
        token = lease.token
        store.is_cut = True
        await asyncio.sleep(TTL * 0.6)
        store.is_cut = False
        await asyncio.sleep(TTL)
        lease.check()
        assert lease.token == token


async def test_a_program_that_stood_still_is_told_before_it_does_harm(locks):
    async def stand_still():
        async with locks.hold("x", ttl=0.3) as lease:
            time.sleep(0.5)  # noqa: ASYNC251 - that is the point
            lease.check()
            pytest.fail("went on")

    with pytest.raises(LeaseLost, match="stood still"):
        await stand_still()


async def test_a_program_that_stood_still_is_cancelled_soon_after(locks):
    async def stand_still():
        async with locks.hold("x", ttl=0.3):
            time.sleep(0.8)  # noqa: ASYNC251 - that is the point
            begun = time.monotonic()
            try:
                await asyncio.sleep(5)
            finally:
                assert time.monotonic() - begun < 0.1

    with pytest.raises(LeaseLost, match="stood still"):
        await stand_still()


async def test_a_cancellation_by_somebody_else_stays_one(locks, others):
    task = asyncio.ensure_future(work(locks, "x"))
    await asyncio.sleep(0.05)
    task.cancel("by the user")

    with pytest.raises(asyncio.CancelledError):
        await task

    assert await is_free(others, "x")


async def test_somebody_elses_cancellation_wins_over_the_loss(locks, others):
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


async def test_a_block_that_swallows_the_cancellation_is_told_at_its_end(locks, others):
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


async def test_whoever_only_wants_to_be_told_is_not_cancelled(locks, others):
    async with locks.hold("x", ttl=TTL, on_lost="event") as lease:
        await others.evict("x", token=lease.token, reason="test")
        async with asyncio.timeout(2):
            await lease.lost.wait()
        assert lease.remaining == 0
        assert await lease.renew() == Failure(LockLost("x"))
        with pytest.raises(LeaseLost):
            lease.check()


async def test_work_that_is_stuck_loses_its_lease(locks, others):
    begun = time.monotonic()
    with pytest.raises(LeaseLost, match="max_hold"):
        await work(locks, "x", ttl=0.4, max_hold=0.5)

    assert 0.5 < time.monotonic() - begun < 1.2


async def test_a_slow_answer_does_not_count_from_when_it_came(locks, store):
    store.delay = 0.3
    async with locks.hold("x", ttl=1.0) as lease:
        assert lease.remaining <= 0.9 - 0.3


async def test_an_acquisition_that_is_given_up_in_the_middle_is_undone(locks, store, others):
    for delay in (0.0, 0.02, 0.05):
        store.delay = 0.05
        task = asyncio.ensure_future(work(locks, "x"))
        await asyncio.sleep(delay)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

        async with others.hold("x", wait=1):
            pass


async def test_a_release_that_is_given_up_in_the_middle_goes_on(locks, store, others):
    task = asyncio.ensure_future(work(locks, "x", seconds=0))
    await asyncio.sleep(0.02)
    store.delay = 0.1
    await asyncio.sleep(0.02)
    task.cancel()
    _ = await asyncio.gather(task, return_exceptions=True)

    async with others.hold("x", wait=1):
        pass


async def test_a_release_that_nobody_hears_is_logged_and_changes_nothing(locks, store, caplog):
    async def fail():
        async with locks.hold("x"):
            store.is_cut = True
            _ = 1 / 0

    with pytest.raises(ZeroDivisionError):
        await fail()

    await eventually(lambda: "could not be given back" in caplog.text)


async def test_a_silent_store_is_unavailable_at_once(locks, store):
    store.is_cut = True
    begun = time.monotonic()

    with pytest.raises(LockUnavailable) as refused:
        await work(locks, "x")

    assert refused.value.error == Unavailable("locks in memory")
    assert time.monotonic() - begun < 0.5


async def test_a_lock_that_nobody_can_end_is_given_back_and_its_place_is_told(locks, others):
    scope = locks.hold("x")
    await scope.__aenter__()
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        del scope
        gc.collect()

    assert [each.category for each in told] == [ResourceWarning]
    assert re.search(r"asked for at .*test_lock_manager\.py:\d+", str(told[0].message))
    async with others.hold("x", wait=1):
        pass


async def test_asking_for_what_the_task_itself_holds_is_a_circle(locks):
    async with locks.hold("x"):
        with pytest.raises(LockDeadlock) as refused:
            await work(locks, "x", "y")

    assert refused.value.cycle == ("x",)


async def test_a_child_that_would_wait_for_its_parent_is_told(locks):
    async with locks.hold("x"):
        with pytest.raises(LockDeadlock):
            await asyncio.create_task(work(locks, "x"))


async def test_siblings_wait_for_each_other(locks):
    async with locks.hold("parent"):
        answers = await asyncio.gather(*(work(locks, "x", seconds=0.01) for _ in range(3)))

    assert answers == ["done"] * 3


async def test_a_child_may_hold_what_its_parent_has_given_back(locks):
    async with locks.hold("x"):
        gate = asyncio.Event()

        async def later():
            await gate.wait()
            return await work(locks, "x", seconds=0)

        child = asyncio.create_task(later())
    gate.set()

    assert await child == "done"


async def test_a_task_may_be_given_the_same_lease_again(locks, others):
    async with locks.hold("x", "y") as outer:
        async with locks.hold("y", "x", reentrant=True) as inner:
            assert inner is outer
        outer.check()
        assert not await is_free(others, "x")
        with pytest.raises(LockDeadlock):
            await work(locks, "x", reentrant=True)
    assert await is_free(others, "x")


async def test_a_circle_of_three_ends_with_the_youngest(locks, others):
    ends = {}

    async def hold_both(number, manager, first, second, delay):
        async with manager.hold(first):
            await asyncio.sleep(0.1 + delay)
            try:
                async with manager.hold(second):
                    ends[number] = "done"
            except LockDeadlock as refused:
                ends[number] = refused.cycle

    begun = time.monotonic()
    _ = await asyncio.gather(
        hold_both(1, locks, "a", "b", 0.00),
        hold_both(2, others, "b", "c", 0.02),
        hold_both(3, locks, "c", "a", 0.04),
    )

    assert ends == {1: "done", 2: "done", 3: ("a", "b", "c")}
    assert time.monotonic() - begun < 2


async def test_a_name_is_kept_alive_while_the_next_is_waited_for(locks, others):
    async with others.hold("b"):
        task = asyncio.ensure_future(work(locks, "a", "b", ttl=0.4, seconds=0))
        await asyncio.sleep(1.0)
        assert [each.name for each in (await others.inspect("a")).unwrap()] == ["a"]
    assert await task == "done"


async def test_whoever_is_in_a_hurry_may_be_unfair(locks, others):
    came = []

    async def wait(name, **terms):
        async with others.hold("x", **terms):
            came.append(name)

    async with locks.hold("x"):
        patient = asyncio.ensure_future(wait("patient"))
        await asyncio.sleep(0.6)
        rude = asyncio.ensure_future(wait("rude", fair=False))
        await asyncio.sleep(0.03)
    _ = await asyncio.gather(patient, rude)

    assert sorted(came) == ["patient", "rude"]


async def test_an_open_transaction_is_not_kept_waiting(locks, others):
    notes = resource_from(NOTES, "notes", dict)
    database = MemoryDatabase()
    unit = MemoryUnitOfWork(
        database, {"notes": notes}, {"notes": lambda: MemoryRepository(notes, database)}, RecordingEventBus()
    )
    async with others.hold("x"):
        async with unit as opened:
            opened.repository("notes")
            with pytest.raises(LockMisuse, match="transaction open"):
                await work(locks, "x")
            with pytest.raises(LockTimeout):
                await work(locks, "x", wait=0)
            assert await work(locks, "free", seconds=0) == "done"
        with pytest.raises(LockTimeout):
            await work(locks, "x", wait=0.05)


async def test_every_eviction_is_told(store):
    told = []

    async def hook(eviction):
        told.append(eviction)

    locks = LockManager(store, SystemClock(), on_eviction=hook)
    async with locks.hold("x", on_lost="event") as lease:
        assert await locks.evict("x", token=lease.token + 1, reason="wrong") == Success(False)
        assert await locks.evict("x", token=lease.token, reason="stuck") == Success(True)
        assert told == [Eviction(name="x", token=lease.token, reason="stuck")]
    await locks.aclose()


@pytest.mark.parametrize(
    ("names", "terms"),
    [
        pytest.param((), {}, id="no name"),
        pytest.param(("",), {}, id="empty"),
        pytest.param(("a\0b",), {}, id="NUL"),
        pytest.param(("x" * 201,), {}, id="too long"),
        pytest.param(("\ud800",), {}, id="half a character"),
        pytest.param(("x",), {"ttl": 0.01}, id="too short a lease"),
    ],
)
def test_what_makes_no_sense_is_refused(names, terms):
    locks = LockManager(MemoryLeaseStore(FrozenClock()), FrozenClock())

    with pytest.raises(LockMisuse):
        locks.hold(*names, **terms)


async def test_a_block_is_entered_once(locks):
    scope = locks.hold("x")
    async with scope:
        with pytest.raises(LockMisuse):
            await scope.__aenter__()


async def test_another_loop_is_refused_until_it_is_closed(locks):
    async with locks.hold("x"):

        def elsewhere():
            with pytest.raises(LockMisuse, match="another event loop"):
                asyncio.run(work(locks, "y"))

        await asyncio.to_thread(elsewhere)


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


async def test_nothing_is_left_running(locks):
    before = len(asyncio.all_tasks())
    for number in range(20):
        async with locks.hold(f"x{number}"):
            pass
    await asyncio.sleep(0)

    assert len(asyncio.all_tasks()) == before
    assert locks.held == 0
