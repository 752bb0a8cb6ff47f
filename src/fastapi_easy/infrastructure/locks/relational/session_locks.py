"""Locks that belong to a database session and end with it: for migrations, and before there is any table.

One connection holds all of them. Session locks are reentrant, so two tasks on that connection would both get a lock:
the tasks of this process are kept apart here.
"""

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeVar

from returns.result import Failure, Success
from sqlalchemy import URL, text

from fastapi_easy.domain.errors import Outcome, Unsupported
from fastapi_easy.domain.locks.lease import Acquired, Busy, LockCapability, LockInfo
from fastapi_easy.domain.locks.renewal import Renewal
from fastapi_easy.domain.ports.clock import Clock
from fastapi_easy.domain.ports.database import Pool
from fastapi_easy.infrastructure.locks.polling import PollingLeases
from fastapi_easy.infrastructure.locks.relational.lease_connections import (
    CONNECTION_LIMITS,
    LeaseConnections,
    classify_unavailable,
)
from fastapi_easy.infrastructure.relational.driver.executor import Record
from fastapi_easy.infrastructure.relational.driver.pool import ConnectionPool
from fastapi_easy.infrastructure.relational.driver.pooled_connection import PooledConnection
from fastapi_easy.infrastructure.relational.errors import DATABASE_ERRORS
from fastapi_easy.infrastructure.relational.options import ConnectionOptions

T = TypeVar("T")

MAX_LOCKS: Final = 256
"""Locks of one process at most: a server keeps them in shared memory, which other statements need too."""

POOLED: Final = "session locks behind a connection pooler in transaction mode"

POOLED_ADVICE: Final = (
    "session locks do not work behind a connection pooler in transaction mode: connect to the server directly"
)


@dataclass(frozen=True, slots=True)
class _Held:
    owner: str
    token: int
    since: float


