"""All or nothing, in the process."""

from collections.abc import Sequence

from returns.result import Failure, Success

from fastapi_easy.domain.changes.journal import JournalRow
from fastapi_easy.domain.errors import Outcome
from fastapi_easy.infrastructure.persistence.memory.connection import MemoryDatabase
from fastapi_easy.infrastructure.persistence.memory.transaction import MemoryTransaction
from fastapi_easy.infrastructure.unit_of_work import TransactionalUnitOfWork


class MemoryUnitOfWork(TransactionalUnitOfWork[MemoryDatabase, MemoryTransaction]):
    """Implements `UnitOfWork` on one `MemoryDatabase`."""

    _pending_rows: Sequence[JournalRow] = ()

    async def _keep(self, rows: Sequence[JournalRow]) -> Outcome[None]:
        _ = self._transaction  # there is something to commit now
        self._pending_rows = (*self._pending_rows, *rows)
        return Success(None)

    async def _commit(self) -> Outcome[None]:
        kept, self._pending_rows = self._pending_rows, ()
        committed = self._transaction.commit()
        if not isinstance(committed, Failure):
            # Nothing else runs in between.
            self._database.keep(kept)
        return committed

    async def _rollback(self) -> None:
        self._pending_rows = ()
        self._transaction.discard()

    async def _close(self) -> None:
        self._pending_rows = ()
        self._transaction.close()
