"""Units of work in one relational database."""

from collections.abc import Awaitable, Sequence
from contextlib import AbstractContextManager

from returns.result import Failure, Success

from fastapi_easy.domain.changes.journal import JournalRow
from fastapi_easy.domain.errors import Outcome, OutcomeUnknown
from fastapi_easy.infrastructure.persistence.sqlalchemy import journal
from fastapi_easy.infrastructure.persistence.sqlalchemy.connection import SqlAlchemyDatabase
from fastapi_easy.infrastructure.relational.driver.error_classification import ClassifiedError
from fastapi_easy.infrastructure.relational.errors import (
    DATABASE_ERRORS,
    TableConstraints,
    owner_of,
    translate,
)
from fastapi_easy.infrastructure.relational.transaction import CommitOutcomeUnknown, Transaction
from fastapi_easy.infrastructure.unit_of_work import TransactionalUnitOfWork


class SqlAlchemyUnitOfWork(TransactionalUnitOfWork[SqlAlchemyDatabase, Transaction]):
    """Implements `UnitOfWork` on one `SqlAlchemyDatabase`."""

    async def _commit(self) -> Outcome[None]:
        try:
            await self._transaction.commit()
        except CommitOutcomeUnknown:
            return Failure(OutcomeUnknown(self._database.name))
        except DATABASE_ERRORS as error:
            return Failure(translate(error, self._database.name, self._find_constraints, (), removing=False))
        return Success(None)

    async def _keep(self, rows: Sequence[JournalRow]) -> Outcome[None]:
        with self._transaction.use:
            return await journal.insert_rows(self._database, self._transaction, rows)

    def _rollback(self) -> Awaitable[None]:
        return self._transaction.rollback()

    def _close(self) -> Awaitable[None]:
        return self._transaction.close()

    def _use(self) -> AbstractContextManager[None]:
        return self._transaction.use

    def _find_constraints(self, classified: ClassifiedError) -> TableConstraints | None:
        """Return the constraints that *classified* is about, among those of the tables touched so far."""
        touched = [
            each for resource in self._touched.values() for each in self._database.constraints_of(resource)
        ]
        return owner_of(touched, classified)
