"""The lock of one migrating process on one database.

PostgreSQL, MySQL and MariaDB lock a name for as long as a connection lives; for SQLite the kernel locks a file beside
the database for as long as the process lives. Nothing has to be given back by a process that was killed; the file is
removed by the next one that migrates, except where there is no `flock`.

A second lock, of statements, is held by the connection that executes a step. The connection of a process that was
killed may go on executing for hours, as the server notices only when it wants to answer: whoever migrates next ends it.
"""

import asyncio
import contextlib
import dataclasses
import importlib.util
import random
import uuid
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Final, assert_never

from returns.result import Failure, Success
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection

from fastapi_easy.domain.errors import Error, LockHeld, LockLost, Outcome
from fastapi_easy.domain.locks.lease import Acquired
from fastapi_easy.domain.locks.renewal import Renewal
from fastapi_easy.domain.migrations.stopped import MigrationStop, MigrationStopped
from fastapi_easy.domain.ports.clock import Clock
from fastapi_easy.domain.ports.lease_store import LeaseStore
from fastapi_easy.infrastructure.locks.exclusive_file import ExclusiveFileLeases
from fastapi_easy.infrastructure.locks.memory import MemoryLeaseStore
from fastapi_easy.infrastructure.locks.relational import mysql_named, postgres_advisory
from fastapi_easy.infrastructure.locks.relational.lease_connections import CONNECTION_LIMITS
from fastapi_easy.infrastructure.migrations.relational.connections import (
    MigrationConnections,
    fetch_value,
    run,
)
from fastapi_easy.infrastructure.migrations.relational.failures import Refused

POLL_SECONDS: Final = (0.1, 0.4)
"""The shortest and the longest pause between two attempts."""

_LIMITS: Final = dataclasses.replace(
    CONNECTION_LIMITS, pool_timeout=10.0, connect_timeout=10.0, statement_timeout=10.0
)
"""A migration can wait for a busy server longer than a lease, which would expire meanwhile."""

_FOR_GOOD: Final = 10.0**9
"""Seconds: locks in memory would expire, those of others do not."""

_NAME_LENGTH: Final = 63
_EVICTION_ATTEMPTS: Final = 50
_EVICTION_PAUSE: Final = 0.1


class MigrationLocks:
    """Locks the migrations of one database.

    Args:
        connections: Where it is.

        database: Its name in the settings.

        clock: Measures how long was waited.

        scratch: Nobody but this process knows the database.
    """

    def __init__(
        self, connections: MigrationConnections, database: str, clock: Clock, *, scratch: bool = False
    ) -> None:
        self._connections = connections
        self._database = database
        self._clock = clock
        self._in_memory = MemoryLeaseStore(clock) if scratch else None

    @contextlib.asynccontextmanager
    async def hold(self, owner: str, wait: float) -> AsyncIterator[Outcome["MigrationLock"]]:
        """Yield the lock, or `LockHeld` by whom, or what kept it from being asked for.

        Args:
            owner: Who asks.

            wait: Seconds to wait for another process at most.
        """
        place = await self._place()
        leases = self._leases()
        lock = MigrationLock(leases, self._database, place, f"{owner} {uuid.uuid4().hex[:8]}")
        try:
            taken = await self._take(lock, wait)
            yield taken if isinstance(taken, Failure) else Success(lock)
        finally:
            await lock.release()
            if leases is not self._in_memory:
                await leases.close()

    def _leases(self) -> LeaseStore:
        match self._connections.server:
            case "postgresql":
                return postgres_advisory.PostgresAdvisoryLockStore(
                    self._connections.url, self._clock, _LIMITS
                )
            case "mysql":
                return mysql_named.MySqlNamedLockStore(self._connections.url, self._clock, _LIMITS)
            case "sqlite":
                return self._in_memory or _leases_beside(self._connections.file)
            case _:
                assert_never(self._connections.server)

    async def _place(self) -> str:
        """Return what is locked: the schema in which the ledger is, whatever application migrates it."""
        asked = _PLACES.get(self._connections.server)
        if asked is None:
            return "migrations"
        async with self._connections.open() as connection:
            return f"migrations of {await fetch_value(connection, asked)}"

    async def _take(self, lock: "MigrationLock", wait: float) -> Outcome[None]:
        until = self._clock.monotonic() + wait
        checked = await self._check(lock)
        if isinstance(checked, Failure):
            return checked
        while True:
            asked = await lock.leases.try_acquire(lock.place, lock.owner, _FOR_GOOD)
            if isinstance(asked, Failure):
                return self._protected() if self._connections.server == "sqlite" else asked
            answer = asked.unwrap()
            if isinstance(answer, Acquired):
                lock.token = answer.token
                return await self._sign(lock)
            left = until - self._clock.monotonic()
            if left <= 0:
                holder = answer.holder or await self._holder(lock.place)
                return Failure(
                    LockHeld(f"migrations of {self._database}{f', by {holder}' if holder else ''}")
                )
            await asyncio.sleep(min(left, random.uniform(*POLL_SECONDS)))  # noqa: S311 - no secret

    def _protected(self) -> Failure[Error]:
        folder = self._connections.file.absolute().parent
        return Failure(
            MigrationStopped(
                self._database,
                MigrationStop.FAILED,
                f"this user cannot create files in {folder}, which a migration has to: nothing was changed",
            )
        )

    async def _check(self, lock: "MigrationLock") -> Outcome[None]:
        if self._connections.server == "sqlite":
            return Success(None)
        checked = await lock.leases.check()
        if isinstance(checked, Failure):
            return checked
        problems = tuple(checked.unwrap())
        if problems:
            return Failure(
                MigrationStopped(self._database, MigrationStop.FAILED, problems[0], details=problems)
            )
        return Success(None)

    async def _sign(self, lock: "MigrationLock") -> Outcome[None]:
        if isinstance(lock.leases, postgres_advisory.PostgresAdvisoryLockStore):
            # For whoever waits: the server keeps 63 bytes.
            named = "SELECT set_config('application_name', :name, false)"
            _ = await lock.leases.execute(named, name=lock.owner[:_NAME_LENGTH])
        return Success(None)

    async def _holder(self, place: str) -> str:
        """Return who has the lock, as far as the server tells."""
        match self._connections.server:
            case "postgresql":
                asked = _POSTGRES_HOLDER.format(key=postgres_advisory.key_of(place))
            case "mysql":
                asked = _MYSQL_HOLDER.format(key=mysql_named.key_of(place))
            case "sqlite":
                return ""
            case _:
                assert_never(self._connections.server)
        async with self._connections.open() as connection:
            return str(await fetch_value(connection, asked) or "")


