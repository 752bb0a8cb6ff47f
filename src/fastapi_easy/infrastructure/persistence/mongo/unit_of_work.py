"""Units of work in one MongoDB database."""

from collections.abc import Awaitable, Sequence
from contextlib import AbstractContextManager

from returns.result import Failure, Success

from fastapi_easy.domain.changes.journal import JournalRow
from fastapi_easy.domain.errors import Outcome
from fastapi_easy.infrastructure.persistence.mongo import journal
from fastapi_easy.infrastructure.persistence.mongo.connection import MongoDatabase
from fastapi_easy.infrastructure.persistence.mongo.driver.transaction import Transaction
from fastapi_easy.infrastructure.persistence.mongo.errors import DATABASE_ERRORS, translate
from fastapi_easy.infrastructure.unit_of_work import TransactionalUnitOfWork


class MongoUnitOfWork(TransactionalUnitOfWork[MongoDatabase, Transaction]):
    """Implements `UnitOfWork` on one `MongoDatabase`.

    On a stand-alone server nothing can be rolled back: every write is made at once (ADR 16).
    """

    async def _commit(self) -> Outcome[None]:
        # Only names the resource in an error, since a commit is about none in particular.
        touched = next(reversed(self._touched.values()), None)
        try:
            await self._transaction.commit()
        except DATABASE_ERRORS as error:
            if touched is None:
                return journal.unavailable(error, self._database.name)
            return Failure(translate(error, self._database.name, touched))
        return Success(None)

    async def _keep(self, rows: Sequence[JournalRow]) -> Outcome[None]:
        with self._transaction.use:
            return await journal.keep(self._database, self._transaction, rows)

    def _rollback(self) -> Awaitable[None]:
        return self._transaction.rollback()

    def _close(self) -> Awaitable[None]:
        return self._transaction.close()

    def _use(self) -> AbstractContextManager[None]:
        return self._transaction.use
