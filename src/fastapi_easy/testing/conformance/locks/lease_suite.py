"""The fixtures and tools of the lease store suite."""

import asyncio
import uuid
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field

import pytest
import pytest_asyncio

from fastapi_easy.domain.locks.lease import Acquired, Busy, LockCapability
from fastapi_easy.domain.locks.renewal import Renewal
from fastapi_easy.domain.ports.lease_store import LeaseStore
from fastapi_easy.testing.conformance.store import value_of


@dataclass(frozen=True, slots=True, kw_only=True)
class LeaseStoreFactory:
    """A factory of lease stores that share one place.

    Attributes:
        open: Opens one more store on the same place, like that of another process. The suite closes it.

        column: The name of its column in the report of results.
    """

    open: Callable[[], LeaseStore]
    column: str = ""


@dataclass(slots=True)
class LeaseStores:
    """Two stores on the same place, like those of two processes, and more on demand.

    Attributes:
        leases: The factory of the stores.

        opened: The stores that are open, by number.
    """

    leases: LeaseStoreFactory
    opened: list[LeaseStore] = field(default_factory=list)

    @property
    def local(self) -> LeaseStore:
        """The store of this process."""
        return self.store_at(0)

    @property
    def remote(self) -> LeaseStore:
        """The store of another process."""
        return self.store_at(1)

    def store_at(self, index: int) -> LeaseStore:
        """Return the store with that number; opened on first use."""
        while len(self.opened) <= index:
            self.opened.append(self.leases.open())
        return self.opened[index]

    @property
    def overview(self) -> LeaseStore:
        """A store that lists the leases which `local` has granted."""
        return self.remote if LockCapability.EVICTABLE in self.local.capabilities else self.local

    def require(self, *capabilities: LockCapability) -> None:
        """Skip the test when the store lacks one of *capabilities*."""
        for capability in capabilities:
            if capability not in self.local.capabilities:
                pytest.skip(f"the store declares that it lacks {capability}")


class LeaseSuite:
    """The base of lease store suites. Subclass, and override `leases`."""

    pytestmark = pytest.mark.asyncio

    @pytest.fixture
    def leases(self) -> LeaseStoreFactory:
        """Return the factory of the lease stores under test. Override with a fixture of any scope."""
        raise NotImplementedError("a subclass overrides the fixture `leases`")

    @pytest_asyncio.fixture
    async def stores(self, leases: LeaseStoreFactory) -> AsyncIterator[LeaseStores]:
        """Yield the stores, and close them at the end."""
        stores = LeaseStores(leases)
        yield stores
        for each in stores.opened:
            await each.close()

    @pytest.fixture
    def lock(self) -> str:
        """Return a lock name that no other test uses."""
        return f"test:{uuid.uuid4().hex}"


class LockClient:
    """A client of a lease store, which asks for each lease as a new owner."""

    def __init__(self, store: LeaseStore, label: str) -> None:
        self.store = store
        self.owner = f"host:1:boot:{label}{uuid.uuid4().hex[:8]}/1.0"

    async def try_acquire(self, name: str, ttl: float = 30, ticket: int | None = None) -> Acquired | Busy:
        """Try to acquire a lease and return the answer of the store."""
        return value_of(await self.store.try_acquire(name, self.owner, ttl, ticket))

    async def acquire(self, name: str, ttl: float = 30, ticket: int | None = None) -> int:
        """Acquire a lease, which must be free, and return its token."""
        answer = await self.try_acquire(name, ttl, ticket)
        assert isinstance(answer, Acquired), f"{name} could not be acquired: {answer!r}"
        return answer.token

    async def renew(self, name: str, token: int, ttl: float = 30) -> bool:
        """Renew the lease and return whether it is still held."""
        (is_held,) = value_of(await self.store.renew([Renewal(name, self.owner, token, ttl)]))
        return is_held

    async def release(self, name: str) -> bool:
        """Release the lease and return whether it was held."""
        return value_of(await self.store.release(name, self.owner))

    async def enqueue(self, name: str, seconds: float = 30) -> int:
        """Join the wait queue and return the ticket."""
        return value_of(await self.store.enqueue(name, self.owner, seconds))


async def eventually(condition: Callable[[], object], seconds: float = 30.0) -> None:
    """Wait until *condition* returns true; it may be asynchronous.

    Raises:
        TimeoutError: It did not within *seconds*.
    """
    async with asyncio.timeout(seconds):
        while True:
            answer = condition()
            if await answer if asyncio.iscoroutine(answer) else answer:
                return
            await asyncio.sleep(0.01)


async def is_free(store: LeaseStore, name: str) -> bool:
    """Return whether *name* has neither a holder nor waiters."""
    client = LockClient(store, "probe")
    if isinstance(await client.try_acquire(name), Busy):
        return False
    return await client.release(name)
