"""Entries that wait to be written, for what must not wait itself."""

import asyncio
import logging
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from itertools import islice
from typing import Final

from returns.result import Failure, Success

from fastapi_easy.application.audit.trail import AuditTrail
from fastapi_easy.domain.audit.entry import AuditEntry
from fastapi_easy.domain.errors import Outcome

_logger: Final = logging.getLogger("fastapi_easy.audit")

_BATCH: Final = 500
"""Entries that are written in one transaction at most."""

_PAUSE: Final = 1.0
"""Seconds between two attempts while the database does not answer."""


class EntryQueue:
    """Writes entries to the trail of one database, soon after they were added.

    Entries that do not fit any more are lost. Their number is an entry itself, as soon as one can be written.

    Args:
        trail: Where they are written.

        database: The database; `None` for that of the security.

        lost_action: What the entry about lost entries is called.

        limit: Entries that wait at most.
    """

    def __init__(
        self, trail: AuditTrail, database: str | None, *, lost_action: str, limit: int = 10_000
    ) -> None:
        self._trail = trail
        self._database = database
        self._lost_action = lost_action
        self._limit = limit
        self._waiting: deque[AuditEntry] = deque()
        self._lost = 0
        self._wake: asyncio.Event | None = None
        self._writing: asyncio.Lock | None = None

    @property
    def is_open(self) -> bool:
        """Whether what is added is written soon."""
        return self._wake is not None

    @property
    def is_empty(self) -> bool:
        """Whether nothing waits."""
        return not self._waiting and not self._lost

    def add(self, entry: AuditEntry) -> None:
        """Have *entry* written soon; never waits."""
        if len(self._waiting) >= self._limit:
            self._lost += 1
        else:
            self._waiting.append(entry)
        if self._wake is not None:
            self._wake.set()

    async def write(self) -> Outcome[None]:
        """Write what waits; return when all that waited before the call is written, by whomever.

        Fails with:
            Unavailable: The database does not answer. What waits goes on waiting.
        """
        if self._writing is None:
            return await self._write()
        async with self._writing:
            return await self._write()

    @asynccontextmanager
    async def opened(self) -> AsyncIterator[None]:
        """Write what waits while the block runs, and the rest at its end."""
        # They belong to the event loop of the block.
        self._wake = asyncio.Event()
        self._writing = writing = asyncio.Lock()
        if self._waiting:
            self._wake.set()
        task = asyncio.create_task(self._run(self._wake))
        try:
            yield
        finally:
            try:
                # What is being written when the task is cancelled may be there already, and would be written again.
                async with writing:
                    pass
            finally:
                _ = task.cancel()
            with suppress(asyncio.CancelledError):
                await task
            self._wake = self._writing = None
            written = await self._write()
            if isinstance(written, Failure):
                _logger.critical(
                    "%d entries of the audit trail were not written: %s",
                    len(self._waiting) + self._lost,
                    written.failure().code,
                )

    async def _run(self, wake: asyncio.Event) -> None:
        while True:
            _ = await wake.wait()
            wake.clear()
            written = await self.write()
            if isinstance(written, Failure):
                _logger.error("entries of the audit trail wait: %s", written.failure().code)
                await asyncio.sleep(_PAUSE)
                wake.set()

    async def _write(self) -> Outcome[None]:
        while self._waiting or self._lost:
            batch, lost = list(islice(self._waiting, _BATCH)), self._lost
            told = [self._trail.entry(self._lost_action, changes={"lost": lost})] if lost else []
            # Those that were lost came after those that wait, but the others may fill another batch.
            written = await self._trail.append([*batch, *told], self._database)
            if isinstance(written, Failure):
                return written
            for _ in batch:
                _ = self._waiting.popleft()
            self._lost -= lost
        return Success(None)
