"""Units of work that are bound to a lease which is kept elsewhere than the data, and lost before the commit.

The lease store forgets the lease, or the clock of the holder jumps: nothing here waits for time to pass.
"""

import contextlib
import uuid
from pathlib import Path

import pytest
from redis.asyncio import Redis
from returns.result import Failure, Success

from fastapi_easy.bootstrap import open_kernel
from fastapi_easy.domain import Everything, LockLost
from fastapi_easy.infrastructure.clock import SystemClock
from fastapi_easy.settings import Settings
from tests.faults.processes import Bank, MemoBank, locks_at

TTL = 30.0
NEW = {"balance": 1, "written_by": "late"}


class JumpingClock(SystemClock):
    """A clock that can be moved on, as if the process had been stopped meanwhile."""

    def __init__(self):
        self.ahead = 0.0

    def monotonic(self):
        return super().monotonic() + self.ahead


class Bench:
    """A holder whose leases are at *locks_url*, and others who want them."""

    def __init__(self, data_url, locks_url):
        self.clock = JumpingClock()
        self.locks_url = locks_url
        container = MemoBank if data_url.startswith("mongodb") else Bank
        settings = Settings(databases={"default": {"url": data_url}}, locks={"url": locks_url})
        self.bank = container(settings=settings, clock=self.clock)

    @property
    def files(self):
        return list(Path(self.locks_url.removeprefix("file://")).glob("*.lock"))

    async def delete(self, name):
        """Make the store forget *name*, behind everybody's back."""
        if not self.locks_url.startswith("redis"):
            for each in self.files:
                each.unlink()
            return
        async with Redis.from_url(self.locks_url) as redis:
            assert await redis.delete(f"fe:{{{name}}}:lock") == 1

    @contextlib.asynccontextmanager
    async def taken_by_another(self, name):
        """Have another process acquire *name*."""
        locks = locks_at(self.locks_url)
        async with locks.hold(name, wait=0):
            yield
        await locks.aclose()


@contextlib.asynccontextmanager
async def stopped_until_another_holds_it(bench, lease):
    bench.clock.ahead = TTL
    await bench.delete(lease.name)
    async with bench.taken_by_another(lease.name):
        yield


@contextlib.asynccontextmanager
async def stopped(bench, lease):
    bench.clock.ahead = TTL
    yield


@contextlib.asynccontextmanager
async def deleted(bench, lease):
    await bench.delete(lease.name)
    yield


@contextlib.asynccontextmanager
async def taken_over(bench, lease):
    await bench.delete(lease.name)
    async with bench.taken_by_another(lease.name):
        yield


@contextlib.asynccontextmanager
async def taken_over_and_noticed(bench, lease):
    async with taken_over(bench, lease):
        assert await lease.renew() == Failure(LockLost(lease.name))
        yield


@contextlib.asynccontextmanager
async def released_by_another(bench, lease):
    async with taken_over(bench, lease):
        pass
    yield


ANYWHERE = (deleted, taken_over, taken_over_and_noticed, released_by_another)
WITH_A_TTL = (stopped, stopped_until_another_holds_it)


@pytest.fixture
def bench(request, tmp_path):
    data, locks = request.param.split(", locks in ")
    data_url = (
        f"sqlite:///{tmp_path / 'data.sqlite3'}"
        if data == "sqlite"
        else request.getfixturevalue(f"{data}_url")
    )
    return Bench(
        data_url, f"file://{tmp_path / 'locks'}" if locks == "files" else request.getfixturevalue("redis_url")
    )


REDIS = (
    "sqlite, locks in redis",
    "postgres, locks in redis",
    "mariadb, locks in redis",
    "mongo, locks in redis",
)
LOSSES = {
    **dict.fromkeys(REDIS, ANYWHERE + WITH_A_TTL),
    "sqlite, locks in files": ANYWHERE,
}


@pytest.mark.parametrize("bench", LOSSES, indirect=True)
@pytest.mark.parametrize("guards_first", [True, False], ids=["guarded at first", "bound only"])
async def test_nothing_is_committed_under_a_lost_lease(bench, guards_first, request):
    name = f"bound:{uuid.uuid4().hex}"
    async with open_kernel(bench.bank):
        accounts = bench.bank.accounts.repository()
        before = (await accounts.count(Everything())).unwrap()
        for lose in LOSSES[request.node.callspec.params["bench"]]:
            bench.clock.ahead = 0.0
            async with (
                bench.bank.locks().hold(name, ttl=TTL, on_lost="event") as lease,
                bench.bank.unit_of_work() as work,
            ):
                work.bind(lease)
                if guards_first:
                    _ = (await lease.guard(work)).unwrap()
                _ = (await work.repository("accounts").add(NEW)).unwrap()
                async with lose(bench, lease):
                    committed = await work.commit()
                    was_noticed = lease.lost.is_set()

            assert (lose, committed, was_noticed) == (lose, Failure(LockLost(name)), True)
            assert (await accounts.count(Everything())).unwrap() == before


@pytest.mark.parametrize("bench", LOSSES, indirect=True)
async def test_work_under_a_held_lease_is_committed(bench):
    async with open_kernel(bench.bank):
        accounts = bench.bank.accounts.repository()
        before = (await accounts.count(Everything())).unwrap()
        async with (
            bench.bank.locks().hold("held", ttl=TTL, on_lost="event") as lease,
            bench.bank.unit_of_work() as work,
        ):
            work.bind(lease)
            _ = (await work.repository("accounts").add(NEW)).unwrap()
            assert await work.commit() == Success(None)

        assert (await accounts.count(Everything())).unwrap() == before + 1
