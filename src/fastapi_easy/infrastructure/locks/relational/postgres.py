"""Leases in PostgreSQL, which notifies those who wait."""

import asyncio
from collections.abc import AsyncIterator, Container, Mapping
from contextlib import asynccontextmanager
from typing import ClassVar, Final

from returns.result import Success
from sqlalchemy import URL

from fastapi_easy.domain.errors import Outcome
from fastapi_easy.domain.locks.lease import Acquired, Busy
from fastapi_easy.infrastructure.locks.relational.lease_store import Parameters, RelationalLeaseStore
from fastapi_easy.infrastructure.locks.relational.statements import ACQUIRE_STATEMENT, INSERT_WAIT
from fastapi_easy.infrastructure.relational.driver.pool import ConnectionPool
from fastapi_easy.infrastructure.relational.driver.pooled_connection import PooledConnection
from fastapi_easy.infrastructure.relational.errors import DATABASE_ERRORS

CHANNEL: Final = "fe_lock"

_ACQUIRE: Final = """
WITH got AS ({acquire}),
     arrived AS (DELETE FROM fe_lock_wait WHERE owner = :owner AND EXISTS (SELECT 1 FROM got))
SELECT token, NULL, 0 FROM got
UNION ALL
SELECT NULL, (SELECT owner FROM fe_lock WHERE name = :name AND expires_at > {now}),
       (SELECT count(*) FROM fe_lock_wait WHERE name = :name AND expires_at > {now} AND ticket < :ticket)
 WHERE NOT EXISTS (SELECT 1 FROM got)
"""
_RENEW: Final = """
UPDATE fe_lock AS l SET expires_at = {now} + r.ttl
  FROM json_to_recordset(CAST(CAST(:leases AS text) AS json)) AS r(name text, owner text, token bigint, ttl bigint)
 WHERE l.name = r.name AND l.owner = r.owner AND l.token = r.token AND l.expires_at > {now}
RETURNING l.name
"""
_RELEASE: Final = """
WITH r AS (UPDATE fe_lock SET owner = NULL, expires_at = NULL WHERE name = :name AND owner = :owner RETURNING 1)
SELECT 1, {notify} FROM r
"""
_DEQUEUE: Final = """
WITH r AS (DELETE FROM fe_lock_wait WHERE owner = :owner RETURNING 1)
SELECT 1, {notify} FROM r
"""


class PostgresLeaseStore(RelationalLeaseStore):
    """Implements `LeaseStore` in PostgreSQL. With asyncpg one more connection listens, from the first wait on.

    Behind a pooler in transaction mode it does not listen, since another client would hear it; waiters then poll.
    """

    dialect: ClassVar[Mapping[str, str]] = {
        "{acquire}": ACQUIRE_STATEMENT,
        # Notifies the next waiter only, and only if there is one: commits that notify take a lock of the whole cluster.
        "{notify}": "(SELECT pg_notify('fe_lock', w.owner) FROM fe_lock_wait w WHERE w.name = :name "
        "AND w.owner <> :owner AND w.expires_at > {now} ORDER BY w.ticket LIMIT 1)",
        # Not now(), which is the start of the transaction.
        "{day}": "{now}",
        "{now}": "CAST(extract(epoch FROM clock_timestamp()) * 1000000 AS bigint)",
        "{greatest}": "greatest",
        # The lock that a foreign key takes. Renewals and releases pass it by, since they change no key; to acquire
        # the name is to write its key, which waits.
        "{keeps_token}": "FOR KEY SHARE",
    }

    def __init__(self, url: URL) -> None:
        super().__init__(url)
        self._listener_pool: ConnectionPool | None = None
        self._listener: PooledConnection | None = None
        self._is_connecting = False

    async def acquire_row(self, parameters: Parameters) -> Acquired | Busy:
        """Try to acquire the lease that *parameters* name."""
        answer = await self.execute_unless_guarded(_ACQUIRE, parameters)
        if answer is None:
            return Busy()
        ((token, holder, ahead),) = answer.rows
        return Busy(holder, ahead) if token is None else Acquired(token)

    async def insert_wait(self, parameters: Parameters) -> int:
        """Insert or prolong a wait; return its ticket."""
        return int((await self.execute(INSERT_WAIT, parameters)).rows[0][0])

    async def release(self, name: str, owner: str) -> Outcome[bool]:
        """Release *name*, and notify the next waiter; return whether *owner* had it."""
        return await self._execute_and_notify(_RELEASE, name, owner)

    async def renew_rows(self, parameters: Parameters, count: int) -> Container[str]:
        """Renew leases; return the names that are held."""
        return {str(name) for (name,) in (await self.execute(_RENEW, parameters)).rows}

    async def dequeue(self, name: str, owner: str) -> Outcome[None]:
        """End the wait of *owner* for *name*, and notify the next waiter."""
        notified = await self._execute_and_notify(_DEQUEUE, name, owner)
        return Success(None) if isinstance(notified, Success) else notified

    @property
    def sends_wakeups(self) -> bool:
        """Whether the listening connection stands."""
        return self._listener is not None and not self._listener.driver.is_closed()

    @asynccontextmanager
    async def wakeups(self, name: str, owner: str) -> AsyncIterator[asyncio.Event]:
        """Return an event that is set when it is the turn of *owner*."""
        if self.connections.url.get_driver_name() == "asyncpg" and not self.connections.sessions.are_shared:
            await self._listen()
        async with self._events.register(owner) as event:
            yield event

    async def close(self) -> None:
        """Close every connection."""
        listener_pool, listener = self._listener_pool, self._listener
        self._listener_pool = self._listener = None
        if listener_pool is not None:
            if listener is not None:
                listener_pool.check_in(listener)
            await listener_pool.close()
        await super().close()

    async def _execute_and_notify(self, sql: str, name: str, owner: str) -> Outcome[bool]:
        try:
            answer = await self.execute(sql, {"name": name, "owner": owner})
        except DATABASE_ERRORS as error:
            return self._unavailable(error)
        return Success(bool(answer.rows))

    async def _listen(self) -> None:
        """Listen on a connection for that alone. Without one those who wait poll, only later."""
        if self._is_connecting or self.sends_wakeups:
            return
        self._is_connecting = True
        try:
            if self._listener_pool is None:
                self._listener_pool = self.connections.open_pool(1)
            listener_pool, old, self._listener = self._listener_pool, self._listener, None
            if old is not None:
                listener_pool.discard(old)
            listener = await listener_pool.check_out()
            try:
                await listener.driver.add_listener(CHANNEL, self._on_notification)
            except BaseException:
                listener_pool.discard(listener)
                raise
            if self._listener_pool is listener_pool:
                self._listener = listener
            else:
                listener_pool.check_in(listener)  # the store was closed meanwhile
        except DATABASE_ERRORS:
            # Nothing is lost but speed: those who wait poll.
            return
        finally:
            self._is_connecting = False

    def _on_notification(self, _connection: object, _pid: int, _channel: str, owner: str) -> None:
        self._events.wake(owner)
