"""How the statements of an outbox or an inbox reach their database."""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any, TypeVar

from returns.result import Failure, Success
from sqlalchemy import Executable

from fastapi_easy.domain.changes.journal import SystemTable
from fastapi_easy.domain.errors import Outcome, OutcomeUnknown
from fastapi_easy.infrastructure.persistence.sqlalchemy.connection import SqlAlchemyDatabase
from fastapi_easy.infrastructure.persistence.sqlalchemy.journal import ensure_tables
from fastapi_easy.infrastructure.relational.driver.executor import Record, StatementResult
from fastapi_easy.infrastructure.relational.errors import DATABASE_ERRORS, as_unavailable
from fastapi_easy.infrastructure.relational.transaction import CommitOutcomeUnknown, Transaction

T = TypeVar("T")


class SystemConnection:
    """Runs statements on tables of the system's own, which it creates where they are missing.

    Args:
        database: The database, whose connections it borrows.

        tables: What the statements need.
    """

    def __init__(self, database: SqlAlchemyDatabase, tables: Sequence[SystemTable]) -> None:
        self.database = database
        self.dialect = database.executor.engine.dialect.name
        self._tables = tables

    async def read(self, statement: Executable, parameters: Mapping[str, object]) -> Sequence[Record]:
        """Return the rows of *statement*, outside of any transaction."""
        await self.ensure_tables()
        return (await self.database.executor.read(statement, parameters)).rows

    async def write(self, statement: Executable, parameters: Mapping[str, object]) -> StatementResult:
        """Run *statement* in a transaction of its own, in one round trip where the driver can."""
        await self.ensure_tables()
        transaction = self.database.begin(may_autocommit=True)
        try:
            answer = await transaction.execute(statement, parameters, writes=True, last=True)
            await transaction.commit()
        finally:
            await transaction.close()
        return answer

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Transaction]:
        """Commit what is done in the block, unless an exception leaves it."""
        await self.ensure_tables()
        transaction = self.database.begin()
        try:
            yield transaction
            await transaction.commit()
        finally:
            await transaction.close()

    async def attempt(self, call: Callable[[], Awaitable[T]]) -> Outcome[T]:
        """Return the result of *call*.

        Fails with:
            Unavailable: The database did not answer.

            OutcomeUnknown: The answer to a commit was lost.
        """
        try:
            return Success(await call())
        except CommitOutcomeUnknown:
            return Failure(OutcomeUnknown(self.database.name))
        except DATABASE_ERRORS as error:
            return self.unavailable(error)

    async def ensure_tables(self) -> None:
        """Create the tables that are missing; asks the database once."""
        # Creates the folder of a temporary SQLite file.
        _ = self.database.begin()
        await ensure_tables(self.database, self._tables)

    def unavailable(self, error: BaseException) -> Failure[Any]:
        """Return that the database did not answer, where *error* says so."""
        unavailable = as_unavailable(error, self.database.name)
        if unavailable is None:
            raise error
        return Failure(unavailable)
