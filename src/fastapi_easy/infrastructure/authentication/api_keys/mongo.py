"""API keys in MongoDB; a server that stands alone will do."""

import datetime
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Final, TypeVar

from pymongo.errors import DuplicateKeyError
from returns.result import Failure, Success

from fastapi_easy.domain.authentication.api_key import API_KEYS, ApiKey
from fastapi_easy.domain.errors import AlreadyExists, Outcome, OutcomeUnknown
from fastapi_easy.domain.ports.breaker import CallNotPermitted
from fastapi_easy.infrastructure.authentication.api_keys.stored_values import from_stored, to_stored
from fastapi_easy.infrastructure.persistence.mongo.connection import MongoDatabase
from fastapi_easy.infrastructure.persistence.mongo.errors import (
    DATABASE_ERRORS,
    PoolExhausted,
    as_unavailable,
    is_ambiguous,
    is_unreachable,
)

T = TypeVar("T")

_ORDER: Final = [("created_at", 1), ("_id", 1)]


class MongoApiKeyStore:
    """Implements `ApiKeyStore` in MongoDB: a document for each key, whose `_id` is the id of the key.

    Args:
        database: The database.
    """

    def __init__(self, database: MongoDatabase) -> None:
        self._database = database

    async def add(self, key: ApiKey, /) -> Outcome[None]:
        """Store *key*."""
        document = to_stored(key)
        document = {"_id": document.pop("id"), **document}

        async def insert() -> None:
            _ = await self._collection.insert_one(document)

        return await self._call(insert, is_write=True)

    async def find_by_id(self, key_id: str, /) -> Outcome[ApiKey | None]:
        """Return the key with *key_id*, or `None`."""

        async def find() -> ApiKey | None:
            found = await self._collection.find_one({"_id": key_id})
            return None if found is None else _from_document(found)

        return await self._call(find)

    async def find_all(self, owner: str | None = None, /) -> Outcome[Sequence[ApiKey]]:
        """Return every key, or those of *owner*."""

        async def find() -> Sequence[ApiKey]:
            wanted = {} if owner is None else {"owner": owner}
            found = await self._collection.find(wanted).sort(_ORDER).to_list(None)
            return [_from_document(each) for each in found]

        return await self._call(find)

    async def revoke(self, key_id: str, at: datetime.datetime, /) -> Outcome[bool]:
        """Revoke the key with *key_id*."""
        return await self._update({"_id": key_id, "revoked_at": None}, {"revoked_at": at})

    async def note_use(self, key_id: str, at: datetime.datetime, /) -> Outcome[None]:
        """Remember the use of the key with *key_id*."""
        earlier = [{"last_used_at": None}, {"last_used_at": {"$lt": at}}]
        noted = await self._update({"_id": key_id, "$or": earlier}, {"last_used_at": at})
        return noted if isinstance(noted, Failure) else Success(None)

    async def aclose(self) -> None:
        """Leave the database open, which belongs to the application."""

    @property
    def _collection(self) -> Any:
        return self._database.client.collection(API_KEYS.name)

    async def _update(self, where: dict[str, object], values: dict[str, object]) -> Outcome[bool]:
        async def update() -> bool:
            done = await self._collection.update_one(where, {"$set": values})
            return bool(done.matched_count)

        return await self._call(update, is_write=True)

    async def _call(self, operation: Callable[[], Awaitable[T]], *, is_write: bool = False) -> Outcome[T]:
        try:
            return Success(await self._database.client.call(operation, is_write=is_write))
        except DuplicateKeyError:
            return Failure(AlreadyExists(API_KEYS.name, ("id",)))
        except DATABASE_ERRORS as error:
            if is_write and is_ambiguous(error):
                return Failure(OutcomeUnknown(self._database.name))
            if isinstance(error, PoolExhausted | CallNotPermitted) or is_unreachable(error):
                return Failure(as_unavailable(error, self._database.name))
            raise


def _from_document(document: dict[str, Any]) -> ApiKey:
    return from_stored({"id": document["_id"], **document})
