"""What was not published in MongoDB, and what becomes of parked messages."""

import uuid
from collections.abc import Sequence
from typing import Final

from fastapi_easy.domain.outbox.message import OutboxLag, ParkedMessage
from fastapi_easy.domain.outbox.tables import MessageState
from fastapi_easy.infrastructure.outbox.mongo.collection import UNPUBLISHED, SystemCollection, later
from fastapi_easy.infrastructure.outbox.stored_message import from_microseconds, from_stored
from fastapi_easy.infrastructure.persistence.mongo.documents.document import Document

_WAITING: Final = int(MessageState.WAITING)
_PARKED: Final = int(MessageState.PARKED)
_RETRIED: Final[Document] = {
    "state": _WAITING,
    "attempts": 0,
    "not_before": None,
    "error": None,
    "parked_at": None,
}


class ParkedMessages:
    """Looks after what has not been published in *collection*."""

    def __init__(self, collection: SystemCollection) -> None:
        self._collection = collection

    async def lag(self) -> OutboxLag:
        """Count what has not been published, in one walk along every entity."""
        so_far = {"documents": ["unbounded", "current"]}
        is_parked = {"$cond": [{"$eq": ["$state", _PARKED]}, 1, 0]}
        groups = await self._collection.aggregate(
            {"$match": {"state": UNPUBLISHED}},
            {
                "$setWindowFields": {
                    "partitionBy": {"resource": "$resource", "entity": "$entity"},
                    "sortBy": {"number": 1},
                    "output": {"blocked": {"$max": is_parked, "window": so_far}},
                }
            },
            {
                "$group": {
                    "_id": {"state": "$state", "blocked": "$blocked"},
                    "messages": {"$sum": 1},
                    "age": {"$max": {"$subtract": ["$$NOW", "$occurred_at"]}},
                }
            },
        )
        waiting = behind = parked = 0
        oldest = 0.0
        for each in groups:
            state, blocked = each["_id"]["state"], each["_id"]["blocked"]
            if state == _PARKED:
                parked += each["messages"]
            elif blocked:
                behind += each["messages"]
            else:
                waiting = each["messages"]
                # Written by the clock of the process.
                oldest = max(0.0, each["age"] / 1000)
        return OutboxLag(waiting=waiting, oldest=oldest, parked=parked, behind_parked=behind)

    async def find(self, limit: int) -> Sequence[ParkedMessage]:
        """Return parked messages."""
        found = await self._collection.aggregate(
            {"$match": {"state": _PARKED}},
            {"$sort": {"occurred_at": 1, "number": 1}},
            {"$limit": limit},
            later({"$eq": _WAITING}, "behind", self._collection.name),
        )
        return [
            ParkedMessage(
                message=from_stored(each),
                attempts=each["attempts"],
                error=each["error"],
                parked_at=from_microseconds(each["parked_at"]),
                waiting=each["behind"][0]["n"] if each["behind"] else 0,
            )
            for each in found
        ]

    async def retry(self, message_id: uuid.UUID | None) -> int:
        """Have parked messages published as if never tried."""
        which = {} if message_id is None else {"_id": str(message_id)}
        return await self._collection.update({"state": _PARKED, **which}, {"$set": _RETRIED})

    async def drop(self, message_id: uuid.UUID) -> bool:
        """Never publish a parked message."""
        match = {"state": _PARKED, "_id": str(message_id)}
        return await self._collection.update(match, {"$set": {"state": int(MessageState.DROPPED)}}) > 0
