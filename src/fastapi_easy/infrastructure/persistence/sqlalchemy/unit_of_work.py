"""All or nothing, in one relational database."""

from collections.abc import Awaitable, Sequence

from returns.result import Failure, Success

from fastapi_easy.domain.changes.journal import JournalRow
from fastapi_easy.domain.errors import Outcome, OutcomeUnknown
from fastapi_easy.infrastructure.persistence.sqlalchemy import journal
from fastapi_easy.infrastructure.persistence.sqlalchemy.connection import SqlAlchemyDatabase
from fastapi_easy.infrastructure.relational.driver.error_classification import Complaint
from fastapi_easy.infrastructure.relational.errors import REFUSALS, Rules, translate
from fastapi_easy.infrastructure.relational.transaction import CommitLost, Transaction
from fastapi_easy.infrastructure.unit_of_work import TransactionalUnitOfWork


class SqlAlchemyUnitOfWork(TransactionalUnitOfWork[SqlAlchemyDatabase, Transaction]):
    """Implements `UnitOfWork` on one `SqlAlchemyDatabase`."""

    async def _commit(self) -> Outcome[None]:
        try:
            await self._transaction.commit()
        except CommitLost:
            return Failure(OutcomeUnknown(self._database.name))
        except REFUSALS as error:
            return Failure(translate(error, self._database.name, self._rules, (), removing=False))
        return Success(None)

    def _keep(self, rows: Sequence[JournalRow]) -> Awaitable[Outcome[None]]:
        return journal.keep(self._database, self._transaction, rows)

    def _close(self) -> Awaitable[None]:
        return self._transaction.close()

    def _rules(self, complaint: Complaint) -> Rules | None:
        """The rules of the table that *complaint* is about, among those this unit of work has touched."""
        candidates = [self._database.rules_of(resource) for resource in self._touched.values()]
        touched = [each for each in candidates if each is not None]
        return next((each for each in touched if each.owns(complaint)), touched[0] if touched else None)
