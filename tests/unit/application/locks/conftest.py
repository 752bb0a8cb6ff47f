"""Two processes that share leases in memory; the wire of one of them can be cut."""

import pytest
import pytest_asyncio

from fastapi_easy.application.locks.lock_manager import LockManager
from fastapi_easy.infrastructure.clock import SystemClock
from fastapi_easy.infrastructure.locks.memory import Leases, MemoryLeaseStore
from tests.unit.application.locks.wired import Wired


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
