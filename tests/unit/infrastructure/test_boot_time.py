"""Leases in a SQLite file last by the boot time of their machine, whatever is done to its time of day."""

import sqlite3

import pytest
from returns.result import Success
from sqlalchemy import make_url

from fastapi_easy.domain.locks.lease import Acquired, Busy
from fastapi_easy.domain.locks.renewal import Renewal
from fastapi_easy.infrastructure.locks.relational import boot_time
from fastapi_easy.infrastructure.locks.relational.boot_time import BootTime
from fastapi_easy.infrastructure.locks.relational.sqlite import SqliteLeaseStore

HOUR = 3600.0


class Machine:
    """A machine whose boot time a test moves on, and which it restarts."""

    def __init__(self):
        self.uptime, self.boot = 10 * HOUR, "first"

    def store(self, file):
        boot = BootTime(self.boot, lambda: self.uptime)
        return SqliteLeaseStore(make_url(f"sqlite+aiosqlite:///{file}"), boot)


@pytest.fixture
def machine():
    return Machine()


@pytest.fixture
def file(tmp_path):
    return tmp_path / "locks.sqlite3"


@pytest.fixture
async def stores(machine, file):
    opened = []

    def another():
        opened.append(machine.store(file))
        return opened[-1]

    yield another
    for each in opened:
        await each.close()


async def test_a_lease_ends_when_its_seconds_have_passed_since_the_start_of_the_machine(stores, machine):
    store, other = stores(), stores()
    acquired = (await store.try_acquire("x", "me", 30.0)).unwrap()

    machine.uptime += 29.9
    before = await other.try_acquire("x", "you", 30.0)
    is_renewed = await store.renew([Renewal("x", "me", acquired.token, 30.0)])
    machine.uptime += 29.9
    after_renewal = await other.try_acquire("x", "you", 30.0)
    machine.uptime += 0.2
    taken = (await other.try_acquire("x", "you", 30.0)).unwrap()

    assert (before, is_renewed, after_renewal) == (Success(Busy("me")), Success([True]), Success(Busy("me")))
    assert isinstance(taken, Acquired)
    assert taken.token > acquired.token
    assert await store.renew([Renewal("x", "me", acquired.token, 30.0)]) == Success([False])


async def test_what_is_stored_does_not_depend_on_the_time_of_day(stores, file):
    store = stores()
    _ = await store.try_acquire("x", "me", 30.0)
    _ = await store.enqueue("x", "you", 5.0)

    with sqlite3.connect(file) as connection:
        lease = connection.execute("SELECT expires_at, acquired_at FROM fe_lock").fetchone()
        wait = connection.execute("SELECT expires_at FROM fe_lock_wait").fetchone()
    connection.close()

    ten_hours = round(10 * HOUR * 1e6)
    assert (lease, wait) == ((ten_hours + 30_000_000, ten_hours), (ten_hours + 5_000_000,))


async def test_after_another_boot_nothing_is_held_and_tokens_go_on_growing(stores, machine):
    before = stores()
    acquired = (await before.try_acquire("x", "me", HOUR)).unwrap()
    _ = await before.enqueue("x", "waiter", HOUR)

    machine.boot, machine.uptime = "second", 5.0
    after = stores()
    held = (await after.inspect()).unwrap()
    taken = (await after.try_acquire("x", "you", 30.0)).unwrap()

    assert held == []
    assert isinstance(taken, Acquired)
    assert taken.token > acquired.token


async def test_what_begins_later_in_the_same_boot_ends_no_lease(stores):
    first = stores()
    acquired = (await first.try_acquire("x", "me", 30.0)).unwrap()

    later = stores()

    assert await later.try_acquire("x", "you", 30.0) == Success(Busy("me"))
    assert await first.renew([Renewal("x", "me", acquired.token, 30.0)]) == Success([True])


async def test_leases_of_a_version_that_measured_by_the_time_of_day_have_ended(stores, file):
    first = stores()
    _ = await first.try_acquire("x", "me", 30.0)
    with sqlite3.connect(file) as connection:
        _ = connection.execute("DROP TABLE fe_lock_boot")
        _ = connection.execute("UPDATE fe_lock SET expires_at = 1796131996608000")
    connection.close()

    assert isinstance((await stores().try_acquire("x", "you", 30.0)).unwrap(), Acquired)


def test_a_system_that_tells_no_boots_apart_measures_by_the_time_of_day(monkeypatch, tmp_path):
    monkeypatch.setattr(boot_time, "_BOOT_ID", tmp_path / "missing")

    assert boot_time.boot_time() == BootTime("", boot_time.time.time)
