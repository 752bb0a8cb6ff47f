"""The records of calls with an idempotency key in a relational database: rows of `fe_idempotency`."""

import asyncio
import datetime
from collections.abc import Mapping
from typing import Any, Final

from returns.result import Failure, Success
from sqlalchemy import Connection, bindparam, delete, insert, select, update

from fastapi_easy.domain.errors import InFlight, Outcome, UnavailableReason
from fastapi_easy.domain.ports.idempotency_store import CallRecord, KeyedCall
from fastapi_easy.infrastructure.persistence.sqlalchemy.connection import SqlAlchemyDatabase
from fastapi_easy.infrastructure.persistence.sqlalchemy.schema import create
from fastapi_easy.infrastructure.relational.driver.error_classification import classify_error
from fastapi_easy.infrastructure.relational.error_codes import ErrorCause
from fastapi_easy.infrastructure.relational.errors import DATABASE_ERRORS, as_unavailable
from fastapi_easy.infrastructure.relational.system_tables.idempotency_table import CALLS
from fastapi_easy.infrastructure.relational.transaction import Transaction
from fastapi_easy.infrastructure.unit_of_work import TransactionalUnitOfWork

_BATCH: Final = 500
"""Records that are removed at a time."""

_CLAIM: Final = insert(CALLS)
_COMPLETE: Final = (
    update(CALLS).where(CALLS.c.id == bindparam("call_id")).values(answer=bindparam("given_answer"))
)
_FIND: Final = select(CALLS.c.fingerprint, CALLS.c.answer, CALLS.c.expires_at).where(
    CALLS.c.id == bindparam("call_id")
)
_FIND_EXPIRED: Final = (
    select(CALLS.c.id)
    .where(CALLS.c.expires_at <= bindparam("now"))
    .order_by(CALLS.c.expires_at)
    .limit(_BATCH)
)
_REMOVE: Final = delete(CALLS).where(
    CALLS.c.id.in_(bindparam("ids", expanding=True)), CALLS.c.expires_at <= bindparam("now")
)


class RelationalIdempotencyStore:
    """Implements `IdempotencyStore` on one `SqlAlchemyDatabase`.

    The primary key lets one transaction claim a record. Others wait for its end, on SQLite before they begin.

    Args:
        database: The database.
    """

    def __init__(self, database: SqlAlchemyDatabase) -> None:
        self._database = database
        self._is_prepared = False
        self._preparing = asyncio.Lock()

    async def prepare(self) -> Outcome[tuple[str, ...]]:
        """Create the table if it is missing. Safe when many do so at once."""
        try:
            await self._ensure_table()
        except DATABASE_ERRORS as error:
            return self._unavailable(error)
        return Success(())

    async def claim(
        self, work: TransactionalUnitOfWork[SqlAlchemyDatabase, Transaction], call: KeyedCall
    ) -> Outcome[bool]:
        """Insert the row of *call*, still without an answer."""
        row = {
            "id": call.id,
            "resource": call.resource.name,
            "action": call.action,
            "fingerprint": call.fingerprint,
            "answer": None,
            "expires_at": call.expires_at,
        }
        try:
            await self._ensure_table()
            # Before the transaction takes a connection: if all were taken by calls that wait for the catalogue, nobody
            # could ask it.
            _ = await self._database.plan(call.resource)
            _ = await work.transaction.execute(_CLAIM, row, writes=True)
        except DATABASE_ERRORS as error:
            classified = classify_error(error)
            if classified is not None and classified.cause is ErrorCause.UNIQUE:
                return Success(False)
            unavailable = self._unavailable(error)
            # On SQLite whoever writes anything is waited for, and not just whoever has claimed the same record.
            waits_for_row = self._database.executor.engine.dialect.name != "sqlite"
            if waits_for_row and unavailable.failure().reason is UnavailableReason.TIMEOUT:
                return Failure(InFlight(call.key))
            return unavailable
        return Success(True)

    async def complete(
        self, work: TransactionalUnitOfWork[SqlAlchemyDatabase, Transaction], call: KeyedCall, answer: str
    ) -> Outcome[None]:
        """Write *answer* into the row of *call*."""
        try:
            _ = await work.transaction.execute(
                _COMPLETE, {"call_id": call.id, "given_answer": answer}, writes=True
            )
        except DATABASE_ERRORS as error:
            return self._unavailable(error)
        return Success(None)

    async def find(self, call_id: str) -> Outcome[CallRecord | None]:
        """Read the row with *call_id*, outside of any transaction."""
        try:
            await self._ensure_table()
            rows = (await self._database.executor.read(_FIND, {"call_id": call_id})).rows
        except DATABASE_ERRORS as error:
            return self._unavailable(error)
        return Success(CallRecord(*rows[0]) if rows else None)

    async def remove_expired(self, now: datetime.datetime, call_id: str | None = None) -> Outcome[int]:
        """Delete rows by their keys, so that nothing else is locked on the way."""
        try:
            await self._ensure_table()
            ids = [call_id]
            if call_id is None:
                expired = await self._database.executor.read(_FIND_EXPIRED, {"now": now})
                ids = [row[0] for row in expired.rows]
            if ids:
                await self._execute({"ids": ids, "now": now})
        except DATABASE_ERRORS as error:
            return self._unavailable(error)
        return Success(len(ids))

    async def _execute(self, parameters: Mapping[str, Any]) -> None:
        transaction = self._database.begin()
        try:
            _ = await transaction.execute(_REMOVE, parameters, writes=True)
            await transaction.commit()
        finally:
            await transaction.close()

    async def _ensure_table(self) -> None:
        if self._is_prepared:
            return
        async with self._preparing:
            if not self._is_prepared:
                # Makes the folder of a database that lives in one.
                _ = self._database.begin()
                await self._database.executor.run_sync(_create)
                self._is_prepared = True

    def _unavailable(self, error: BaseException) -> Failure[Any]:
        unavailable = as_unavailable(error, self._database.name)
        if unavailable is None:
            raise error
        return Failure(unavailable)


def _create(connection: Connection) -> None:
    create(connection, CALLS.metadata)
