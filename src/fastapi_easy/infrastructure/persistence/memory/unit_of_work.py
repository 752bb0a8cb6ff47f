"""All or nothing, in the process."""

from collections.abc import Callable, Sequence

from returns.result import Failure, Success

from fastapi_easy.domain.changes.journal import JournalRow
from fastapi_easy.domain.errors import Outcome
from fastapi_easy.infrastructure.persistence.memory.connection import MemoryDatabase
from fastapi_easy.infrastructure.persistence.memory.transaction import MemoryTransaction
from fastapi_easy.infrastructure.unit_of_work import TransactionalUnitOfWork


class MemoryUnitOfWork(TransactionalUnitOfWork[MemoryDatabase, MemoryTransaction]):
    """Implements `UnitOfWork` on one `MemoryDatabase`."""

    _pending_rows: Sequence[JournalRow] = ()
    _after_commit: Sequence[Callable[[], None]] = ()
    _at_end: Sequence[Callable[[], None]] = ()

    def after_commit(self, effect: Callable[[], None]) -> None:
        """Have *effect* take place when this unit of work commits, at the same moment; forget it otherwise."""
        _ = self._transaction  # there is something to commit now
        self._after_commit = (*self._after_commit, effect)

    def at_end(self, effect: Callable[[], None]) -> None:
        """Have *effect* take place once this unit of work has committed or was rolled back."""
        _ = self._transaction  # there is something to end now
        self._at_end = (*self._at_end, effect)

    async def _keep(self, rows: Sequence[JournalRow]) -> Outcome[None]:
        _ = self._transaction  # there is something to commit now
        self._pending_rows = (*self._pending_rows, *rows)
        return Success(None)

    async def _commit(self) -> Outcome[None]:
        kept, self._pending_rows = self._pending_rows, ()
        effects, self._after_commit = self._after_commit, ()
        committed = self._transaction.commit()
        if not isinstance(committed, Failure):
            # Nothing else runs in between.
            self._database.keep(kept)
            for effect in effects:
                effect()
        self._end()
        return committed

    async def _rollback(self) -> None:
        self._pending_rows = self._after_commit = ()
        self._transaction.discard()
        self._end()

    async def _close(self) -> None:
        self._pending_rows = self._after_commit = ()
        self._transaction.close()
        self._end()

    def _end(self) -> None:
        effects, self._at_end = self._at_end, ()
        for effect in effects:
            effect()
