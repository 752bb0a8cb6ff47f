"""Units of work that are guarded first of all and then work for longer than their lease lasts without a renewal."""

import asyncio
import contextlib
import uuid

import pymysql
import pytest
from returns.result import Failure, Success
from sqlalchemy import make_url

from fastapi_easy.bootstrap import open_kernel
from fastapi_easy.domain import LockLost, LockTimeout, Patch
from tests.faults.processes import bank_at, locks_at

TTL = 0.6


@pytest.fixture(params=["postgres", "mariadb", "mongo"])
async def bank(request):
    bank = bank_at(request.getfixturevalue(f"{request.param}_url"))
    async with open_kernel(bank):
        yield bank


@pytest.fixture
async def others(bank, request):
    locks = locks_at(bank.settings().databases["default"].url.get_secret_value())
    yield locks
    await locks.aclose()


@pytest.fixture
def lock():
    return f"early:{uuid.uuid4().hex}"


async def test_an_early_guard_does_not_block_the_renewals_of_its_own_lease(bank, others, lock):
    account = (await bank.accounts.repository().add({"balance": 0})).unwrap()
    async with bank.locks().hold(lock, ttl=TTL) as lease, bank.unit_of_work() as work:
        work.bind(lease)
        _ = (await lease.guard(work)).unwrap()
        _ = (await work.repository("accounts").update(account.id, Patch({"balance": 1}))).unwrap()
        await asyncio.sleep(TTL + 0.2)
        lease.check()
        with pytest.raises(LockTimeout):
            async with others.hold(lock, wait=0):
                pass
        committed = await work.commit()

    assert committed == Success(None)


async def test_nobody_acquires_an_evicted_name_before_the_guarded_work_has_ended(bank, others, lock):
    account = (await bank.accounts.repository().add({"balance": 0})).unwrap()
    async with bank.locks().hold(lock, ttl=30, on_lost="event") as lease, bank.unit_of_work() as work:
        _ = (await lease.guard(work)).unwrap()
        accounts = work.repository("accounts")
        _ = (await accounts.update(account.id, Patch({"written_by": "evicted"}))).unwrap()
        assert await others.evict(lock, token=lease.token, reason="test") == Success(True)

        async def read_next():
            async with others.hold(lock, wait=30) as other:
                assert other.token > lease.token
                return (await bank.accounts.repository().read(account.id)).unwrap().written_by

        reading = asyncio.ensure_future(read_next())
        done, _ = await asyncio.wait([reading], timeout=0.2)
        assert not done
        committed = await work.commit()

    # Whoever holds it next sees what was written, since it was committed before.
    assert (committed, await reading) == (Success(None), "evicted")


async def test_a_guarded_unit_that_is_bound_does_not_commit_after_an_eviction(bank, others, lock):
    async with bank.locks().hold(lock, ttl=30, on_lost="event") as lease, bank.unit_of_work() as work:
        work.bind(lease)
        _ = (await lease.guard(work)).unwrap()
        assert await others.evict(lock, token=lease.token, reason="test") == Success(True)
        committed = await work.commit()

    assert committed == Failure(LockLost(lock))


async def test_a_lease_is_released_while_the_work_it_guarded_goes_on(bank, others, lock):
    async with bank.unit_of_work() as work:
        async with bank.locks().hold(lock, ttl=30) as lease:
            _ = (await lease.guard(work)).unwrap()
        # Not held by anybody, and yet nobody else gets it.
        assert (await others.inspect(lock)).unwrap() == []
        waiting = asyncio.ensure_future(acquire(others, lock))
        done, _ = await asyncio.wait([waiting], timeout=0.2)
        assert not done
        assert await work.commit() == Success(None)

    assert await waiting > lease.token


async def acquire(locks, name):
    async with locks.hold(name, wait=30) as lease:
        return lease.token


async def test_a_database_of_an_earlier_version_gets_the_index_that_guards_lock(mariadb_url, lock):
    url = make_url(mariadb_url)
    with contextlib.closing(
        pymysql.connect(host=url.host, port=url.port, user=url.username, database=url.database)
    ) as connection:
        async with contextlib.AsyncExitStack() as stack:
            locks = locks_at(mariadb_url)
            stack.push_async_callback(locks.aclose)
            _ = await acquire(locks, lock)
        cursor = connection.cursor()
        cursor.execute("DROP INDEX fe_lock_grant ON fe_lock")

        bank = bank_at(mariadb_url)
        async with (
            open_kernel(bank),
            bank.locks().hold(lock) as lease,
            bank.unit_of_work() as work,
        ):
            assert await lease.guard(work) == Success(None)
