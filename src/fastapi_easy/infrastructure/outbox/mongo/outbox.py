"""The outbox of a MongoDB database: documents of `fe_outbox`, written by the journal."""

from typing import Final

from returns.result import Failure, Success

from fastapi_easy.domain.changes.journal import SystemIndex
from fastapi_easy.domain.errors import Outcome
from fastapi_easy.domain.outbox.tables import OUTBOX, MessageState
from fastapi_easy.infrastructure.outbox.mongo.claims import Claims
from fastapi_easy.infrastructure.outbox.mongo.collection import SystemCollection
from fastapi_easy.infrastructure.outbox.mongo.parked import ParkedMessages
from fastapi_easy.infrastructure.outbox.mongo.positions import Positions
from fastapi_easy.infrastructure.outbox.server_outbox import ServerOutbox
from fastapi_easy.infrastructure.persistence.mongo.connection import MongoDatabase

_NO_TRANSACTIONS: Final = (
    "events need an outbox, and that needs transactions, which a stand-alone MongoDB server does not support: make it "
    "a replica set (one member is enough)"
)
_BY_TIME: Final = SystemIndex(("state", "occurred_at"), below=("state", int(MessageState.PUBLISHED)))
"""Numbers are those of one entity here, and so the oldest message is found by its time."""


class MongoOutbox(ServerOutbox):
    """Implements `Outbox` in *database*, which has to have transactions."""

    def __init__(self, database: MongoDatabase) -> None:
        self._database = database
        collection = SystemCollection(database, OUTBOX.name)
        self._heads = Positions(collection)
        super().__init__(collection.attempt, Claims(collection), ParkedMessages(collection), self._heads)

    async def prepare(self) -> Outcome[tuple[str, ...]]:
        """Create the indexes; return that a server which stands alone has no transactions."""
        has_transactions = await self._attempt(self._database.has_transactions)
        if isinstance(has_transactions, Failure):
            return has_transactions
        if not has_transactions.unwrap():
            return Success((_NO_TRANSACTIONS,))
        created = await self._attempt(self._create)
        return created if isinstance(created, Failure) else Success(())

    async def _create(self) -> None:
        for each in (*OUTBOX.every_index, _BY_TIME):
            options: dict[str, object] = {}
            if each.below is not None:
                name, limit = each.below
                options["partialFilterExpression"] = {name: {"$lt": limit}}
            await self._database.client.create_index(OUTBOX.name, each.fields, options)
        await self._heads.add_head()
