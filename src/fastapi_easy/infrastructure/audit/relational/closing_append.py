"""An entry that is appended in the round trip of the `COMMIT`."""

import logging
from collections.abc import Sequence
from typing import Any, Final, Protocol

from sqlalchemy.exc import DBAPIError

from fastapi_easy.domain.audit.entry import AuditEntry
from fastapi_easy.domain.ports.audit_sink import Seal
from fastapi_easy.infrastructure.audit.relational import statements as sql
from fastapi_easy.infrastructure.audit.relational.prepared_append import PreparedAppend
from fastapi_easy.infrastructure.relational.driver.error_classification import classify_error
from fastapi_easy.infrastructure.relational.driver.executor import Executor
from fastapi_easy.infrastructure.relational.driver.pooled_connection import PooledConnection
from fastapi_easy.infrastructure.relational.error_codes import ErrorCause
from fastapi_easy.infrastructure.relational.errors import DATABASE_ERRORS, as_unavailable
from fastapi_easy.infrastructure.relational.transaction import Transaction, TransactionLost

_logger: Final = logging.getLogger(__name__)

_SAVEPOINT: Final = "fastapi_easy_closing"


class Appender(Protocol):
    """What knows the heads, and appends in another way.

    Attributes:
        database: The name of the database, for people.
    """

    database: str

    def guessed(self, entry: AuditEntry, seal: Seal) -> dict[str, Any] | None:
        """Return the parameters of the statement for *entry* after the head as it is guessed."""
        ...

    def learn(self, *, is_right: bool) -> None:
        """Remember whether a head was what it was taken for."""
        ...

    async def append_locked(
        self, transaction: Transaction, entries: Sequence[AuditEntry], seal: Seal
    ) -> None:
        """Append *entries* after the heads of their streams, which are locked first."""
        ...


class ClosingAppend:
    """Implements `Closing`: appends *entry* last of all, after the head as it is guessed then.

    A savepoint lets the transaction go on where somebody else has moved the head: the head is locked then, as ever.
    """

    __slots__ = ("_appender", "_entry", "_prepared", "_seal", "_transaction")

    def __init__(
        self,
        appender: Appender,
        prepared: PreparedAppend,
        transaction: Transaction,
        entry: AuditEntry,
        seal: Seal,
    ) -> None:
        self._appender, self._prepared, self._transaction = appender, prepared, transaction
        self._entry, self._seal = entry, seal

    async def commit(self, executor: Executor, pooled: PooledConnection, /) -> bool:
        """Append the entry and commit in one round trip; return whether the transaction is committed."""
        parameters = self._appender.guessed(self._entry, self._seal)
        command = None if parameters is None else self._prepared.spell(pooled, parameters)
        if command is None:
            await self.run()
            return False
        try:
            await executor.run_command(pooled, f"SAVEPOINT {_SAVEPOINT};{command};COMMIT")
        except DBAPIError as error:
            # A lock that nobody gave in time, or no answer, is no better for being asked again.
            if error.connection_invalidated or as_unavailable(error, "") is not None:
                raise
            await self._recover(executor, pooled, error)
            return False
        self._appender.learn(is_right=True)
        return True

    async def run(self) -> None:
        """Append the entry in statements of their own."""
        try:
            await self._appender.append_locked(self._transaction, [self._entry], self._seal)
        except DATABASE_ERRORS as error:
            if is_taken(error):
                report_tampering(self._appender.database)
                raise TransactionLost from error
            raise

    async def _recover(self, executor: Executor, pooled: PooledConnection, error: DBAPIError) -> None:
        """Append the entry in another way after *error*, unless that is about the `COMMIT` itself."""
        try:
            await executor.run_command(pooled, f"ROLLBACK TO SAVEPOINT {_SAVEPOINT}")
        except DBAPIError:
            # The server has ended the transaction: it was the commit that it refused.
            raise error from None
        self._appender.learn(is_right=False)
        if sql.MOVED_TEXT not in str(error.orig):
            self._prepared.give_up(pooled)
        await self.run()


def is_taken(error: BaseException) -> bool:
    """Return whether *error* is that an entry with the number is there already, or a change that is refused."""
    classified = classify_error(error)
    # On SQLite a trigger is asked before the primary key.
    return classified is not None and classified.cause in {ErrorCause.UNIQUE, ErrorCause.RAISED}


def report_tampering(database: str) -> None:
    """Tell that somebody has moved a head back, or put an entry in: nothing may be written before people look at it."""
    _logger.critical(
        "the audit trail in database %r was tampered with, so that nothing can be written: run `fastapi-easy audit "
        "verify`",
        database,
    )
