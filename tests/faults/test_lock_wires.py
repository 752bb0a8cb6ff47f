"""Locks at the end of a wire on which things go wrong, on every server: latency, silence, resets, lost answers."""

import asyncio
import contextlib
import time
import uuid
from dataclasses import dataclass
from typing import Any

import pytest

from fastapi_easy.application.locks.lock_manager import STORE_TIMEOUT, LockManager
from fastapi_easy.domain import LeaseLost, LockUnavailable
from fastapi_easy.testing.conformance.locks.lease_suite import eventually
from tests.faults.processes import locks_at
from tests.thorough import one_in
from tests.wire import Wire, wired

SERVERS = ["postgres", "mariadb", "redis", "mongo"]
BUSY = 20.0
"""Seconds that a machine with other things to do may take longer; without its limit each wait would be longer still."""

TAKING = {"mariadb": b"GREATEST(token + 1", "mongo": b"findAndModify"}
"""What a driver sends to acquire, where that is not the first that has the name in it."""


@dataclass(frozen=True)
class Far:
    """Locks at the end of a wire, the wire, and the same locks seen from beside it."""

    server: str
    url: str
    locks: LockManager
    wire: Wire
    near: LockManager


@pytest.fixture(params=SERVERS)
async def far(request: pytest.FixtureRequest) -> Any:
    url = request.getfixturevalue(f"{request.param}_url")
    async with wired(url) as (address, wire), contextlib.AsyncExitStack() as stack:
        locks, near = locks_at(address), locks_at(url)
        stack.push_async_callback(near.aclose)
        stack.push_async_callback(locks.aclose)
        async with locks.hold(f"warm:{uuid.uuid4().hex}"):
            pass
        yield Far(request.param, address, locks, wire, near)
        # Whatever went wrong, every connection has come back, but for the one that listens.
        wire.is_black, wire.is_cut, wire.latency = False, False, 0.0
        ears = int(request.param == "postgres")
        await eventually(lambda: locks.store.pool.in_use <= ears)


@pytest.fixture
def lock() -> str:
    return f"wire:{uuid.uuid4().hex}"


async def is_held(locks: LockManager, name: str) -> bool:
    return [each.name for each in (await locks.inspect(name)).unwrap()] == [name]


async def is_free(locks: LockManager, name: str) -> bool:
    return not await is_held(locks, name)


async def cannot_hold(locks: LockManager, name: str, wait: float = 0) -> float:
    begun = time.monotonic()
    with pytest.raises(LockUnavailable):
        async with locks.hold(name, wait=wait):
            pass
    return time.monotonic() - begun


async def test_in_a_black_hole_nothing_is_acquired_and_nobody_waits_for_long(far, lock):
    fresh = locks_at(far.url)
    far.wire.is_black = True

    seconds = await asyncio.gather(cannot_hold(far.locks, lock), cannot_hold(fresh, f"{lock}:fresh"))

    print(f"\n{far.server}: given up after {seconds[0]:.1f} s, without a connection after {seconds[1]:.1f} s")
    # A connection that stands has the time of a statement; a new one has two seconds.
    assert seconds[0] <= STORE_TIMEOUT + BUSY
    assert seconds[1] <= 2 + 1 + BUSY
    far.wire.is_black = False
    await eventually(lambda: is_free(far.near, lock))
    async with far.locks.hold(lock, wait=30):
        pass
    await fresh.aclose()


async def test_a_refused_connection_is_reported_at_once(far, lock):
    far.wire.refuse()

    assert await cannot_hold(far.locks, lock) <= 3 + BUSY

    await far.wire.listen()
    async with far.locks.hold(lock, wait=30):
        pass


