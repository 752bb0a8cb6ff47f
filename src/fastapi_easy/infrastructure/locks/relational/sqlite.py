"""Leases in a SQLite file: for the processes of one machine."""

from collections.abc import Mapping
from typing import Any, ClassVar

from fastapi_easy.domain.locks.lease import EVERY_LOCK_CAPABILITY, Busy, Grant, LockCapability
from fastapi_easy.infrastructure.locks.relational.lease_store import LAST, RelationalLeaseStore
from fastapi_easy.infrastructure.locks.relational.statements import ACQUIRE, ARRIVED, BUSY, LINE_UP


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
