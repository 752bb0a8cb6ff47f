"""Leases in PostgreSQL, which tells those who wait."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any, ClassVar, Final

from returns.result import Success
from sqlalchemy import URL

from fastapi_easy.domain.errors import Outcome
from fastapi_easy.domain.locks.lease import Busy, Grant
from fastapi_easy.infrastructure.locks.relational.lease_store import RelationalLeaseStore
from fastapi_easy.infrastructure.locks.relational.statements import ACQUIRE, LINE_UP
from fastapi_easy.infrastructure.relational.driver.pool import Channel, ConnectionPool
from fastapi_easy.infrastructure.relational.errors import REFUSALS

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
_RELEASE: Final = """
WITH r AS (UPDATE fe_lock SET owner = NULL, expires_at = NULL WHERE name = :name AND owner = :owner RETURNING 1)
SELECT 1, {told} FROM r
"""
_DEQUEUE: Final = """
WITH r AS (DELETE FROM fe_lock_wait WHERE owner = :owner RETURNING 1)
SELECT 1, {told} FROM r
"""


class PostgresLeaseStore(RelationalLeaseStore):
    """Implements `LeaseStore` in PostgreSQL. With asyncpg one more connection listens while somebody waits.

    Behind a pooler that shares sessions nothing is heard there; those who wait then look by themselves.
    """

    words: ClassVar[Mapping[str, str]] = {
        "{acquire}": ACQUIRE,
        # Only whoever is next, and only if somebody is: every commit that notifies waits for all others that do.
        "{told}": "(SELECT pg_notify('fe_lock', w.owner) FROM fe_lock_wait w WHERE w.name = :name "
        "AND w.owner <> :owner AND w.expires_at > {now} ORDER BY w.ticket LIMIT 1)",
        # Not now(), which stands still within a transaction.
        "{now}": "CAST(extract(epoch FROM clock_timestamp()) * 1000000 AS bigint)",
        "{greatest}": "greatest",
        "{shared}": "FOR SHARE",
    }

    def __init__(self, url: URL) -> None:
        super().__init__(url)
        self._ears: ConnectionPool | None = None
        self._ear: Channel | None = None
        self._is_tuning_in = False

    async def grant(self, given: Mapping[str, Any]) -> Grant | Busy:
        """Try to acquire."""
        ((token, holder, ahead),) = (await self.ask(_ACQUIRE, given)).rows
        return Busy(holder, ahead) if token is None else Grant(token)

    async def line_up(self, given: Mapping[str, Any]) -> int:
        """Insert or prolong a wait; its ticket."""
        return int((await self.ask(LINE_UP, given)).rows[0][0])

    async def release(self, name: str, owner: str) -> Outcome[bool]:
        """Give *name* back, and tell those who wait; whether *owner* had it."""
        return await self._told(_RELEASE, name, owner)

    async def dequeue(self, name: str, owner: str) -> Outcome[None]:
        """Stop waiting for *name*, and tell those who wait behind."""
        told = await self._told(_DEQUEUE, name, owner)
        return Success(None) if isinstance(told, Success) else told

    @property
    def rings(self) -> bool:
        """Whether somebody listens."""
        return self._ear is not None and not self._ear.driver.is_closed()

    @asynccontextmanager
    async def wakeups(self, name: str, owner: str) -> AsyncIterator[asyncio.Event]:
        """An event that is set when it is the turn of *owner*."""
        if self.connections.url.get_driver_name() == "asyncpg":
            await self._tune_in()
        async with self._events.register(owner) as event:
            yield event

    async def close(self) -> None:
        """Give back every connection."""
        ears, ear = self._ears, self._ear
        self._ears = self._ear = None
        if ears is not None:
            if ear is not None:
                ears.give_back(ear)
            await ears.close()
        await super().close()

    async def _told(self, words: str, name: str, owner: str) -> Outcome[bool]:
        try:
            answer = await self.ask(words, {"name": name, "owner": owner})
        except REFUSALS as error:
            return self._unavailable(error)
        return Success(bool(answer.rows))

    async def _tune_in(self) -> None:
        """Listen, on a connection for that alone. Without one those who wait look by themselves, only later."""
        if self._is_tuning_in or self.rings:
            return
        self._is_tuning_in = True
        try:
            if self._ears is None:
                self._ears = self.connections.more(1)
            ears, old, self._ear = self._ears, self._ear, None
            if old is not None:
                ears.throw_away(old)
            ear = await ears.take()
            try:
                await ear.driver.add_listener(CHANNEL, self._hear)
            except BaseException:
                ears.throw_away(ear)
                raise
            if self._ears is ears:
                self._ear = ear
            else:
                ears.give_back(ear)  # closed meanwhile
        except REFUSALS:
            return
        finally:
            self._is_tuning_in = False

    def _hear(self, _: Any, __: int, ___: str, owner: str) -> None:
        self._events.wake(owner)
