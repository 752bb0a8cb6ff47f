"""Claims of messages in MongoDB: which may be published next, and by whom."""

import uuid
from collections.abc import Sequence
from typing import Any, Final

from fastapi_easy.domain.outbox.message import ClaimedMessage
from fastapi_easy.domain.outbox.tables import MessageState
from fastapi_easy.infrastructure.outbox.mongo.collection import (
    NOW,
    UNPUBLISHED,
    SystemCollection,
    earlier,
)
from fastapi_easy.infrastructure.outbox.stored_message import from_stored, to_microseconds
from fastapi_easy.infrastructure.persistence.mongo.documents.document import Document

_WAITING: Final = int(MessageState.WAITING)
_DUE: Final[Document] = {
    "state": _WAITING,
    "$expr": {
        "$and": [
            {"$lte": [{"$ifNull": ["$not_before", 0]}, NOW]},
            {"$lt": [{"$ifNull": ["$claim_until", 0]}, NOW]},
        ]
    },
}
_UNCLAIMED: Final[Document] = {"claim": None, "claim_until": None}


class Claims:
    """Claims messages in *collection*.

    A message is looked at before those in front of it, which were committed before: it is the first of its entity when
    none of them is left. Whoever changes it first has claimed it.
    """

    def __init__(self, collection: SystemCollection) -> None:
        self._collection = collection

    async def claim(self, limit: int, lease: float) -> Sequence[ClaimedMessage]:
        """Claim at most *limit* messages for *lease* seconds."""
        heads = await self._collection.aggregate(
            {"$match": _DUE},
            {"$sort": {"occurred_at": 1, "number": 1}},
            earlier(UNPUBLISHED, "earlier", self._collection.name),
            {"$match": {"earlier": []}},
            {"$limit": limit},
            {"$project": {"_id": 1}},
        )
        if not heads:
            return []
        claim = uuid.uuid4()
        those = {"_id": {"$in": [each["_id"] for each in heads]}}
        claimed: Document = {
            "claim": str(claim),
            "claim_until": {"$add": [NOW, to_microseconds(lease)]},
            "attempts": {"$add": ["$attempts", 1]},
        }
        _ = await self._collection.update({**those, **_DUE}, {"$set": claimed})
        found = await self._collection.aggregate(
            {"$match": {**those, "claim": str(claim)}}, {"$sort": {"occurred_at": 1, "number": 1}}
        )
        return [
            ClaimedMessage(message=from_stored(each), claim=claim, attempts=each["attempts"])
            for each in found
        ]

    async def mark_published(self, claims: Sequence[ClaimedMessage]) -> int:
        """Mark as published what *claims* stand for."""
        return await self._change_all(claims, state=int(MessageState.PUBLISHED))

    async def release(self, claims: Sequence[ClaimedMessage]) -> int:
        """Give back *claims* as if they had never been made."""
        return await self._change_all(claims, attempts={"$subtract": ["$attempts", 1]})

    async def retry_later(self, claim: ClaimedMessage, delay: float, error: str) -> bool:
        """Give *claim* back for *delay* seconds."""
        return await self._change(claim, error, not_before={"$add": [NOW, to_microseconds(delay)]})

    async def park(self, claim: ClaimedMessage, error: str) -> bool:
        """Park what *claim* stands for."""
        return await self._change(claim, error, state=int(MessageState.PARKED), parked_at=NOW)

    async def _change_all(self, claims: Sequence[ClaimedMessage], **values: Any) -> int:
        changed = 0
        for claim in dict.fromkeys(each.claim for each in claims):
            ids = [str(each.message.id) for each in claims if each.claim == claim]
            held = {"_id": {"$in": ids}, "claim": str(claim), "state": _WAITING}
            changed += await self._collection.update(held, {"$set": {**_UNCLAIMED, **values}})
        return changed

    async def _change(self, claim: ClaimedMessage, error: str, **values: Any) -> bool:
        held = {"_id": str(claim.message.id), "claim": str(claim.claim), "state": _WAITING}
        # A text that begins with a dollar would be taken for the name of a field.
        changed: Document = {**_UNCLAIMED, "error": {"$literal": error}, **values}
        return await self._collection.update(held, {"$set": changed}) > 0
