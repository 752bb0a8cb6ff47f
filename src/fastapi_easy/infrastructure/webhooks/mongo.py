"""Webhooks in MongoDB; a server that stands alone will do."""

import uuid
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Final, TypeVar

from pymongo.errors import DuplicateKeyError
from returns.result import Failure, Success

from fastapi_easy.domain.errors import AlreadyExists, Outcome, OutcomeUnknown
from fastapi_easy.domain.ports.breaker import CallNotPermitted
from fastapi_easy.domain.ports.webhook_store import ClaimedWebhook, Webhook
from fastapi_easy.domain.webhooks.table import WEBHOOKS
from fastapi_easy.infrastructure.persistence.mongo.connection import MongoDatabase
from fastapi_easy.infrastructure.persistence.mongo.errors import (
    DATABASE_ERRORS,
    PoolExhausted,
    as_unavailable,
    is_ambiguous,
    is_unreachable,
)
from fastapi_easy.infrastructure.webhooks.stored_values import (
    FRESH,
    MICROSECONDS,
    UNCLAIMED,
    from_stored,
    to_changed,
    to_json,
    to_stored,
)

T = TypeVar("T")

_NOW: Final = {"$multiply": [{"$toLong": "$$NOW"}, 1000]}
"""Microseconds since 1970, by the server's clock."""


class MongoWebhookStore:
    """Implements `WebhookStore` in MongoDB: a document for each webhook, whose `_id` is the id of the webhook.

    Args:
        database: The database.
    """

    def __init__(self, database: MongoDatabase) -> None:
        self._database = database

    async def prepare(self) -> Outcome[tuple[str, ...]]:
        """Do nothing: the collection is made by its first document."""
        return Success(())

    async def add(self, webhook: Webhook, /) -> Outcome[None]:
        """Store *webhook*."""
        document = to_stored(webhook)
        document = {"_id": document.pop("id"), **document}

        async def insert() -> None:
            _ = await self._collection.insert_one(document)

        return await self._call(insert, is_write=True)

    async def find_all(self) -> Outcome[Sequence[Webhook]]:
        """Return every webhook."""

        async def find() -> Sequence[Webhook]:
            found = await self._collection.find({}).sort([("created_at", 1), ("_id", 1)]).to_list(None)
            return [_from_document(each) for each in found]

        return await self._call(find)

    async def change(self, webhook: Webhook, /) -> Outcome[bool]:
        """Store what an operator may change of *webhook*."""
        return await self._update({"_id": webhook.id}, {"$set": {**to_changed(webhook), **FRESH}})

    async def replace_secrets(
        self, webhook_id: str, before: Sequence[str], after: Sequence[str], /
    ) -> Outcome[bool]:
        """Store the same secrets in another form, unless others are there by now."""
        return await self._update(
            {"_id": webhook_id, "secrets": to_json(before)}, {"$set": {"secrets": to_json(after)}}
        )

    async def remove(self, webhook_id: str, /) -> Outcome[bool]:
        """Remove a webhook."""

        async def remove() -> bool:
            return bool((await self._collection.delete_one({"_id": webhook_id})).deleted_count)

        return await self._call(remove, is_write=True)

    async def claim(self, last_position: int, lease: float, /) -> Outcome[ClaimedWebhook | None]:
        """Claim one webhook that is behind and due."""
        claim = uuid.uuid4()
        is_due = {"$and": [{"$lte": ["$retry_at", _NOW]}, {"$lte": ["$claimed_until", _NOW]}]}
        where = {"disabled": False, "position": {"$lt": last_position}, "$expr": is_due}
        until = {"$add": [_NOW, int(lease * MICROSECONDS)]}
        take = [{"$set": {"claim": claim.hex, "claimed_at": _NOW, "claimed_until": until}}]

        async def take_one() -> ClaimedWebhook | None:
            order = [("claimed_at", 1), ("_id", 1)]
            found = await self._collection.find_one_and_update(where, take, sort=order)
            return None if found is None else ClaimedWebhook(webhook=_from_document(found), claim=claim)

        return await self._call(take_one, is_write=True)

    async def advance(self, claim: ClaimedWebhook, position: int, /) -> Outcome[bool]:
        """Note how far the claimed webhook has come."""
        return await self._update(
            {**_key_of(claim), "disabled": False}, {"$set": {"position": position, **FRESH}}
        )

    async def retry_later(
        self, claim: ClaimedWebhook, delay: float, error: str, *, disable: bool
    ) -> Outcome[bool]:
        """Give *claim* back after a failure."""
        values = {
            "attempts": {"$add": ["$attempts", 1]},
            "retry_at": {"$add": [_NOW, int(delay * MICROSECONDS)]},
            # A text that begins with a dollar sign would be read as the name of a field.
            "error": {"$literal": error},
            **UNCLAIMED,
        }
        return await self._update(
            _key_of(claim), [{"$set": {**values, "disabled": True} if disable else values}]
        )

    async def release(self, claim: ClaimedWebhook, /) -> Outcome[None]:
        """Give *claim* back."""
        released = await self._update(_key_of(claim), {"$set": UNCLAIMED})
        return released if isinstance(released, Failure) else Success(None)

    @property
    def _collection(self) -> Any:
        return self._database.client.collection(WEBHOOKS.name)

    async def _update(self, where: Mapping[str, object], change: object) -> Outcome[bool]:
        async def update() -> bool:
            return bool((await self._collection.update_one(where, change)).matched_count)

        return await self._call(update, is_write=True)

    async def _call(self, operation: Callable[[], Awaitable[T]], *, is_write: bool = False) -> Outcome[T]:
        try:
            return Success(await self._database.client.call(operation, is_write=is_write))
        except DuplicateKeyError:
            return Failure(AlreadyExists(WEBHOOKS.name, ("id",)))
        except DATABASE_ERRORS as error:
            if is_write and is_ambiguous(error):
                return Failure(OutcomeUnknown(self._database.name))
            if isinstance(error, PoolExhausted | CallNotPermitted) or is_unreachable(error):
                return Failure(as_unavailable(error, self._database.name))
            raise


def _key_of(claim: ClaimedWebhook) -> dict[str, object]:
    return {"_id": claim.webhook.id, "claim": claim.claim.hex}


def _from_document(document: dict[str, Any]) -> Webhook:
    return from_stored({"id": document["_id"], **document})