def _leases_beside(file: Path) -> LeaseStore:
    """Return the lock of whoever migrates the database in *file*."""
    if importlib.util.find_spec("fcntl") is None:
        return ExclusiveFileLeases(file.with_name(f"{file.name}-lock"))
    # It leaves no file behind, and needs what only POSIX has.
    from fastapi_easy.infrastructure.locks.file import FileLeaseStore  # noqa: PLC0415 (not there elsewhere)

    return FileLeaseStore(file.with_name(f"{file.name}-locks"), keeps_files=False)


class MigrationLock:
    """The lock while it is held.

    Args:
        leases: What it was got from.

        database: The name of the database in the settings.

        place: What is locked.

        owner: Who has asked for it, unlike every other.
    """

    def __init__(self, leases: LeaseStore, database: str, place: str, owner: str) -> None:
        self.leases = leases
        self.place = place
        self.owner = owner
        self.token = 0
        self._database = database

    async def verify(self) -> Outcome[None]:
        """Ask where the lock is kept whether it is held still."""
        renewed = await self.leases.renew([Renewal(self.place, self.owner, self.token, _FOR_GOOD)])
        if isinstance(renewed, Failure):
            return renewed
        return (
            Success(None) if all(renewed.unwrap()) else Failure(LockLost(f"migrations of {self._database}"))
        )

    async def release(self) -> None:
        """Give it back, if it was got; the end of the connection, or of the process, would do it too."""
        if self.token:
            _ = await self.leases.release(self.place, self.owner)

    async def claim_statements(self, connection: AsyncConnection) -> None:
        """Let *connection* alone execute statements here; end the one of an earlier session that still does.

        Raises:
            Refused: This session has lost its lock, or the other connection does not end.
        """
        server = connection.dialect.name
        if server == "sqlite":
            # A statement ends with its process, and a transaction with its connection.
            return
        calls = _POSTGRES_CALLS if server == "postgresql" else _MYSQL_CALLS
        place = f"{self.place}: statements"
        key = str(postgres_advisory.key_of(place)) if server == "postgresql" else mysql_named.key_of(place)
        for attempt in range(_EVICTION_ATTEMPTS):
            if await fetch_value(connection, calls["try"].format(key=key)):
                return
            if attempt % 10 == 0:
                # Only who holds the lock may end others: an older session would end the newer one.
                held = await self.verify()
                if isinstance(held, Failure):
                    raise Refused(held.failure())
                await self._end_holder(connection, calls, key)
            await asyncio.sleep(_EVICTION_PAUSE)
        raise Refused(LockHeld(f"a statement of an earlier migration of {self._database}"))

    async def _end_holder(self, connection: AsyncConnection, calls: dict[str, str], key: str) -> None:
        holder = await fetch_value(connection, calls["holder"].format(key=key))
        if holder is not None:
            # Without the privilege it has to end by itself; it may have ended meanwhile.
            with contextlib.suppress(SQLAlchemyError):
                _ = await run(connection, calls["end"].format(holder=int(holder)))


_PLACES: Final = {
    "postgresql": "SELECT concat(current_database(), '.', current_schema())",
    "mysql": "SELECT DATABASE()",
}

_POSTGRES_LOCK: Final = """
 FROM pg_locks l JOIN pg_stat_activity a USING (pid)
 WHERE l.locktype = 'advisory' AND l.objsubid = 1 AND l.granted
   AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
   AND (CAST(l.classid AS bigint) << 32 | CAST(l.objid AS bigint)) = CAST({key} AS bigint)
"""
_POSTGRES_HOLDER: Final = (
    "SELECT concat_ws(' ', nullif(a.application_name, ''), 'as', a.usename, 'from ' || host(a.client_addr),"
    " '(process', l.pid, 'of the server)')" + _POSTGRES_LOCK
)
_MYSQL_HOLDER: Final = """
SELECT CONCAT('connection ', id, ' of the server, user ', user, ' from ', host)
  FROM information_schema.processlist WHERE id = IS_USED_LOCK('{key}')
"""
_POSTGRES_CALLS: Final = {
    "try": "SELECT pg_try_advisory_lock(CAST({key} AS bigint))",
    "holder": "SELECT l.pid" + _POSTGRES_LOCK,
    "end": "SELECT pg_terminate_backend({holder})",
}
_MYSQL_CALLS: Final = {
    "try": "SELECT GET_LOCK('{key}', 0)",
    "holder": "SELECT IS_USED_LOCK('{key}')",
    "end": "KILL CONNECTION {holder}",
}
