"""The inbox of a MongoDB database: documents of `fe_inbox`."""

from typing import Any, Final

from pymongo.errors import DuplicateKeyError
from returns.result import Failure, Success

from fastapi_easy.domain.errors import Outcome, Unsupported
from fastapi_easy.domain.outbox.tables import INBOX
from fastapi_easy.domain.ports.unit_of_work import UnitOfWork, innermost
from fastapi_easy.infrastructure.inbox.message_ids import stored_text
from fastapi_easy.infrastructure.outbox.mongo.collection import NOW, SystemCollection
from fastapi_easy.infrastructure.outbox.stored_message import to_microseconds
from fastapi_easy.infrastructure.persistence.mongo.connection import MongoDatabase
from fastapi_easy.infrastructure.persistence.mongo.driver.driver_client import Session
from fastapi_easy.infrastructure.persistence.mongo.errors import DATABASE_ERRORS

_NO_TRANSACTIONS: Final = (
    "an inbox needs transactions, which a stand-alone MongoDB server does not support: make it a replica set (one "
    "member is enough)"
)


class MongoInbox:
    """Implements `Inbox` in *database*, which has to have transactions.

    Of two transactions that insert the same `_id` the second is in conflict, and tried again until the first has ended.
    """

    def __init__(self, database: MongoDatabase) -> None:
        self._database = database
        self._collection = SystemCollection(database, INBOX.name)

    async def prepare(self) -> Outcome[tuple[str, ...]]:
        """Create the index; return that a server which stands alone has no transactions."""
        try:
            if not await self._database.has_transactions():
                return Success((_NO_TRANSACTIONS,))
            for each in INBOX.every_index:
                await self._database.client.create_index(INBOX.name, each.fields, {})
        except DATABASE_ERRORS as error:
            return self._collection.failed(error)
        return Success(())

    async def accept_in(self, work: UnitOfWork, consumer: str, message_id: str, /) -> Outcome[bool]:
        """Insert a document, unless there is one."""
        inner: Any = innermost(work)
        place = {"consumer": stored_text(consumer), "message_id": stored_text(message_id)}
        client = self._database.client
        # The time of the server, and a document that is there stays as it is.
        seen_at = {"$ifNull": ["$seen_at", NOW]}
        values = {name: {"$literal": text} for name, text in place.items()}

        async def insert(session: Session) -> bool:
            done = await client.call(
                lambda: client.collection(INBOX.name).update_one(
                    {"_id": place}, [{"$set": {**values, "seen_at": seen_at}}], upsert=True, session=session
                ),
                is_write=True,
            )
            return done.upserted_id is not None

        try:
            if not await inner.transaction.is_transactional():
                return Failure(Unsupported(INBOX.name, "transactions, which an inbox needs"))
            try:
                return Success(await inner.transaction.write(insert))
            except DuplicateKeyError:
                # Two upserts at one moment: the other one has inserted it, so this one finds it.
                return Success(await inner.transaction.write(insert))
        except DATABASE_ERRORS as error:
            return self._collection.failed(error)

    async def remove_older(self, seconds: float, limit: int, /) -> Outcome[int]:
        """Delete documents that are older than *seconds*."""
        age = to_microseconds(seconds)

        async def remove() -> int:
            old = await self._collection.aggregate(
                {"$sort": {"seen_at": 1}},
                {"$limit": limit},
                {"$match": {"$expr": {"$lt": ["$seen_at", {"$subtract": [NOW, age]}]}}},
                {"$project": {"_id": 1}},
            )
            return await self._collection.remove({"_id": {"$in": [each["_id"] for each in old]}})

        return await self._collection.attempt(remove)
