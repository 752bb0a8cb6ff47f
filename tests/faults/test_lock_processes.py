"""Locks between real processes that contend, are killed and are stopped."""

import asyncio
import contextlib
import signal
import time
import uuid

import pytest

from fastapi_easy.testing.conformance.locks.lease_suite import eventually
from tests.faults.contention import contention
from tests.faults.processes import DEADLOCK_WAIT, fork_inside, hold, hold_both, locks_at, sleep_inside, worker
from tests.faults.sigstop import late_writes
from tests.thorough import only_when_thorough

TTL = 1.0
BUSY = 20.0
"""Seconds that a machine with other things to do may take longer."""
LEASES = ["postgres", "mariadb", "redis", "mongo", "sqlite"]
SESSIONS = ["postgres sessions", "mariadb sessions", "files"]


@pytest.fixture
def lock():
    return f"fault:{uuid.uuid4().hex}"


@pytest.fixture
def place(request, tmp_path):
    """The URL of where locks are kept, by the name of the store."""
    server, _, sessions = request.param.partition(" ")
    if server == "sqlite":
        return f"sqlite:///{tmp_path / 'locks.sqlite3'}"
    if server == "files":
        return f"file://{tmp_path / 'locks'}"
    url = request.getfixturevalue(f"{server}_url")
    return f"session+{url}" if sessions else url


@contextlib.asynccontextmanager
async def locks_of_this_process(url):
    locks = locks_at(url)
    yield locks
    await locks.aclose()


async def heard(each, limit=120.0):
    return await asyncio.to_thread(each.hears, limit)


@pytest.mark.parametrize(
    ("place", "processes", "rounds"),
    [
        pytest.param("postgres", 16, 40, id="postgres"),
        pytest.param("mariadb", 8, 20, id="mariadb"),
        pytest.param("redis", 8, 20, id="redis"),
        pytest.param("mongo", 8, 12, id="mongo"),
        pytest.param("sqlite", 8, 20, id="sqlite"),
    ],
    indirect=["place"],
)
async def test_contending_processes_count_exactly_and_get_their_turn(place, processes, rounds, tmp_path):
    figures = await contention(place, processes, rounds, tmp_path / "counter")

    print(f"\n{figures}")
    assert figures.are_good, str(figures)


@pytest.mark.parametrize("place", LEASES, indirect=True)
async def test_when_its_holder_is_killed_a_lease_passes_on_once_it_has_run_out(place, lock):
    async with locks_of_this_process(place) as locks:
        with worker(hold, place, lock, TTL) as holder:
            first = await heard(holder)
            holder.is_sent(signal.SIGKILL)
            begun = time.monotonic()
            async with locks.hold(lock, wait=60) as lease:
                seconds = time.monotonic() - begun

    print(f"\n{place.partition(':')[0]}: taken over after {seconds:.2f} s, with a lease of {TTL} s")
    assert lease.token > first
    assert seconds <= TTL + BUSY


@pytest.mark.parametrize("place", SESSIONS, indirect=True)
async def test_when_its_holder_is_killed_a_lock_without_a_ttl_passes_on_at_once(place, lock):
    async with locks_of_this_process(place) as locks:
        with worker(hold, place, lock, 300) as holder:
            await heard(holder)
            holder.is_sent(signal.SIGKILL)
            begun = time.monotonic()
            async with locks.hold(lock, wait=60):
                seconds = time.monotonic() - begun

    assert seconds <= BUSY


@pytest.mark.parametrize("place", SESSIONS, indirect=True)
async def test_a_lock_without_a_ttl_is_kept_while_its_holder_is_stopped(place, lock):
    async with locks_of_this_process(place) as locks:
        with worker(hold, place, lock, 0.5) as holder:
            await heard(holder)
            holder.is_sent(signal.SIGSTOP)
            await asyncio.sleep(1.0)
            held = await locks.hold(lock, wait=0).__aenter__() if await is_free(locks, lock) else None
            holder.is_sent(signal.SIGCONT)
            holder.is_told("end")
            ended = await heard(holder)

    assert (held, ended) == (None, "released")


