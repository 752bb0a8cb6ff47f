"""API keys in the process, for tests and for a database in memory."""

import datetime
from collections.abc import Sequence
from dataclasses import replace

from returns.result import Failure, Success

from fastapi_easy.domain.authentication.api_key import API_KEYS, ApiKey
from fastapi_easy.domain.errors import AlreadyExists, Outcome


class MemoryApiKeyStore:
    """Implements `ApiKeyStore` in the process; what it holds lives as long as the object."""

    def __init__(self) -> None:
        self._keys: dict[str, ApiKey] = {}

    async def add(self, key: ApiKey, /) -> Outcome[None]:
        """Store *key*."""
        if key.id in self._keys:
            return Failure(AlreadyExists(API_KEYS.name, ("id",)))
        self._keys[key.id] = key
        return Success(None)

    async def find_by_id(self, key_id: str, /) -> Outcome[ApiKey | None]:
        """Return the key with *key_id*, or `None`."""
        return Success(self._keys.get(key_id))

    async def find_all(self, owner: str | None = None, /) -> Outcome[Sequence[ApiKey]]:
        """Return every key, or those of *owner*."""
        kept = (each for each in self._keys.values() if owner in {None, each.owner})
        return Success(sorted(kept, key=lambda each: (each.created_at, each.id)))

    async def revoke(self, key_id: str, at: datetime.datetime, /) -> Outcome[bool]:
        """Revoke the key with *key_id*."""
        known = self._keys.get(key_id)
        if known is None or known.revoked_at is not None:
            return Success(False)
        self._keys[key_id] = replace(known, revoked_at=at)
        return Success(True)

    async def note_use(self, key_id: str, at: datetime.datetime, /) -> Outcome[None]:
        """Remember the use of the key with *key_id*."""
        known = self._keys.get(key_id)
        if known is not None and (known.last_used_at is None or known.last_used_at < at):
            self._keys[key_id] = replace(known, last_used_at=at)
        return Success(None)

    async def aclose(self) -> None:
        """Keep everything."""
