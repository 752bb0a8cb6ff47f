"""Positions in MongoDB, given in one transaction after the other."""

import datetime
import uuid
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from pymongo import ReturnDocument, UpdateOne

from fastapi_easy.domain.outbox.message import OutboxMessage
from fastapi_easy.domain.outbox.tables import OUTBOX_HEAD, POSITIONS, MessageState
from fastapi_easy.infrastructure.outbox.mongo.collection import SystemCollection
from fastapi_easy.infrastructure.outbox.stored_message import from_stored
from fastapi_easy.infrastructure.persistence.mongo.documents.document import Document
from fastapi_easy.infrastructure.persistence.mongo.driver.commands import FindOptions
from fastapi_easy.infrastructure.persistence.mongo.driver.driver_client import Session

_UNREAD: Final[Document] = {"position": None}
_IS_HEAD: Final[Document] = {"_id": POSITIONS}
_NEEDED: Final[Mapping[str, int]] = {"resource": 1, "entity": 1, "number": 1, "occurred_at": 1}


class Positions:
    """Assigns positions to the messages in *collection*, and reads along them."""

    def __init__(self, collection: SystemCollection) -> None:
        self._collection = collection
        self._database = collection.database

    async def add_head(self) -> None:
        """Add the document that is changed by whoever assigns positions, where it is missing."""
        client = self._database.client
        heads = client.collection(OUTBOX_HEAD.name)
        added = {"$setOnInsert": {"name": POSITIONS, "position": 0}}
        _ = await client.call(lambda: heads.update_one(_IS_HEAD, added, upsert=True), is_write=True)

    async def assign(self, limit: int) -> int:
        """Give positions to at most *limit* messages that have none."""
        if not await self._collection.aggregate({"$match": _UNREAD}, {"$limit": 1}):
            return 0
        assigned = 0

        async def assign(session: Session) -> None:
            nonlocal assigned
            assigned = await self._assign(session, limit)

        transaction = self._database.begin()
        try:
            await transaction.write(assign)
            await transaction.commit()
        finally:
            await transaction.close()
        return assigned

    async def read_after(self, position: int, limit: int) -> tuple[Sequence[OutboxMessage], bool]:
        """Return messages after *position*, and whether some have none."""
        unread = [{"$match": _UNREAD}, {"$limit": 1}, {"$project": {"_id": 1}}]
        found = await self._collection.aggregate(
            {"$match": {"position": {"$gt": position}}},
            {"$sort": {"position": 1}},
            {"$limit": limit},
            {"$unionWith": {"coll": self._collection.name, "pipeline": unread}},
        )
        read = [from_stored(each) for each in found if "position" in each]
        return read, len(read) < len(found)

    async def last(self) -> int:
        """Return the highest position that was ever assigned."""
        heads = await self._database.client.commands.find(OUTBOX_HEAD.name, FindOptions(match=_IS_HEAD))
        return int(heads[0]["position"]) if heads else 0

    async def first(self) -> int:
        """Return the lowest position that is there."""
        # In this order: what is assigned in between is not taken for removed.
        last = await self.last()
        found = await self._collection.aggregate(
            {"$match": {"position": {"$gt": 0}}}, {"$sort": {"position": 1}}, {"$limit": 1}
        )
        return int(found[0]["position"]) if found else last + 1

    async def read_expired(
        self, before: datetime.datetime, limit: int, *, published: bool
    ) -> Sequence[OutboxMessage]:
        """Return messages that occurred before *before*."""
        match: Document = {"position": {"$gt": 0}, "occurred_at": {"$lt": before}}
        if published:
            match["state"] = {"$gte": int(MessageState.PUBLISHED)}
        found = await self._collection.aggregate(
            {"$match": match}, {"$sort": {"position": 1}}, {"$limit": limit}
        )
        return [from_stored(each) for each in found]

    async def remove(self, message_ids: Sequence[uuid.UUID]) -> int:
        """Remove messages."""
        return await self._collection.remove({"_id": {"$in": [str(each) for each in message_ids]}})

    async def _assign(self, session: Session, limit: int) -> int:
        client = self._database.client
        messages, heads = client.collection(self._collection.name), client.collection(OUTBOX_HEAD.name)

        async def move_head(number: int) -> Any:
            return await client.call(
                lambda: heads.find_one_and_update(
                    _IS_HEAD,
                    # Also where nothing moves: whoever else changes it at the same time is in conflict.
                    {"$inc": {"position": number, "turn": 1}},
                    upsert=True,
                    return_document=ReturnDocument.BEFORE,
                    session=session,
                ),
                is_write=True,
            )

        head = await move_head(0)
        last = 0 if head is None else int(head["position"])
        # By number, so that none is left out before a later one of the same entity.
        chosen = FindOptions(match=_UNREAD, projection=_NEEDED, sort={"number": 1}, limit=limit)
        ordered = _in_order(await client.commands.find(self._collection.name, chosen, session))
        if not ordered:
            return 0
        changes = [
            UpdateOne({"_id": each["_id"]}, {"$set": {"position": place}})
            for place, each in enumerate(ordered, start=last + 1)
        ]
        _ = await client.call(
            lambda: messages.bulk_write(changes, ordered=False, session=session), is_write=True
        )
        _ = await move_head(len(ordered))
        return len(ordered)


def _in_order(messages: Iterable[Document]) -> Sequence[Document]:
    """Return *messages* by their time, but those of one entity by their number: clocks differ."""
    by_time = sorted(messages, key=lambda each: (each["occurred_at"], each["number"]))
    entities: defaultdict[tuple[str, str], list[Document]] = defaultdict(list)
    for each in by_time:
        entities[each["resource"], each["entity"]].append(each)
    queues = {
        name: iter(sorted(those, key=lambda each: int(each["number"]))) for name, those in entities.items()
    }
    return [next(queues[each["resource"], each["entity"]]) for each in by_time]
