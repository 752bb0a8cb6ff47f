"""Locks that belong to a connection and end with it: for migrations, and before there is any table.

One connection has all of them. The database does not keep the tasks of one connection apart, so that is done here.
"""

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeVar

from returns.result import Failure, Success
from sqlalchemy import URL, text

from fastapi_easy.domain.errors import Outcome
from fastapi_easy.domain.locks.lease import Acquired, Busy, LockCapability, LockInfo
from fastapi_easy.domain.ports.clock import Clock
from fastapi_easy.domain.ports.database import Pool
from fastapi_easy.infrastructure.locks.polling import PollingLeases
from fastapi_easy.infrastructure.locks.relational.lease_connections import (
    LeaseConnections,
    classify_unavailable,
)
from fastapi_easy.infrastructure.relational.driver.pool import ConnectionPool
from fastapi_easy.infrastructure.relational.driver.pooled_connection import PooledConnection
from fastapi_easy.infrastructure.relational.errors import DATABASE_ERRORS

T = TypeVar("T")

MAX_LOCKS: Final = 256
"""Locks of one process: a server keeps the locks of all in memory that other statements need too."""


@dataclass(frozen=True, slots=True)
class _Held:
    owner: str
    token: int
    since: float


class SessionLockStore(PollingLeases, ABC):
    """Implements `LeaseStore` but for the words of each database.

    A lock does not run out. It is gone when the connection is, which the next heartbeat notices.

    Args:
        url: With its driver; not through a pooler that shares sessions.

        clock: Says how long something is held.
    """

    capabilities: frozenset[LockCapability] = frozenset({LockCapability.CROSS_HOST})

    def __init__(self, url: URL, clock: Clock) -> None:
        super().__init__()
        self.name = f"session locks in {url.get_backend_name()}"
        self._connections = LeaseConnections(url)
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

        async def acquire() -> Acquired | Busy:
            held = self._held.get(name)
            if held is not None:
                return Acquired(held.token) if held.owner == owner else Busy(held.owner)
            if len(self._held) >= MAX_LOCKS:
                return Busy(f"this process: limit of {MAX_LOCKS} session locks reached")
            micros = await self.lock(name)
            if micros is None:
                return Busy()
            self._token = max(self._token + 1, micros)
            self._held[name] = _Held(owner, self._token, self._clock.monotonic())
            return Acquired(self._token)

        return await self._run_exclusive(acquire)

    async def renew(self, name: str, owner: str, token: int, ttl: float) -> Outcome[bool]:
        """Whether *owner* still has it, and the connection it belongs to still stands."""

        async def check_held() -> bool:
            held = self._held.get(name)
            return (
                held is not None and (held.owner, held.token) == (owner, token) and await self.is_locked(name)
            )

        looked = await self._run_exclusive(check_held)
        # Without its connection there is no lock, whatever else is not known.
        return Success(False) if isinstance(looked, Failure) and name not in self._held else looked

    async def release(self, name: str, owner: str) -> Outcome[bool]:
        """Give *name* back; whether *owner* had it."""

        async def release_held() -> bool:
            held = self._held.get(name)
            if held is None or held.owner != owner:
                return False
            del self._held[name]
            return await self.unlock(name)

        return await self._run_exclusive(release_held)

    async def inspect(self, prefix: str = "") -> Outcome[Sequence[LockInfo]]:
        """The names that this process holds and that begin with *prefix*: the server knows numbers only."""
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
        """Its connection; `None` when nobody has asked it anything yet."""
        return self._connections.pool

    async def answers(self) -> Outcome[None]:
        """Whether the session still stands, or a new one can."""

        async def ping() -> None:
            _ = await self.ask("SELECT 1")

        return await self._run_exclusive(ping)

    async def check(self) -> Outcome[Sequence[str]]:
        """Whether there is a session that locks can belong to."""
        return await self._run_exclusive(self.mistakes)

    async def close(self) -> None:
        """Give back the connection, and everything with it."""
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
        """Lock *name* if nobody else has; the microseconds since 1970 by the server's clock, or `None`."""

    @abstractmethod
    async def unlock(self, name: str) -> bool:
        """Unlock *name*; whether the connection had it."""

    @abstractmethod
    async def is_locked(self, name: str) -> bool:
        """Whether the connection still has *name*."""

    @abstractmethod
    async def mistakes(self) -> Sequence[str]:
        """What makes sessions useless here, each a sentence with the way to mend it."""

    @abstractmethod
    async def configure_session(self) -> None:
        """Ask the server not to close the connection because nothing is said on it."""

    async def ask(self, sql: str, **parameters: Any) -> Any:
        """The first value of the answer to *sql*."""
        if self._pooled is None:
            await self._connect()
        assert self._pooled is not None  # noqa: S101 (connected)
        answer = await self._connections.executor.run(self._pooled, text(sql), parameters)
        return answer.rows[0][0]

    async def run_command(self, sql: str) -> None:
        """Say *sql*, which are answered with nothing."""
        if self._pooled is not None:
            await self._connections.executor.run_command(self._pooled, sql)

    async def _connect(self) -> None:
        if self._pool is None:
            self._pool = self._connections.open_pool(1)
        self._pooled = await self._pool.check_out()
        await self.configure_session()

    async def _run_exclusive(self, operation: Callable[[], Awaitable[T]]) -> Outcome[T]:
        async with self._mutex:
            try:
                return Success(await operation())
            except DATABASE_ERRORS as error:
                # Whether the server has noticed or not: what belonged to this connection is not to be relied on.
                self._drop_connection()
                unavailable = classify_unavailable(error, self.name)
                if unavailable is None:
                    raise
                return Failure(unavailable)
            except BaseException:
                self._drop_connection()
                raise

    def _drop_connection(self) -> None:
        self._held.clear()
        pooled, self._pooled = self._pooled, None
        if pooled is not None and self._pool is not None:
            self._pool.discard(pooled)
