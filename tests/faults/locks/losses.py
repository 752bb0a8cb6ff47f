"""How a lease is lost that is kept elsewhere than the data, without any time passing.

The lease store forgets the lease, or the clock of the holder jumps.
"""

import contextlib
from pathlib import Path

from redis.asyncio import Redis
from returns.result import Failure

from fastapi_easy.domain import LockLost
from fastapi_easy.infrastructure.clock import SystemClock
from fastapi_easy.settings import Settings
from tests.faults.processes import Bank, MemoBank, locks_at

TTL = 30.0


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