class SessionLockStore(PollingLeases, ABC):
    """Implements `LeaseStore` but for the statements of each database.

    A lock does not expire. It is gone when the connection is, which the next heartbeat notices.

    Args:
        url: With its driver; not through a pooler in transaction mode.

        clock: Measures how long something is held.

        limits: Of the connection.
    """

    capabilities: frozenset[LockCapability] = frozenset({LockCapability.CROSS_HOST})

    def __init__(self, url: URL, clock: Clock, limits: ConnectionOptions = CONNECTION_LIMITS) -> None:
        super().__init__()
        self.name = f"session locks in {url.get_backend_name()}"
        self._connections = LeaseConnections(url, limits)
        self._clock = clock
        self._pool: ConnectionPool | None = None
        self._pooled: PooledConnection | None = None
        self._held: dict[str, _Held] = {}
        self._token = 0
        self._mutex = asyncio.Lock()

    async def try_acquire(
        self, name: str, owner: str, ttl: float, ticket: int | None = None
    ) -> Outcome[Acquired | Busy]:
        """Give *name* to *owner* if it is free, or is its already."""

        async def acquire() -> Acquired | Busy | None:
            held = self._held.get(name)
            if held is not None:
                return Acquired(held.token) if held.owner == owner else Busy(held.owner)
            if len(self._held) >= MAX_LOCKS:
                return Busy(limit=MAX_LOCKS)
            if await self._are_sessions_shared():
                # A lock would stay with a session that the pooler lends to others.
                return None
            micros = await self.lock(name)
            if micros is None:
                return Busy()
            # Two locks may be granted in one microsecond; tokens of this process grow all the same.
            self._token = max(self._token + 1, micros)
            self._held[name] = _Held(owner, self._token, self._clock.monotonic())
            return Acquired(self._token)

        acquired = await self._run_exclusive(acquire)
        if isinstance(acquired, Failure):
            return acquired
        answer = acquired.unwrap()
        return Failure(Unsupported(name, POOLED)) if answer is None else Success(answer)

    async def renew(self, leases: Sequence[Renewal]) -> Outcome[Sequence[bool]]:
        """Return which of *leases* are still held, by the connection they belong to."""

        async def check_held() -> Sequence[bool]:
            known = [each.name for each in leases if self._knows(each)]
            locked = await self.find_locked(known) if known else frozenset[str]()
            return [each.name in locked and self._knows(each) for each in leases]

        looked = await self._run_exclusive(check_held)
        if isinstance(looked, Failure) and not self._held:
            # A connection that failed was dropped with its locks: they are lost for certain, and not just unknown.
            return Success([False] * len(leases))
        return looked

    async def release(self, name: str, owner: str) -> Outcome[bool]:
        """Release *name*; return whether *owner* had it."""

        async def release_held() -> bool:
            held = self._held.get(name)
            if held is None or held.owner != owner:
                return False
            del self._held[name]
            return await self.unlock(name)

        return await self._run_exclusive(release_held)

    async def inspect(self, prefix: str = "") -> Outcome[Sequence[LockInfo]]:
        """List the names that this process holds and that begin with *prefix*: the server knows numbers only."""
        now = self._clock.monotonic()
        return Success(
            [
                LockInfo(name=name, owner=held.owner, token=held.token, age=now - held.since, remaining=None)
                for name, held in sorted(self._held.items())
                if name.startswith(prefix)
            ]
        )

    @property
    def pool(self) -> Pool | None:
        """Its connection; `None` before the first call."""
        return self._connections.pool

    async def answers(self) -> Outcome[None]:
        """Ask whether the session still stands, or a new one can be made."""

        async def ping() -> None:
            _ = await self.execute("SELECT 1")

        return await self._run_exclusive(ping)

    async def check(self) -> Outcome[Sequence[str]]:
        """Report what makes sessions useless for locks here."""

        async def find() -> Sequence[str]:
            return [POOLED_ADVICE] if await self._are_sessions_shared() else await self.find_problems()

        return await self._run_exclusive(find)

    async def close(self) -> None:
        """Close the connection, which releases everything that is locked."""
        async with self._mutex:
            self._held.clear()
            pooled, self._pooled = self._pooled, None
            pool, self._pool = self._pool, None
            if pool is not None:
                if pooled is not None:
                    pool.check_in(pooled)
                await pool.close()
            await self._connections.close()

    @abstractmethod
    async def lock(self, name: str) -> int | None:
        """Lock *name* if nobody else has; return the microseconds since 1970 by the server's clock, or `None`."""

    @abstractmethod
    async def unlock(self, name: str) -> bool:
        """Unlock *name*; return whether the connection had it."""

    @abstractmethod
    async def find_locked(self, names: Sequence[str]) -> frozenset[str]:
        """Return which of *names* the connection still has, in one statement."""

    @abstractmethod
    async def find_problems(self) -> Sequence[str]:
        """Report what makes sessions useless here, each a sentence with the way to mend it."""

    @abstractmethod
    async def configure_session(self) -> None:
        """Ask the server not to close the connection for being idle."""

    async def execute(self, sql: str, **parameters: str | int) -> Any:
        """Execute *sql*, and return the first value of the answer."""
        return (await self.fetch_rows(sql, **parameters))[0][0]

    async def fetch_rows(self, sql: str, **parameters: str | int) -> Sequence[Record]:
        """Execute *sql*, and return the rows of the answer."""
        if self._pooled is None:
            await self._connect()
        assert self._pooled is not None  # noqa: S101 (connected)
        return (await self._connections.executor.run(self._pooled, text(sql), parameters)).rows

    async def run_command(self, sql: str) -> None:
        """Execute *sql*, which returns no rows, if there is a connection."""
        if self._pooled is not None:
            await self._connections.executor.run_command(self._pooled, sql)

    def _knows(self, lease: Renewal) -> bool:
        held = self._held.get(lease.name)
        return held is not None and (held.owner, held.token) == (lease.owner, lease.token)

    async def _connect(self) -> None:
        if self._pool is None:
            self._pool = self._connections.open_pool(1)
        self._pooled = await self._pool.check_out()
        if not self._connections.sessions.are_shared:
            await self.configure_session()

    async def _are_sessions_shared(self) -> bool:
        """Return whether a pooler lends the session of the connection to others too."""
        if self._pooled is None:
            await self._connect()
        return self._connections.sessions.are_shared

    async def _run_exclusive(self, operation: Callable[[], Awaitable[T]]) -> Outcome[T]:
        async with self._mutex:
            try:
                return Success(await operation())
            except DATABASE_ERRORS as error:
                # Whether the server has noticed or not, the locks of this connection cannot be relied on any more.
                self._drop_connection()
                unavailable = classify_unavailable(error, self.name)
                if unavailable is None:
                    raise
                return Failure(unavailable)
            except BaseException:
                # Cancelled in the middle: the connection may hold an answer, or a lock, that nobody will ask for.
                self._drop_connection()
                raise

    def _drop_connection(self) -> None:
        self._held.clear()
        pooled, self._pooled = self._pooled, None
        if pooled is not None and self._pool is not None:
            self._pool.discard(pooled)
