"""All or nothing, in the process."""

from fastapi_easy.domain.errors import Outcome
from fastapi_easy.infrastructure.persistence.memory.connection import MemoryDatabase
from fastapi_easy.infrastructure.persistence.memory.transaction import MemoryTransaction
from fastapi_easy.infrastructure.unit_of_work import TransactionalUnitOfWork


class MemoryUnitOfWork(TransactionalUnitOfWork[MemoryDatabase, MemoryTransaction]):
    """Implements `UnitOfWork` on one `MemoryDatabase`."""

    async def _commit(self) -> Outcome[None]:
        return self._transaction.commit()

    async def _close(self) -> None:
        self._transaction.discard()
