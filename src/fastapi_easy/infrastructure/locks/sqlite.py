"""Leases in a SQLite file: for the processes of one machine."""

from collections.abc import Mapping
from typing import Any, ClassVar, Final

from fastapi_easy.domain.lease import EVERY_LOCK_CAPABILITY, Busy, Grant, LockCapability
from fastapi_easy.infrastructure.locks.relational import LAST, RelationalLeaseStore

ACQUIRE: Final = """
INSERT INTO fe_lock AS l (name, owner, token, expires_at, acquired_at)
SELECT :name, :owner, {now}, {now} + :ttl, {now}
 WHERE NOT EXISTS (SELECT 1 FROM fe_lock_wait w
                    WHERE w.name = :name AND w.expires_at > {now} AND w.ticket < :ticket)
    OR EXISTS (SELECT 1 FROM fe_lock x WHERE x.name = :name AND x.owner = :owner)
ON CONFLICT (name) DO UPDATE SET
  owner = :owner, expires_at = {now} + :ttl,
  acquired_at = CASE WHEN l.owner = :owner AND l.expires_at > {now} THEN l.acquired_at ELSE {now} END,
  token = CASE WHEN l.owner = :owner AND l.expires_at > {now} THEN l.token
               ELSE {greatest}(l.token + 1, {now}) END
 WHERE l.owner IS NULL OR l.expires_at <= {now} OR l.owner = :owner
RETURNING token
"""
"""One statement, so that nobody comes between. Also PostgreSQL's."""

BUSY: Final = """
SELECT (SELECT owner FROM fe_lock WHERE name = :name AND expires_at > {now}),
       (SELECT count(*) FROM fe_lock_wait WHERE name = :name AND expires_at > {now} AND ticket < :ticket)
"""
ARRIVED: Final = "DELETE FROM fe_lock_wait WHERE owner = :owner"
LINE_UP: Final = """
INSERT INTO fe_lock_wait (name, owner, expires_at) VALUES (:name, :owner, {now} + :ttl)
ON CONFLICT (owner) DO UPDATE SET expires_at = {now} + :ttl RETURNING ticket
"""


class SqliteLeaseStore(RelationalLeaseStore):
    """Implements `LeaseStore` in a file of SQLite's. The machine's time of day says when leases run out."""

    capabilities = EVERY_LOCK_CAPABILITY - {LockCapability.CROSS_HOST}
    words: ClassVar[Mapping[str, str]] = {
        "{now}": "CAST((julianday('now') - 2440587.5) * 86400000000 AS INTEGER)",
        "{greatest}": "max",
        # A transaction of ours is the only one that writes.
        "{shared}": "",
    }

    async def grant(self, given: Mapping[str, Any]) -> Grant | Busy:
        """Try to acquire."""
        granted = (await self.ask(ACQUIRE, given)).rows
        if granted:
            if given["ticket"] != LAST:
                _ = await self.ask(ARRIVED, {"owner": given["owner"]})
            return Grant(granted[0][0])
        ((holder, ahead),) = (await self.ask(BUSY, {each: given[each] for each in ("name", "ticket")})).rows
        return Busy(holder, ahead)

    async def line_up(self, given: Mapping[str, Any]) -> int:
        """Insert or prolong a wait; its ticket."""
        return int((await self.ask(LINE_UP, given)).rows[0][0])
