"""The records of calls with an idempotency key in the process."""

import datetime

from returns.result import Success

from fastapi_easy.domain.errors import Outcome
from fastapi_easy.domain.ports.idempotency_store import CallRecord, KeyedCall
from fastapi_easy.infrastructure.persistence.memory.connection import MemoryDatabase
from fastapi_easy.infrastructure.persistence.memory.unit_of_work import MemoryUnitOfWork


class MemoryIdempotencyStore:
    """Implements `IdempotencyStore` on one `MemoryDatabase`.

    A record is there from the commit on. Whoever wants to claim it meanwhile waits in `IdempotencyManager`, as all
    callers of a database in memory are in its process.

    Args:
        _database: The database; its records live as long as this object.
    """

    def __init__(self, _database: MemoryDatabase) -> None:
        self._records: dict[str, CallRecord] = {}

    async def prepare(self) -> Outcome[tuple[str, ...]]:
        """Do nothing."""
        return Success(())

    async def claim(self, work: MemoryUnitOfWork, call: KeyedCall) -> Outcome[bool]:
        """Return whether there is no record of *call*."""
        return Success(call.id not in self._records)

    async def complete(self, work: MemoryUnitOfWork, call: KeyedCall, answer: str) -> Outcome[None]:
        """Have the record of *call* kept when *work* commits."""
        record = CallRecord(call.fingerprint, answer, call.expires_at)
        work.after_commit(lambda: self._records.__setitem__(call.id, record))
        return Success(None)

    async def find(self, call_id: str) -> Outcome[CallRecord | None]:
        """Return the record of the call with *call_id*."""
        return Success(self._records.get(call_id))

    async def remove_expired(self, now: datetime.datetime, call_id: str | None = None) -> Outcome[int]:
        """Remove all that have expired."""
        expired = [
            each
            for each, record in self._records.items()
            if record.expires_at <= now and call_id in {None, each}
        ]
        for each in expired:
            del self._records[each]
        return Success(len(expired))
