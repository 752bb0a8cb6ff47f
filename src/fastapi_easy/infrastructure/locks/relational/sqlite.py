"""Leases in a SQLite file: for the processes of one machine."""

from collections.abc import Mapping
from typing import ClassVar

from fastapi_easy.domain.locks.lease import EVERY_LOCK_CAPABILITY, Acquired, Busy, LockCapability
from fastapi_easy.infrastructure.locks.relational.lease_store import (
    NO_TICKET,
    Parameters,
    RelationalLeaseStore,
)
from fastapi_easy.infrastructure.locks.relational.statements import (
    ACQUIRE_STATEMENT,
    DELETE_WAIT,
    INSERT_WAIT,
    SELECT_BUSY,
)


class SqliteLeaseStore(RelationalLeaseStore):
    """Implements `LeaseStore` in a SQLite file. Leases expire by the time of day of the machine."""

    capabilities = EVERY_LOCK_CAPABILITY - {LockCapability.CROSS_HOST}
    dialect: ClassVar[Mapping[str, str]] = {
        "{now}": "CAST((julianday('now') - 2440587.5) * 86400000000 AS INTEGER)",
        "{greatest}": "max",
        # No row lock is needed: SQLite has one writer at a time.
        "{keeps_token}": "",
    }

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

    async def insert_wait(self, parameters: Parameters) -> int:
        """Insert or prolong a wait; return its ticket."""
        return int((await self.execute(INSERT_WAIT, parameters)).rows[0][0])
