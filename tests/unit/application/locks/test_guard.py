"""What a unit of work that is bound to a lease may commit, where the leases are kept elsewhere than the data."""

import pytest
import pytest_asyncio
from returns.result import Failure, Success

from fastapi_easy.application.locks.lock_manager import LockManager
from fastapi_easy.domain import Everything, LockLost, Unavailable
from fastapi_easy.infrastructure.clock import SystemClock
from fastapi_easy.infrastructure.locks.memory import MemoryLeaseStore
from fastapi_easy.infrastructure.locks.memory_fence import stamp
from fastapi_easy.infrastructure.persistence.memory import MemoryDatabase, MemoryRepository, MemoryUnitOfWork
from fastapi_easy.testing import FrozenClock, RecordingEventBus, resource_from
from fastapi_easy.testing.conformance import NOTES
from tests.unit.application.locks.wired import Wired

TTL = 30.0
NOTES_HERE = resource_from(NOTES, "notes", dict)


class Data:
    """A database that keeps no leases."""

    def __init__(self):
        self.database = MemoryDatabase()

    def repository(self):
        return MemoryRepository(NOTES_HERE, self.database)

    def unit_of_work(self):
        return MemoryUnitOfWork(
            self.database, {"notes": NOTES_HERE}, {"notes": self.repository}, RecordingEventBus()
        )

    async def count(self):
        return (await self.repository().count(Everything())).unwrap()


@pytest.fixture
def data():
    return Data()


@pytest.fixture
def clock():
    return FrozenClock()


@pytest.fixture
def elsewhere(shared):
    return Wired(SystemClock(), shared, database="locks")


@pytest_asyncio.fixture
async def holder(elsewhere, clock):
    manager = LockManager(elsewhere, clock, fence=stamp)
    yield manager
    elsewhere.is_cut = False
    await manager.aclose()


@pytest_asyncio.fixture
async def rival(shared):
    manager = LockManager(MemoryLeaseStore(SystemClock(), shared, database="locks"), SystemClock())
    yield manager
    await manager.aclose()


async def expire(lease, holder, rival, clock):
    clock.advance(TTL)


async def evict_unnoticed(lease, holder, rival, clock):
    _ = (await rival.evict(lease.name, token=lease.tokens[lease.name], reason="test")).unwrap()


async def evict_noticed(lease, holder, rival, clock):
    await evict_unnoticed(lease, holder, rival, clock)
    assert await lease.renew() == Failure(LockLost(lease.name))


LOSSES = {"expired": expire, "evicted": evict_unnoticed, "evicted, and it was noticed": evict_noticed}


@pytest.mark.parametrize("lose", LOSSES.values(), ids=LOSSES)
@pytest.mark.parametrize("names", [("x",), ("x", "y")], ids=["one name", "two names"])
async def test_nothing_is_committed_once_the_lease_is_lost(data, holder, rival, clock, lose, names):
    async with holder.hold(*names, ttl=TTL, on_lost="event") as lease, data.unit_of_work() as work:
        work.bind(lease)
        _ = (await work.repository("notes").add({"title": "late"})).unwrap()
        await lose(lease, holder, rival, clock)
        committed = await work.commit()

        assert committed == Failure(LockLost("x"))
        assert lease.lost.is_set()
        assert await lease.guard(work) == Failure(LockLost("x"))
    assert await data.count() == 0


async def test_of_two_leases_the_first_may_not_expire_while_the_second_is_asked_about(
    data, holder, elsewhere, clock
):
    first = holder.hold("first", ttl=TTL, on_lost="event")
    second = holder.hold("second", ttl=TTL * 3, on_lost="event")
    async with first as early, second as late, data.unit_of_work() as work:
        work.bind(early)
        work.bind(Slow(late, clock))
        _ = (await work.repository("notes").add({"title": "late"})).unwrap()

        assert await work.commit() == Failure(LockLost("first"))
    assert await data.count() == 0


class Slow:
    """A lease whose guard takes long."""

    def __init__(self, lease, clock):
        self._lease = lease
        self._clock = clock

    @property
    def remaining(self):
        return self._lease.remaining

    async def guard(self, work):
        guarded = await self._lease.guard(work)
        self._clock.advance(TTL)
        return guarded


async def test_without_an_answer_of_the_lease_store_nothing_is_committed(data, holder, elsewhere):
    async with holder.hold("x", ttl=TTL, on_lost="event") as lease, data.unit_of_work() as work:
        work.bind(lease)
        _ = (await work.repository("notes").add({"title": "unsure"})).unwrap()
        elsewhere.is_cut = True

        assert await work.commit() == Failure(Unavailable(elsewhere.name))
        assert lease.remaining > 0
    assert await data.count() == 0


async def test_a_held_lease_is_renewed_by_the_commit(data, holder, elsewhere, clock):
    async with holder.hold("x", ttl=TTL, on_lost="event") as lease, data.unit_of_work() as work:
        work.bind(lease)
        _ = (await work.repository("notes").add({"title": "in time"})).unwrap()
        clock.advance(TTL / 2)
        committed = await work.commit()

        assert committed == Success(None)
        assert lease.remaining > TTL / 2
    assert await data.count() == 1


async def test_who_has_lost_the_lease_stamps_nothing(data, elsewhere, rival):
    stamped = []

    async def record(work, name, token):
        stamped.append(name)
        return await stamp(work, name, token)

    manager = LockManager(elsewhere, SystemClock(), fence=record)
    async with manager.hold("x", ttl=TTL, on_lost="event") as lease, data.unit_of_work() as work:
        assert await lease.guard(work) == Success(None)
        _ = (await rival.evict("x", token=lease.token, reason="test")).unwrap()
        assert await lease.guard(work) == Failure(LockLost("x"))
    await manager.aclose()

    assert stamped == ["x"]


async def test_what_was_lost_while_a_stamp_waited_for_another_transaction_is_noticed(
    data, elsewhere, rival, clock
):
    async def wait_and_stamp(work, name, token):
        clock.advance(TTL / 4)
        _ = (await rival.evict(name, token=token, reason="test")).unwrap()
        return await stamp(work, name, token)

    manager = LockManager(elsewhere, clock, fence=wait_and_stamp)
    async with manager.hold("x", ttl=TTL, on_lost="event") as lease, data.unit_of_work() as work:
        assert await lease.guard(work) == Failure(LockLost("x"))
    await manager.aclose()
