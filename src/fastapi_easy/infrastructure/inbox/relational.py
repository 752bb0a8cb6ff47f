"""The inbox of a relational database: rows of `fe_inbox`."""

import functools
from typing import Any, Final

from returns.result import Failure, Success
from sqlalchemy import BigInteger, Executable, bindparam, delete, insert, select, tuple_
from sqlalchemy.dialects import postgresql, sqlite

from fastapi_easy.domain.errors import Outcome
from fastapi_easy.domain.outbox.tables import INBOX
from fastapi_easy.domain.ports.unit_of_work import UnitOfWork, innermost
from fastapi_easy.infrastructure.inbox.message_ids import stored_text
from fastapi_easy.infrastructure.outbox.relational.connection import SystemConnection
from fastapi_easy.infrastructure.outbox.stored_message import to_microseconds
from fastapi_easy.infrastructure.persistence.sqlalchemy.connection import SqlAlchemyDatabase
from fastapi_easy.infrastructure.persistence.sqlalchemy.journal import ensure_tables
from fastapi_easy.infrastructure.relational.driver.error_classification import classify_error
from fastapi_easy.infrastructure.relational.error_codes import ErrorCause
from fastapi_easy.infrastructure.relational.errors import DATABASE_ERRORS
from fastapi_easy.infrastructure.relational.system_tables.database_clock import now
from fastapi_easy.infrastructure.relational.system_tables.journal_tables import table_of

_TABLE: Final = table_of(INBOX)


class RelationalInbox:
    """Implements `Inbox` in *database*."""

    def __init__(self, database: SqlAlchemyDatabase) -> None:
        self._database = database
        self._connection = SystemConnection(database, (INBOX,))
        self._insert = _insert(self._connection.dialect)

    async def prepare(self) -> Outcome[tuple[str, ...]]:
        """Create the table."""
        if self._database.is_read_only:
            return Success(("messages cannot be handled, since the database takes no changes",))
        prepared = await self._connection.attempt(self._connection.ensure_tables)
        return prepared if isinstance(prepared, Failure) else Success(())

    async def accept_in(self, work: UnitOfWork, consumer: str, message_id: str, /) -> Outcome[bool]:
        """Insert a row, unless there is one: the primary key waits for another transaction that has inserted it."""
        inner: Any = innermost(work)
        given = {"consumer": stored_text(consumer), "message_id": stored_text(message_id)}
        try:
            with inner.transaction.use:
                await ensure_tables(self._database, (INBOX,), inner.transaction)
                answer = await inner.transaction.execute(self._insert, given, writes=True)
        except DATABASE_ERRORS as error:
            classified = classify_error(error)
            if classified is not None and classified.cause is ErrorCause.UNIQUE:
                return Success(False)
            return self._connection.unavailable(error)
        return Success(answer.affected > 0)

    async def remove_older(self, seconds: float, limit: int, /) -> Outcome[int]:
        """Delete rows that are older than *seconds*."""
        given = {"age": to_microseconds(seconds), "at_most": limit}
        removed = await self._connection.attempt(
            lambda: self._connection.write(_remove(self._connection.dialect), given)
        )
        return removed if isinstance(removed, Failure) else Success(removed.unwrap().affected)


def _insert(dialect: str) -> Executable:
    row = {
        "consumer": bindparam("consumer", type_=_TABLE.c.consumer.type),
        "message_id": bindparam("message_id", type_=_TABLE.c.message_id.type),
        "seen_at": now(dialect),
    }
    match dialect:
        case "mysql" | "mariadb":
            # It is refused if the row is there, which costs nothing but this statement. `IGNORE` would log a warning.
            return insert(_TABLE).values(**row)
        case "sqlite":
            return sqlite.insert(_TABLE).values(**row).on_conflict_do_nothing()
        case _:
            return postgresql.insert(_TABLE).values(**row).on_conflict_do_nothing()


@functools.cache
def _remove(dialect: str) -> Executable:
    old = (
        select(_TABLE.c.consumer, _TABLE.c.message_id)
        .where(_TABLE.c.seen_at < now(dialect) - bindparam("age", type_=BigInteger()))
        .order_by(_TABLE.c.seen_at)
        .limit(bindparam("at_most", type_=BigInteger()))
        .subquery("old")
    )
    return delete(_TABLE).where(
        tuple_(_TABLE.c.consumer, _TABLE.c.message_id).in_(select(old.c.consumer, old.c.message_id))
    )
