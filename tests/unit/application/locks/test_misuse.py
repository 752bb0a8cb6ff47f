"""What cannot be right is refused, and says so."""

import asyncio

import pytest

from fastapi_easy.application.locks.lock_manager import LockManager
from fastapi_easy.domain import (
    LockMisuse,
    LockTimeout,
)
from fastapi_easy.infrastructure.locks.memory import MemoryLeaseStore
from fastapi_easy.infrastructure.persistence.memory import MemoryDatabase, MemoryRepository, MemoryUnitOfWork
from fastapi_easy.testing import FrozenClock, RecordingEventBus, resource_from
from fastapi_easy.testing.conformance import NOTES
from tests.unit.application.locks.wired import work


async def test_waiting_for_a_lock_inside_a_transaction_is_misuse(locks, others):
    notes = resource_from(NOTES, "notes", dict)
    database = MemoryDatabase()
    unit = MemoryUnitOfWork(
        database, {"notes": notes}, {"notes": lambda: MemoryRepository(notes, database)}, RecordingEventBus()
    )
    async with others.hold("x"):
        async with unit as opened:
            opened.repository("notes")
            with pytest.raises(LockMisuse, match="open transaction"):
                await work(locks, "x")
            with pytest.raises(LockTimeout):
                await work(locks, "x", wait=0)
            assert await work(locks, "free", seconds=0) == "done"
        with pytest.raises(LockTimeout):
            await work(locks, "x", wait=0.05)


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
def test_invalid_names_and_options_are_misuse(names, terms):
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
