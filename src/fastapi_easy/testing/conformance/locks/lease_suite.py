"""What a lease store hands to its suite, and what the suite is made of."""

import asyncio
import uuid
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from typing import Any

import pytest
import pytest_asyncio

from fastapi_easy.domain.locks.lease import Busy, Grant, LockCapability
from fastapi_easy.domain.ports.lease_store import LeaseStore
from fastapi_easy.testing.conformance.store import value_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Leases:
    """A place where leases are kept, and ways to it.

    Attributes:
        open: Makes one more store on the same place, as another process has it. The suite closes what it opened.

        column: What it is called where results are counted.
    """

    open: Callable[[], LeaseStore]
    column: str = ""


@dataclass(slots=True)
class Stores:
    """Two stores on the same place, as two processes have them, and more on demand.

    Attributes:
        leases: Where they lead to.

        opened: All of them.
    """

    leases: Leases
    opened: list[LeaseStore] = field(default_factory=list)

    @property
    def here(self) -> LeaseStore:
        """That of this process."""
        return self.number(0)

    @property
    def there(self) -> LeaseStore:
        """That of another process."""
        return self.number(1)

    def number(self, index: int) -> LeaseStore:
        """The store with that number."""
        while len(self.opened) <= index:
            self.opened.append(self.leases.open())
        return self.opened[index]

    @property
    def overview(self) -> LeaseStore:
        """One that lists what `here` has granted."""
        return self.there if LockCapability.EVICTABLE in self.here.capabilities else self.here

    def require(self, *capabilities: LockCapability) -> None:
        """Skip the test when the store lacks one of *capabilities*."""
        for capability in capabilities:
            if capability not in self.here.capabilities:
                pytest.skip(f"the store declares that it lacks {capability}")


class LeaseSuite:
    """Promises that every lease store keeps. Subclass, and override `leases`."""

    pytestmark = pytest.mark.asyncio

    @pytest.fixture
    def leases(self) -> Leases:
        """Where leases are kept. Override with a fixture of any scope."""
        raise NotImplementedError("a subclass overrides the fixture `leases`")

    @pytest_asyncio.fixture
    async def stores(self, leases: Leases) -> AsyncIterator[Stores]:
        """Stores that are closed at the end."""
        stores = Stores(leases)
        yield stores
        for each in stores.opened:
            await each.close()

    @pytest.fixture
    def lock(self) -> str:
        """A name that no other test uses."""
        return f"test:{uuid.uuid4().hex}"


class Party:
    """Somebody who asks a store for names, each time as a new owner."""

    def __init__(self, store: LeaseStore, called: str) -> None:
        self.store = store
        self.owner = f"host:1:boot:{called}{uuid.uuid4().hex[:8]}/1.0"

    async def ask(self, name: str, ttl: float = 30, ticket: int | None = None) -> Grant | Busy:
        """What the store answers."""
        return value_of(await self.store.try_acquire(name, self.owner, ttl, ticket))

    async def take(self, name: str, ttl: float = 30, ticket: int | None = None) -> int:
        """The token of a grant, which is to be had."""
        answer = await self.ask(name, ttl, ticket)
        assert isinstance(answer, Grant), f"{name} is not to be had: {answer!r}"
        return answer.token

    async def renew(self, name: str, token: int, ttl: float = 30) -> bool:
        """What the store answers."""
        return value_of(await self.store.renew(name, self.owner, token, ttl))

    async def release(self, name: str) -> bool:
        """What the store answers."""
        return value_of(await self.store.release(name, self.owner))

    async def line_up(self, name: str, seconds: float = 30) -> int:
        """The ticket."""
        return value_of(await self.store.enqueue(name, self.owner, seconds))


async def eventually(condition: Callable[[], Any], seconds: float = 5.0) -> None:
    """Wait until *condition*, which may be awaited, holds.

    Raises:
        TimeoutError: It never did.
    """
    async with asyncio.timeout(seconds):
        while True:
            answer = condition()
            if await answer if asyncio.iscoroutine(answer) else answer:
                return
            await asyncio.sleep(0.01)


async def is_free(store: LeaseStore, name: str) -> bool:
    """Whether nobody holds *name*, nor waits for it."""
    party = Party(store, "probe")
    if isinstance(await party.ask(name), Busy):
        return False
    return await party.release(name)
