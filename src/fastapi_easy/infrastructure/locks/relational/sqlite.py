"""Leases in a SQLite file: for the processes of one machine."""

from collections.abc import Container, Mapping
from typing import ClassVar, Final

from sqlalchemy import URL, Connection, text

from fastapi_easy.domain.locks.lease import EVERY_LOCK_CAPABILITY, Acquired, Busy, LockCapability
from fastapi_easy.infrastructure.locks.relational.boot_time import BootTime, boot_time
from fastapi_easy.infrastructure.locks.relational.lease_store import (
    NO_TICKET,
    SELECT_GRANT,
    Parameters,
    RelationalLeaseStore,
)
from fastapi_easy.infrastructure.locks.relational.statements import (
    ACQUIRE_STATEMENT,
    DELETE_WAIT,
    INSERT_WAIT,
    SELECT_BUSY,
)
from fastapi_easy.infrastructure.relational.driver.executor import StatementResult
from fastapi_easy.infrastructure.relational.transaction import Transaction

_CREATE_BOOT: Final = text(
    "CREATE TABLE IF NOT EXISTS fe_lock_boot (id INTEGER PRIMARY KEY CHECK (id = 1), boot TEXT NOT NULL)"
)
_SELECT_BOOT: Final = text("SELECT boot FROM fe_lock_boot")
_INSERT_BOOT: Final = text("INSERT OR REPLACE INTO fe_lock_boot (id, boot) VALUES (1, :boot)")
_END_LEASES: Final = text("UPDATE fe_lock SET owner = NULL, expires_at = NULL, acquired_at = 0")
_END_WAITS: Final = text("DELETE FROM fe_lock_wait")
_BEGIN, _COMMIT, _ROLLBACK = text("BEGIN IMMEDIATE"), text("COMMIT"), text("ROLLBACK")

_RENEW: Final = """
UPDATE fe_lock SET expires_at = {now} + r.ttl
  FROM (SELECT json_extract(value, '$.name') AS name, json_extract(value, '$.owner') AS owner,
               json_extract(value, '$.token') AS token, json_extract(value, '$.ttl') AS ttl
          FROM json_each(:leases)) AS r
 WHERE fe_lock.name = r.name AND fe_lock.owner = r.owner AND fe_lock.token = r.token AND expires_at > {now}
RETURNING name
"""


class SqliteLeaseStore(RelationalLeaseStore):
    """Implements `LeaseStore` in a SQLite file. Leases expire by the boot time of the machine, and end with its boot.

    Args:
        url: With its driver.

        time: What leases are measured by; all stores of a file need the same.
    """

    capabilities = EVERY_LOCK_CAPABILITY - {LockCapability.CROSS_HOST}
    dialect: ClassVar[Mapping[str, str]] = {
        "{day}": "CAST((julianday('now') - 2440587.5) * 86400000000 AS INTEGER)",
        "{now}": ":now",
        "{greatest}": "max",
        # No row lock is needed: SQLite has one writer at a time.
        "{keeps_token}": "",
    }

    def __init__(self, url: URL, time: BootTime | None = None) -> None:
        super().__init__(url)
        self._time = boot_time() if time is None else time

    def prepare(self, connection: Connection) -> None:
        """Make the tables, and end the leases of an earlier boot, whose times mean nothing in this one."""
        super().prepare(connection)
        _ = connection.execute(_CREATE_BOOT)
        if self._is_of_this_boot(connection):
            return
        _ = connection.execute(_BEGIN)
        try:
            # Others may have begun at the same moment, and have leases already.
            if not self._is_of_this_boot(connection):
                for each in (_END_LEASES, _END_WAITS):
                    _ = connection.execute(each)
                _ = connection.execute(_INSERT_BOOT, {"boot": self._time.boot})
        except BaseException:
            _ = connection.execute(_ROLLBACK)
            raise
        _ = connection.execute(_COMMIT)

    def _is_of_this_boot(self, connection: Connection) -> bool:
        return connection.execute(_SELECT_BOOT).scalar() == self._time.boot

    async def execute(self, sql: str, parameters: Parameters) -> StatementResult:
        """Execute *sql* at this moment of the boot time."""
        return await super().execute(sql, self._at_this_moment(sql, parameters))

    async def guard_row(self, transaction: Transaction, parameters: Parameters) -> bool:
        """Return whether the lease is held at this moment of the boot time."""
        return await super().guard_row(transaction, self._at_this_moment(SELECT_GRANT, parameters))

    def _at_this_moment(self, sql: str, parameters: Parameters) -> Parameters:
        # Before the wait for other writers, so that a lease never seems to last longer than its holder believes.
        return (
            {**parameters, "now": round(self._time.seconds() * 1_000_000)} if "{now}" in sql else parameters
        )

    async def acquire_row(self, parameters: Parameters) -> Acquired | Busy:
        """Try to acquire the lease that *parameters* name."""
        acquired = (await self.execute(ACQUIRE_STATEMENT, parameters)).rows
        if acquired:
            if parameters["ticket"] != NO_TICKET:
                _ = await self.execute(DELETE_WAIT, {"owner": parameters["owner"]})
            return Acquired(acquired[0][0])
        ((holder, ahead),) = (
            await self.execute(SELECT_BUSY, {each: parameters[each] for each in ("name", "ticket")})
        ).rows
        return Busy(holder, ahead)

    async def renew_rows(self, parameters: Parameters, count: int) -> Container[str]:
        """Renew leases; return the names that are held."""
        return {str(name) for (name,) in (await self.execute(_RENEW, parameters)).rows}

    async def insert_wait(self, parameters: Parameters) -> int:
        """Insert or prolong a wait; return its ticket."""
        return int((await self.execute(INSERT_WAIT, parameters)).rows[0][0])
