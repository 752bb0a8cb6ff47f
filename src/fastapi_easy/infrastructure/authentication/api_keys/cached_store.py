"""API keys remembered for a few seconds, so that a busy key costs no statement per call."""

import asyncio
import datetime
import logging
from collections import OrderedDict
from collections.abc import Sequence
from typing import Final

from returns.result import Failure, Success

from fastapi_easy.domain.authentication.api_key import ApiKey
from fastapi_easy.domain.errors import Outcome
from fastapi_easy.domain.ports.api_key_store import ApiKeyStore
from fastapi_easy.domain.ports.clock import Clock

_logger: Final = logging.getLogger(__name__)

MAX_KNOWN: Final = 4096
"""Keys that are remembered at most."""

MAX_UNKNOWN: Final = 1024
"""Ids without a key that are remembered at most; fewer, since anybody can make them up."""

_USE_INTERVAL: Final = 60.0
"""Seconds between two notes of the use of one key."""


class CachedApiKeyStore:
    """Implements `ApiKeyStore` above another one, which it asks about an id once in *seconds*.

    What this process revokes or adds counts here at once, what another one does after *seconds*. The use of a key is
    written beside the calls that use it, and once a minute at most.

    Args:
        store: Where the keys are kept.

        clock: Tells the time.

        seconds: For how long an answer is remembered; 0 for not at all.
    """

    def __init__(self, store: ApiKeyStore, clock: Clock, seconds: float) -> None:
        self._store = store
        self._clock = clock
        self._seconds = seconds
        self._known: OrderedDict[str, tuple[float, ApiKey]] = OrderedDict()
        self._unknown: OrderedDict[str, float] = OrderedDict()
        self._changes = 0
        self._noted: dict[str, float] = {}
        self._writing: set[asyncio.Task[None]] = set()

    async def add(self, key: ApiKey, /) -> Outcome[None]:
        """Store *key*."""
        added = await self._store.add(key)
        self._forget(key.id)
        return added

    async def find_by_id(self, key_id: str, /) -> Outcome[ApiKey | None]:
        """Return the key with *key_id*, or `None`, as it was at most so many seconds ago."""
        now = self._clock.monotonic()
        known = self._known.get(key_id)
        if known is not None and now < known[0]:
            return Success(known[1])
        if now < self._unknown.get(key_id, now):
            return Success(None)
        changes = self._changes
        found = await self._store.find_by_id(key_id)
        # What was asked before a change of this process may be older than that.
        if isinstance(found, Success) and changes == self._changes:
            self._remember(key_id, found.unwrap(), now + self._seconds)
        return found

    async def find_all(self, owner: str | None = None, /) -> Outcome[Sequence[ApiKey]]:
        """Return every key, or those of *owner*, as they are now."""
        return await self._store.find_all(owner)

    async def revoke(self, key_id: str, at: datetime.datetime, /) -> Outcome[bool]:
        """Revoke the key with *key_id*."""
        revoked = await self._store.revoke(key_id, at)
        self._forget(key_id)
        return revoked

    async def note_use(self, key_id: str, at: datetime.datetime, /) -> Outcome[None]:
        """Let the use of the key with *key_id* be written soon, unless that was done a moment ago."""
        now = self._clock.monotonic()
        if now < self._noted.get(key_id, now):
            return Success(None)
        if len(self._noted) >= MAX_KNOWN:
            self._noted.clear()
        self._noted[key_id] = now + _USE_INTERVAL
        task = asyncio.get_running_loop().create_task(self._write_use(key_id, at))
        self._writing.add(task)
        task.add_done_callback(self._writing.discard)
        return Success(None)

    async def aclose(self) -> None:
        """Wait until every use that was noted is written."""
        if self._writing:
            _ = await asyncio.wait(self._writing)
        await self._store.aclose()

    async def _write_use(self, key_id: str, at: datetime.datetime) -> None:
        written = await self._store.note_use(key_id, at)
        if isinstance(written, Failure):
            _logger.debug("the use of API key %s was not noted: %s", key_id, written.failure().code)

    def _remember(self, key_id: str, found: ApiKey | None, until: float) -> None:
        if found is None:
            self._unknown[key_id] = until
            if len(self._unknown) > MAX_UNKNOWN:
                _ = self._unknown.popitem(last=False)
            return
        self._known[key_id] = until, found
        if len(self._known) > MAX_KNOWN:
            _ = self._known.popitem(last=False)

    def _forget(self, key_id: str) -> None:
        self._changes += 1
        _ = self._known.pop(key_id, None)
        _ = self._unknown.pop(key_id, None)