@pytest.mark.parametrize("way", ["refused", "black"])
async def test_work_goes_on_until_its_lease_has_run_out_here(far, lock, way):
    ttl, ends = 1.5, 0.0

    async def work():
        nonlocal ends
        async with far.locks.hold(lock, ttl=ttl) as lease:
            ends = time.monotonic() + lease.remaining
            if way == "black":
                far.wire.is_black = True
            else:
                far.wire.refuse()
            await asyncio.sleep(120)

    with pytest.raises(LeaseLost, match="did not respond for"):
        await work()

    # Not before, and before anybody else can have it.
    assert -0.05 <= time.monotonic() - ends <= ttl * 0.1 + BUSY
    if way == "black":
        far.wire.is_black = False
    else:
        await far.wire.listen()
    await eventually(lambda: is_free(far.near, lock))


async def test_a_store_that_is_back_in_time_goes_on_with_the_same_lease(far, lock):
    async with far.locks.hold(lock, ttl=3) as lease:
        token = lease.token
        far.wire.refuse()
        await asyncio.sleep(1.5)
        await far.wire.listen()
        await asyncio.sleep(2.5)
        lease.check()
        (held,) = (await far.near.inspect(lock)).unwrap()

        assert (held.token, lease.token) == (token, token)
    assert await is_free(far.near, lock)


async def test_when_the_answer_to_an_acquisition_is_lost_it_is_asked_for_again(far, lock):
    async with far.near.hold(lock):
        pass
    far.wire.lose_at = TAKING.get(far.server, lock.encode())
    taken = far.wire.taken

    async with far.locks.hold(lock) as lease:
        assert far.wire.lose_at is None
        assert far.wire.taken > taken
        (held,) = (await far.near.inspect(lock)).unwrap()
        assert (held.token, held.owner.startswith(lease.owner)) == (lease.token, True)

    assert await is_free(far.near, lock)


async def test_resets_do_not_cost_a_lease(far, lock):
    async with far.locks.hold(lock, ttl=2) as lease:
        token = lease.token
        for _ in range(6):
            far.wire.reset()
            await asyncio.sleep(0.4)
            lease.check()
        (held,) = (await far.near.inspect(lock)).unwrap()

    assert held.token == token


async def test_a_slow_wire_costs_no_lease_and_its_time_is_not_counted_twice(far, lock):
    far.wire.latency = 0.1
    async with far.locks.hold(lock, ttl=2) as lease:
        assert lease.remaining <= 2 * 0.9 - 0.2
        await asyncio.sleep(2.2)
        lease.check()
    far.wire.latency = 0.0


async def test_wherever_an_answer_breaks_off_nothing_is_left_behind(far, lock):
    held = 0
    for length in (0, 1, 9, 60, 200, 600, 2000):
        far.wire.reset()
        far.wire.cut_after = length
        with contextlib.suppress(LockUnavailable):
            async with far.locks.hold(lock, wait=0):
                held += 1
        far.wire.cut_after, far.wire.is_cut = None, False

    await eventually(lambda: is_free(far.near, lock))
    async with far.locks.hold(lock, wait=30):
        assert await is_held(far.near, lock)
    print(f"\n{far.server}: {held} of 7 were held all the same")


async def test_waiters_are_told_at_the_end_of_their_wait_when_the_store_has_fallen_silent(far, lock):
    async with far.near.hold(lock):
        waiting = asyncio.ensure_future(cannot_hold(far.locks, lock, wait=1.0))
        await asyncio.sleep(0.3)
        far.wire.refuse()
        seconds = await waiting

    assert 1.0 <= seconds <= 1.0 + 3 + BUSY
    await far.wire.listen()


@pytest.mark.parametrize("far", one_in(2, SERVERS), indirect=True)
async def test_a_store_that_is_away_for_a_moment_is_waited_for(far, lock):
    far.wire.refuse()
    asking = asyncio.ensure_future(holds_once(far.locks, lock))
    async with far.near.hold(f"{lock}:held"):
        waiting = asyncio.ensure_future(holds_once(far.locks, f"{lock}:held"))
        await asyncio.sleep(0.5)
        assert not asking.done()
        await far.wire.listen()
        await asking

    await waiting
    assert await is_free(far.near, lock)


async def holds_once(locks: LockManager, name: str) -> None:
    async with locks.hold(name, wait=60) as lease:
        lease.check()
