"""The lock of one migrating process on one database: a lease by the server's clock, renewed while it is held."""

import asyncio
import contextlib
import random
import uuid
from collections.abc import AsyncIterator
from typing import Final

from returns.result import Failure, Success

from fastapi_easy.domain.errors import LockHeld, LockLost, Outcome
from fastapi_easy.domain.locks.lease import Acquired
from fastapi_easy.domain.locks.renewal import Renewal
from fastapi_easy.domain.ports.clock import Clock
from fastapi_easy.infrastructure.locks.mongo import MongoLeaseStore
from fastapi_easy.infrastructure.persistence.mongo.errors import DATABASE_ERRORS

_PLACE: Final = "fastapi_easy migrations"
"""The name of the lease, which is kept in the database that is migrated."""

_TTL: Final = 30.0
"""Seconds for which it is held without being renewed: a process that was killed keeps others out for so long."""

_RENEWALS: Final = 3
_POLL_SECONDS: Final = (0.1, 0.4)
"""The shortest and the longest pause between two attempts."""


class MigrationLocks:
    """Locks the migrations of one database.

    Args:
        url: Where it is.

        database: Its name in the settings.

        clock: Measures how long was waited.

        ttl: Seconds for which the lock is held without being renewed.
    """

    def __init__(self, url: str, database: str, clock: Clock, ttl: float = _TTL) -> None:
        self._url = url
        self._database = database
        self._clock = clock
        self._ttl = ttl

    @contextlib.asynccontextmanager
    async def hold(self, owner: str, wait: float) -> AsyncIterator[Outcome["MigrationLock"]]:
        """Yield the lock, or `LockHeld` by whom, or what kept it from being asked for.

        Args:
            owner: Who asks.

            wait: Seconds to wait for another process at most.
        """
        leases = MongoLeaseStore(self._url)
        lock = MigrationLock(leases, self._database, f"{owner} {uuid.uuid4().hex[:8]}", self._ttl)
        try:
            taken = await self._take(lock, wait)
            if isinstance(taken, Failure):
                yield taken
                return
            renewing = asyncio.create_task(lock.keep())
            try:
                yield Success(lock)
            finally:
                _ = renewing.cancel()
                _ = await asyncio.wait([renewing])
        finally:
            # Also when whoever asked has given up: the server may have given it all the same.
            await lock.release()
            await leases.close()

    async def _take(self, lock: "MigrationLock", wait: float) -> Outcome[None]:
        until = self._clock.monotonic() + wait
        while True:
            asked = await lock.leases.try_acquire(_PLACE, lock.owner, self._ttl)
            if isinstance(asked, Failure):
                return asked
            answer = asked.unwrap()
            if isinstance(answer, Acquired):
                lock.token = answer.token
                return Success(None)
            left = until - self._clock.monotonic()
            if left <= 0:
                holder = f", by {answer.holder}" if answer.holder else ""
                return Failure(LockHeld(f"migrations of {self._database}{holder}"))
            await asyncio.sleep(min(left, random.uniform(*_POLL_SECONDS)))  # noqa: S311 - no secret


class MigrationLock:
    """The lock while it is held.

    Args:
        leases: What it was got from.

        database: The name of the database in the settings.

        owner: Who has asked for it, unlike every other.

        ttl: Seconds for which it is held without being renewed.
    """

    def __init__(self, leases: MongoLeaseStore, database: str, owner: str, ttl: float) -> None:
        self.leases = leases
        self.owner = owner
        self.token = 0
        self._has_ended = False
        self._database = database
        self._ttl = ttl

    async def verify(self) -> Outcome[None]:
        """Ask the server whether it is held still, and renew it."""
        if self._has_ended:
            return Failure(LockLost(f"migrations of {self._database}"))
        renewed = await self.leases.renew([Renewal(_PLACE, self.owner, self.token, self._ttl)])
        if isinstance(renewed, Failure):
            return renewed
        return (
            Success(None) if all(renewed.unwrap()) else Failure(LockLost(f"migrations of {self._database}"))
        )

    async def keep(self) -> None:
        """Renew it until it is lost, or the task is cancelled. A server that does not answer is asked again."""
        while True:
            await asyncio.sleep(self._ttl / _RENEWALS)
            with contextlib.suppress(*DATABASE_ERRORS):
                renewed = await self.verify()
                if isinstance(renewed, Failure) and isinstance(renewed.failure(), LockLost):
                    return

    async def release(self) -> None:
        """Give it back; otherwise it would end by itself."""
        self._has_ended = True
        with contextlib.suppress(*DATABASE_ERRORS):
            _ = await self.leases.release(_PLACE, self.owner)