async def is_free(locks, name):
    answer = await locks.store.try_acquire(name, "host:1:boot:probe/1.0", 5)
    return hasattr(answer.unwrap(), "token")


@pytest.mark.parametrize("place", ["postgres"], indirect=True)
async def test_work_that_was_stopped_ends_soon_after_it_goes_on(place, lock):
    delays = []
    for _ in range(3):
        with worker(sleep_inside, place, f"{lock}{len(delays)}", 0.5) as holder:
            await heard(holder)
            holder.is_sent(signal.SIGSTOP)
            await asyncio.sleep(0.8)
            begun = time.monotonic()
            holder.is_sent(signal.SIGCONT)
            delays.append(await heard(holder) - begun)

    # The sleep inside would have taken minutes.
    assert max(delays) <= BUSY


@pytest.mark.parametrize("place", LEASES, indirect=True)
@pytest.mark.parametrize("length", [pytest.param(2, marks=only_when_thorough), 3])
async def test_of_processes_in_a_deadlock_one_gives_up(place, length, lock):
    names = [f"{lock}:{number}" for number in range(length)]
    with contextlib.ExitStack() as stack:
        workers = [
            stack.enter_context(worker(hold_both, place, name, names[(number + 1) % length]))
            for number, name in enumerate(names)
        ]
        assert [await heard(each) for each in workers] == ["holds"] * length
        for each in workers:
            each.is_told("go on")
        ends = [await heard(each) for each in workers]

    refused = [(cycle, seconds) for cycle, seconds in ends if cycle != "done"]
    assert len(refused) == 1
    assert sorted(refused[0][0]) == names
    # One that does not notice would have waited to the end.
    assert refused[0][1] < DEADLOCK_WAIT


@pytest.mark.parametrize("place", LEASES, indirect=True)
async def test_when_a_waiter_is_killed_the_queue_moves_on(place, lock):
    async with locks_of_this_process(place) as locks:
        with worker(hold, place, lock, 30) as killed, worker(hold, place, lock, 30) as next_one:
            async with locks.hold(lock) as lease:
                await eventually(lambda: are_waiting(locks, lock, 2))
                killed.is_sent(signal.SIGKILL)
                begun = time.monotonic()
            token = await heard(next_one)
            seconds = time.monotonic() - begun

    assert token > lease.token
    assert seconds <= BUSY + 5


async def are_waiting(locks, name, count):
    return [len(each.waiters) for each in (await locks.inspect(name)).unwrap()] == [count]


@pytest.mark.parametrize("place", ["postgres", "mariadb", "mongo"], indirect=True)
@pytest.mark.parametrize("wrote_first", [True, False], ids=["the other wrote", "the other only acquired"])
async def test_a_late_write_is_refused_by_the_guard(place, wrote_first):
    tally = await late_writes(place, 3, wrote_first=wrote_first)

    assert (tally.rounds, tally.accepted, tally.lost) == (3, 0, 0)


@pytest.mark.parametrize("place", ["postgres", "mariadb", "mongo"], indirect=True)
@pytest.mark.parametrize("wrote_first", [True, False], ids=["the other wrote", "the other only acquired"])
async def test_a_late_write_is_refused_by_the_guard_where_leases_are_elsewhere(place, wrote_first, redis_url):
    tally = await late_writes(place, 2, wrote_first=wrote_first, locks=redis_url)

    assert (tally.rounds, tally.accepted, tally.lost) == (2, 0, 0)


@pytest.mark.parametrize("place", LEASES, indirect=True)
async def test_a_forked_child_cannot_release_the_locks_of_its_parent(place, lock):
    async with locks_of_this_process(place) as locks:
        with worker(fork_inside, place, lock, 1.0) as parent:
            token = await heard(parent)
            refused = await heard(parent)
            await asyncio.sleep(1.5)
            (held,) = (await locks.inspect(lock)).unwrap()
            parent.is_told("end")
            ended = await heard(parent)

    # The child has ended long ago, and the lease of its parent is renewed and given back by its parent.
    assert (refused, held.token, ended) == ("LockMisuse", token, "released")
