"""Remove what has been kept long enough: messages of the outbox, and notes of the inbox."""

import datetime
import logging
from typing import Final

from returns.result import Failure

from fastapi_easy.application.events.relay_figures import RelayFigures
from fastapi_easy.domain.ports.clock import Clock
from fastapi_easy.domain.ports.inbox import Inbox
from fastapi_easy.domain.ports.outbox import Outbox
from fastapi_easy.domain.ports.outbox_archive import OutboxArchive

_logger = logging.getLogger(__name__)

_BATCH: Final = 1000
"""Rows that one transaction removes."""


class RemoveExpiredMessages:
    """A `RelayTask`: removes messages that were published and have been kept for so long, after they are archived.

    Args:
        database: The name of the database whose outbox it is, for logs and in names of archived files.

        outbox: Holds the messages.

        clock: Says how old they are.

        retention: Seconds for which they are kept.

        published: Whether only those are removed that a broker was given; without a broker all are.

        archive: Where they are kept after that; `None` for nowhere.

        figures: What was done is counted there.
    """

    def __init__(
        self,
        database: str,
        outbox: Outbox,
        clock: Clock,
        *,
        retention: float,
        published: bool,
        archive: OutboxArchive | None,
        figures: RelayFigures,
    ) -> None:
        self.name = f"retention {database}"
        self._database = database
        self._outbox = outbox
        self._clock = clock
        self._retention = datetime.timedelta(seconds=retention)
        self._published = published
        self._archive = archive
        self._figures = figures

    async def run_once(self) -> bool:
        """Remove a batch of messages; return whether there may be more."""
        before = self._clock.now() - self._retention
        found = await self._outbox.read_expired(before, _BATCH, published=self._published)
        if isinstance(found, Failure):
            _logger.warning("%s: the outbox does not answer: %s", self.name, found.failure().code)
            return False
        messages = found.unwrap()
        if not messages:
            return False
        if self._archive is not None:
            archived = await self._archive.keep(self._database, messages)
            if isinstance(archived, Failure):
                _logger.error("%s: nothing is removed, as the archive cannot be written", self.name)
                return False
        removed = await self._outbox.remove([each.id for each in messages])
        if isinstance(removed, Failure):
            _logger.warning("%s: nothing was removed: %s", self.name, removed.failure().code)
            return False
        self._figures.removed += removed.unwrap()
        return len(messages) >= _BATCH


class RemoveHandledNotes:
    """A `RelayTask`: removes notes of messages that consumers have handled, when no broker delivers them again.

    Args:
        database: The name of the database whose inbox it is, for logs.

        inbox: Holds the notes.

        retention: Seconds for which they are kept.
    """

    def __init__(self, database: str, inbox: Inbox, *, retention: float) -> None:
        self.name = f"inbox {database}"
        self._inbox = inbox
        self._retention = retention

    async def run_once(self) -> bool:
        """Remove a batch of notes; return whether there may be more."""
        removed = await self._inbox.remove_older(self._retention, _BATCH)
        if isinstance(removed, Failure):
            _logger.warning("%s: the inbox does not answer: %s", self.name, removed.failure().code)
            return False
        return removed.unwrap() >= _BATCH
