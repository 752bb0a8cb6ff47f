"""Locks while the clock of the server they are kept on jumps, and that of the application."""

import asyncio
import contextlib
import time
import uuid

import pytest
from returns.result import Failure, Success

from fastapi_easy.bootstrap import open_kernel
from fastapi_easy.domain import LeaseLost, LockLost, Patch
from fastapi_easy.testing.conformance.locks.lease_suite import eventually
from tests.faults.processes import bank_at, locks_at
from tests.faults.server_clock import moving_server

HOUR = 3600


# After such a jump a replica set of MongoDB does not answer writes for a while, which says nothing about leases.
@pytest.fixture(params=["postgres", "mariadb", "redis"])
def moving(request, monkeypatch):
    with moving_server(request.param, monkeypatch) as moving:
        yield request.param, *moving


@pytest.fixture
async def locks(moving):
    made = locks_at(moving[1].url)
    yield made
    await made.aclose()


@pytest.fixture
async def others(moving):
    made = locks_at(moving[1].url)
    yield made
    await made.aclose()


@pytest.fixture
def lock():
    return f"clock:{uuid.uuid4().hex}"


async def test_when_the_clock_of_the_server_jumps_ahead_leases_end_early_and_say_so(
    moving, locks, others, lock
):
    _, _, move = moving
    begun = 0.0

    async def work():
        nonlocal begun
        async with locks.hold(lock, ttl=2) as lease:
            move(HOUR)
            begun = time.monotonic()
            async with others.hold(lock, wait=60) as other:
                assert other.token > lease.token + (HOUR - 60) * 1_000_000
                await asyncio.sleep(300)

    with pytest.raises(LeaseLost, match="the store no longer holds it for this owner"):
        await work()

    # At its next renewal; left alone, the work would have taken minutes.
    assert time.monotonic() - begun <= 60
    # Back again: tokens go on growing, and what is granted now runs out when it should.
    async with locks.hold(lock, ttl=1, wait=2) as before:
        move(0)
        await asyncio.sleep(1.2)
        before.check()
    async with others.hold(lock, wait=60) as after:
        assert after.token > before.token


@pytest.mark.parametrize("server", ["postgres", "mariadb"])
async def test_of_two_holders_by_their_own_clock_only_one_commits(server, monkeypatch, lock):
    with moving_server(server, monkeypatch) as (service, move):
        bank = bank_at(service.url)
        async with open_kernel(bank), contextlib.AsyncExitStack() as stack:
            others = locks_at(service.url)
            stack.push_async_callback(others.aclose)
            _ = (await bank.accounts.repository().add({"id": 1, "balance": 0})).unwrap()

            async def write(lease, name):
                async with bank.unit_of_work() as work:
                    work.bind(lease)
                    _ = (await work.repository("accounts").update(1, Patch({"written_by": name}))).unwrap()
                    return await work.commit()

            async with bank.locks().hold(lock, ttl=30, on_lost="event") as late:
                move(HOUR)
                async with others.hold(lock, wait=60) as other:
                    # Nobody has told the first one yet.
                    assert late.remaining > 0
                    refused, accepted = await write(late, "late"), await write(other, "other")

            account = (await bank.accounts.repository().read(1)).unwrap()

    assert (refused, accepted) == (Failure(LockLost(lock)), Success(None))
    assert account.written_by == "other"


@pytest.mark.parametrize("jump", [HOUR, -HOUR], ids=["ahead", "back"])
@pytest.mark.parametrize("server", ["postgres", "mongo"])
async def test_the_time_of_day_of_the_application_does_not_matter(server, jump, request, monkeypatch, lock):
    locks = locks_at(request.getfixturevalue(f"{server}_url"))
    true, true_ns = time.time, time.time_ns
    async with locks.hold(lock, ttl=1) as lease:
        monkeypatch.setattr(time, "time", lambda: true() + jump)
        monkeypatch.setattr(time, "time_ns", lambda: true_ns() + jump * 1_000_000_000)
        await asyncio.sleep(1.5)
        lease.check()
        assert 0 < lease.remaining <= 0.9
    async with locks.hold(lock, wait=1) as again:
        assert again.token > lease.token
    await eventually(lambda: locks.held == 0)
    await locks.aclose()
