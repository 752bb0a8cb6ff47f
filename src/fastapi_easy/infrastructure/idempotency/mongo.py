"""The records of calls with an idempotency key in a MongoDB database: documents of `fe_idempotency`."""

import asyncio
import datetime
from collections.abc import Mapping
from typing import Any, Final

from pymongo.errors import OperationFailure
from returns.result import Failure, Success

from fastapi_easy.domain.errors import InFlight, Outcome, Unsupported
from fastapi_easy.domain.ports.idempotency_store import CallRecord, KeyedCall
from fastapi_easy.infrastructure.persistence.mongo.connection import MongoDatabase
from fastapi_easy.infrastructure.persistence.mongo.driver.driver_client import Session
from fastapi_easy.infrastructure.persistence.mongo.driver.transaction import Transaction
from fastapi_easy.infrastructure.persistence.mongo.errors import (
    DATABASE_ERRORS,
    DUPLICATE_KEY_CODES,
    as_unavailable,
    code_of,
    is_conflict,
    is_unreachable,
)
from fastapi_easy.infrastructure.persistence.mongo.journal import unavailable
from fastapi_easy.infrastructure.unit_of_work import TransactionalUnitOfWork

_COLLECTION: Final = "fe_idempotency"


class MongoIdempotencyStore:
    """Implements `IdempotencyStore` on one `MongoDatabase`.

    Of two transactions that insert the same `_id` the second is in conflict, and tried again until the first has ended.
    The server removes what has expired by itself (TTL index); here it is removed sooner.

    Args:
        database: The database.
    """

    def __init__(self, database: MongoDatabase) -> None:
        self._database = database
        self._is_prepared = False
        self._preparing = asyncio.Lock()

    async def prepare(self) -> Outcome[tuple[str, ...]]:
        """Create the index of expiry; return that a server which stands alone has no transactions."""
        try:
            if not await self._database.has_transactions():
                return Success(
                    (
                        (
                            "idempotency keys need transactions, which a stand-alone MongoDB server does not support: "
                            "make it a replica set (one member is enough)"
                        ),
                    )
                )
            await self._ensure_index()
        except DATABASE_ERRORS as error:
            return unavailable(error, self._database.name)
        return Success(())

    async def claim(
        self, work: TransactionalUnitOfWork[MongoDatabase, Transaction], call: KeyedCall
    ) -> Outcome[bool]:
        """Insert the document of *call*, still without an answer."""
        document = {
            "_id": call.id,
            "resource": call.resource.name,
            "action": call.action,
            "fingerprint": call.fingerprint,
            "expires_at": call.expires_at,
        }

        async def insert(session: Session) -> None:
            _ = await self._database.client.call(
                lambda: self._calls.insert_one(dict(document), session=session), is_write=True
            )

        try:
            if not await work.transaction.is_transactional():
                return Failure(
                    Unsupported(call.resource.name, "transactions, which an idempotency key needs")
                )
            await self._ensure_index()
            await work.transaction.write(insert)
        except OperationFailure as error:
            if code_of(error) in DUPLICATE_KEY_CODES:
                return Success(False)
            return Failure(InFlight(call.key)) if is_conflict(error) else self._failed(error)
        except DATABASE_ERRORS as error:
            return self._failed(error)
        return Success(True)

    async def complete(
        self, work: TransactionalUnitOfWork[MongoDatabase, Transaction], call: KeyedCall, answer: str
    ) -> Outcome[None]:
        """Write *answer* into the document of *call*."""

        async def write_answer(session: Session) -> None:
            _ = await self._database.client.call(
                lambda: self._calls.update_one(
                    {"_id": call.id}, {"$set": {"answer": answer}}, session=session
                ),
                is_write=True,
            )

        try:
            await work.transaction.write(write_answer)
        except DATABASE_ERRORS as error:
            return self._failed(error)
        return Success(None)

    async def find(self, call_id: str) -> Outcome[CallRecord | None]:
        """Read the document with *call_id*, outside of any transaction."""
        try:
            found: Mapping[str, Any] | None = await self._database.client.call(
                lambda: self._calls.find_one({"_id": call_id})
            )
        except DATABASE_ERRORS as error:
            return self._failed(error)
        if found is None:
            return Success(None)
        expires_at: datetime.datetime = found["expires_at"]
        if expires_at.tzinfo is None:
            expires_at = expires_at.replace(tzinfo=datetime.UTC)
        return Success(CallRecord(found["fingerprint"], found["answer"], expires_at))

    async def remove_expired(self, now: datetime.datetime, call_id: str | None = None) -> Outcome[int]:
        """Delete expired documents; all of them, unless *call_id* says which."""
        expired: dict[str, object] = {"expires_at": {"$lte": now}}
        if call_id is not None:
            expired["_id"] = call_id
        try:
            _ = await self._database.client.call(lambda: self._calls.delete_many(expired), is_write=True)
        except DATABASE_ERRORS as error:
            return self._failed(error)
        # None are left, however many there were.
        return Success(0)

    @property
    def _calls(self) -> Any:
        return self._database.client.collection(_COLLECTION)

    async def _ensure_index(self) -> None:
        if self._is_prepared:
            return
        async with self._preparing:
            if not self._is_prepared:
                _ = await self._database.client.call(
                    lambda: self._calls.create_index("expires_at", expireAfterSeconds=0), is_write=True
                )
                self._is_prepared = True

    def _failed(self, error: BaseException) -> Failure[Any]:
        if is_unreachable(error):
            return Failure(as_unavailable(error, self._database.name))
        return unavailable(error, self._database.name)
