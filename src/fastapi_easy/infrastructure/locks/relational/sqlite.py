"""Leases in a SQLite file: for the processes of one machine."""

from collections.abc import Mapping
from typing import Any, ClassVar

from fastapi_easy.domain.locks.lease import EVERY_LOCK_CAPABILITY, Acquired, Busy, LockCapability
from fastapi_easy.infrastructure.locks.relational.lease_store import NO_TICKET, RelationalLeaseStore
from fastapi_easy.infrastructure.locks.relational.statements import (
    ACQUIRE_STATEMENT,
    DELETE_WAIT,
    INSERT_WAIT,
    SELECT_BUSY,
)


class SqliteLeaseStore(RelationalLeaseStore):
    """Implements `LeaseStore` in a file of SQLite's. The machine's time of day says when leases run out."""

    capabilities = EVERY_LOCK_CAPABILITY - {LockCapability.CROSS_HOST}
    dialect: ClassVar[Mapping[str, str]] = {
        "{now}": "CAST((julianday('now') - 2440587.5) * 86400000000 AS INTEGER)",
        "{greatest}": "max",
        # A transaction of ours is the only one that writes.
        "{shared}": "",
    }

    async def acquire_row(self, parameters: Mapping[str, Any]) -> Acquired | Busy:
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

    async def insert_wait(self, parameters: Mapping[str, Any]) -> int:
        """Insert or prolong a wait; return its ticket."""
        return int((await self.execute(INSERT_WAIT, parameters)).rows[0][0])
