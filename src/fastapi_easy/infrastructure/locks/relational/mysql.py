"""Leases in MySQL or MariaDB."""

from collections.abc import Mapping
from typing import Any, ClassVar, Final

from sqlalchemy.dialects.mysql import VARBINARY

from fastapi_easy.domain.locks.lease import Busy, Grant
from fastapi_easy.infrastructure.locks.relational.lease_store import LAST, RelationalLeaseStore
from fastapi_easy.infrastructure.locks.relational.statements import ARRIVED

_TAKE: Final = """
UPDATE fe_lock SET
  token = IF(owner = :owner AND expires_at > {now}, token, GREATEST(token + 1, {now})),
  acquired_at = IF(owner = :owner AND expires_at > {now}, acquired_at, {now}),
  owner = :owner, expires_at = {now} + :ttl
 WHERE name = :name AND (owner IS NULL OR expires_at <= {now} OR owner = :owner)
   AND (owner = :owner OR NOT EXISTS (SELECT 1 FROM fe_lock_wait w
         WHERE w.name = :name AND w.expires_at > {now} AND w.ticket < :ticket))
"""
"""Assignments are made from left to right, each with what the ones before have made."""

_STATE: Final = """
SELECT owner, token, expires_at > {now},
       (SELECT count(*) FROM fe_lock_wait WHERE name = :name AND expires_at > {now} AND ticket < :ticket)
  FROM fe_lock WHERE name = :name
"""
_FIRST: Final = "INSERT IGNORE INTO fe_lock (name, token, acquired_at) VALUES (:name, 0, {now})"
_LINE_UP: Final = """
INSERT INTO fe_lock_wait (name, owner, expires_at) VALUES (:name, :owner, {now} + :ttl)
ON DUPLICATE KEY UPDATE expires_at = {now} + :ttl
"""
_TICKET: Final = "SELECT ticket FROM fe_lock_wait WHERE owner = :owner"


class MySqlLeaseStore(RelationalLeaseStore):
    """Implements `LeaseStore` in MySQL or MariaDB, with InnoDB."""

    words: ClassVar[Mapping[str, str]] = {
        # Not NOW(), which stands still within a statement that waits.
        "{now}": "CAST(UNIX_TIMESTAMP(SYSDATE(6)) * 1000000 AS SIGNED)",
        "{greatest}": "GREATEST",
        "{shared}": "LOCK IN SHARE MODE",
        ":name": "UNHEX(:name)",
    }
    # Bytes: texts would be compared without looking at blanks at their end.
    name_type = VARBINARY(200)

    async def grant(self, given: Mapping[str, Any]) -> Grant | Busy:
        """Try to acquire."""
        asked = {each: given[each] for each in ("name", "ticket")}
        if given["ticket"] != LAST:
            # Whoever waits looks first, and more often than not it is not their turn.
            rows = (await self.ask(_STATE, asked)).rows
            if rows and (rows[0][2] or rows[0][3]) and rows[0][0] != given["owner"]:
                return Busy(rows[0][0] if rows[0][2] else None, rows[0][3])
        _ = await self.ask(_TAKE, given)
        rows = (await self.ask(_STATE, asked)).rows
        if not rows:
            _ = await self.ask(_FIRST, {"name": given["name"]})
            _ = await self.ask(_TAKE, given)
            rows = (await self.ask(_STATE, asked)).rows
        ((owner, token, runs, ahead),) = rows
        # An owner asks for one name once, so that it can only be this very request that was granted.
        if runs and owner == given["owner"]:
            if given["ticket"] != LAST:
                _ = await self.ask(ARRIVED, {"owner": owner})
            return Grant(token)
        return Busy(owner if runs else None, ahead)

    async def line_up(self, given: Mapping[str, Any]) -> int:
        """Insert or prolong a wait; its ticket."""
        _ = await self.ask(_LINE_UP, given)
        return int((await self.ask(_TICKET, {"owner": given["owner"]})).rows[0][0])

    def stored(self, name: str) -> str:
        """*name* in hexadecimal: not every driver can send bytes."""
        return name.encode().hex()

    def read(self, name: bytes) -> str:
        """The name that was kept as bytes."""
        return name.decode()
