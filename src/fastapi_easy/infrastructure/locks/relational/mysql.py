"""Leases in MySQL or MariaDB."""

from collections.abc import Container, Mapping
from typing import ClassVar, Final

from fastapi_easy.domain.locks.lease import Acquired, Busy
from fastapi_easy.infrastructure.locks.relational.lease_store import (
    NO_TICKET,
    Parameters,
    RelationalLeaseStore,
)
from fastapi_easy.infrastructure.locks.relational.statements import DELETE_WAIT
from fastapi_easy.infrastructure.relational.transaction import Transaction

_ACQUIRE: Final = """
UPDATE fe_lock SET
  token = IF(owner = :owner AND expires_at > {now}, token, GREATEST(token + 1, {now})),
  acquired_at = IF(owner = :owner AND expires_at > {now}, acquired_at, {now}),
  owner = :owner, expires_at = {now} + :ttl
 WHERE name = :name AND (owner IS NULL OR expires_at <= {now} OR owner = :owner)
   AND (owner = :owner OR NOT EXISTS (SELECT 1 FROM fe_lock_wait w
         WHERE w.name = :name AND w.expires_at > {now} AND w.ticket < :ticket))
"""
"""The order matters: assignments are made from left to right, each seeing those before it: `owner` comes late."""

_STATE: Final = """
SELECT owner, token, expires_at > {now},
       (SELECT count(*) FROM fe_lock_wait WHERE name = :name AND expires_at > {now} AND ticket < :ticket)
  FROM fe_lock WHERE name = :name
"""
_RENEW: Final = """
UPDATE JSON_TABLE(:leases, '$[*]' COLUMNS (
         name VARCHAR(400) PATH '$.name', owner VARCHAR(200) PATH '$.owner',
         token BIGINT PATH '$.token', ttl BIGINT PATH '$.ttl')) AS r
  STRAIGHT_JOIN fe_lock l FORCE INDEX (PRIMARY) ON l.name = UNHEX(r.name)
   SET l.expires_at = {now} + r.ttl
 WHERE l.owner = CONVERT(r.owner USING utf8mb4) COLLATE utf8mb4_bin AND l.token = r.token AND l.expires_at > {now}
"""
"""Joined in this order, row by row through the primary key: whatever else is read would be locked too."""

_SELECT_HELD: Final = """
SELECT l.name FROM JSON_TABLE(:leases, '$[*]' COLUMNS (
         name VARCHAR(400) PATH '$.name', owner VARCHAR(200) PATH '$.owner', token BIGINT PATH '$.token')) AS r
  STRAIGHT_JOIN fe_lock l FORCE INDEX (PRIMARY) ON l.name = UNHEX(r.name)
 WHERE l.owner = CONVERT(r.owner USING utf8mb4) COLLATE utf8mb4_bin AND l.token = r.token AND l.expires_at > {now}
"""
_INSERT_LOCK: Final = "INSERT IGNORE INTO fe_lock (name, token, acquired_at) VALUES (:name, 0, {now})"
_INSERT_WAIT: Final = """
INSERT INTO fe_lock_wait (name, owner, expires_at) VALUES (:name, :owner, {now} + :ttl)
ON DUPLICATE KEY UPDATE expires_at = {now} + :ttl
"""
_TICKET: Final = "SELECT ticket FROM fe_lock_wait WHERE owner = :owner"


class _EveryName:
    """The names that are held when all are."""

    def __contains__(self, name: object) -> bool:
        return True


_EVERY_NAME: Final = _EveryName()

_LOCK_GRANT: Final = """
SELECT 1 FROM fe_lock FORCE INDEX (fe_lock_grant) WHERE token = :token AND name = :name LOCK IN SHARE MODE
"""
"""Locks the entry of the index and not the row, since nothing but the index is read. Renewals and releases change no
token and pass it by; to acquire the name is to change its entry, which waits."""


class MySqlLeaseStore(RelationalLeaseStore):
    """Implements `LeaseStore` in MySQL or MariaDB, with InnoDB."""

    dialect: ClassVar[Mapping[str, str]] = {
        # Not NOW(), which stands still within a statement that waits.
        "{now}": "CAST(UNIX_TIMESTAMP(SYSDATE(6)) * 1000000 AS SIGNED)",
        "{greatest}": "GREATEST",
        # See `guard_row`, which locks before it looks.
        "{keeps_token}": "",
        ":name": "UNHEX(:name)",
    }

    async def acquire_row(self, parameters: Parameters) -> Acquired | Busy:
        """Try to acquire the lease that *parameters* name."""
        asked = {each: parameters[each] for each in ("name", "ticket")}
        if parameters["ticket"] != NO_TICKET:
            # A waiter reads before it writes: more often than not it is not its turn, and a read locks nothing.
            rows = (await self.execute(_STATE, asked)).rows
            if rows and (rows[0][2] or rows[0][3]) and rows[0][0] != parameters["owner"]:
                return Busy(rows[0][0] if rows[0][2] else None, rows[0][3])
        if await self.execute_unless_guarded(_ACQUIRE, parameters) is None:
            return Busy()
        rows = (await self.execute(_STATE, asked)).rows
        if not rows:
            _ = await self.execute(_INSERT_LOCK, {"name": parameters["name"]})
            _ = await self.execute(_ACQUIRE, parameters)
            rows = (await self.execute(_STATE, asked)).rows
        ((owner, token, is_running, ahead),) = rows
        # An owner is made for one acquisition, so if it has the lease, this very call has got it.
        if is_running and owner == parameters["owner"]:
            if parameters["ticket"] != NO_TICKET:
                _ = await self.execute(DELETE_WAIT, {"owner": owner})
            return Acquired(token)
        return Busy(owner if is_running else None, ahead)

    async def renew_rows(self, parameters: Parameters, count: int) -> Container[str]:
        """Renew leases; return the names that are held: all, unless the server has changed fewer rows."""
        if (await self.execute(_RENEW, parameters)).affected == count:
            return _EVERY_NAME
        # A lease that was not renewed is lost for good, so that it can be asked for afterwards which those are.
        rows = (await self.execute(_SELECT_HELD, parameters)).rows
        return {self.decode_name(name) for (name,) in rows}

    async def insert_wait(self, parameters: Parameters) -> int:
        """Insert or prolong a wait; return its ticket."""
        _ = await self.execute(_INSERT_WAIT, parameters)
        return int((await self.execute(_TICKET, {"owner": parameters["owner"]})).rows[0][0])

    async def guard_row(self, transaction: Transaction, parameters: Parameters) -> bool:
        """Return whether the lease is held, and let nobody else acquire it before *transaction* has ended."""
        kept = {each: parameters[each] for each in ("name", "token")}
        # In this order: whoever has acquired it before it was locked is seen by the second, which reads what is there.
        answer = await transaction.execute(self.statement(_LOCK_GRANT, kept), kept)
        return bool(answer.rows) and await super().guard_row(transaction, parameters)

    def encode_name(self, name: str) -> str:
        """Return *name* in hexadecimal: not every driver can send bytes."""
        return name.encode().hex()

    def decode_name(self, name: bytes) -> str:
        """Return the name that was kept as bytes."""
        return name.decode()
