"""Hears of commits of other processes, as long as somebody wants to."""

import asyncio
import logging
from collections.abc import Callable
from typing import Final

from fastapi_easy.application.events.backoff import Backoff
from fastapi_easy.domain.ports.wake_up_channel import WakeUpChannel

_logger = logging.getLogger(__name__)

_BACKOFF: Final = Backoff(first=0.5, longest=30.0)


class RemoteHints:
    """Listens to *channel* again and again, since connections end.

    Args:
        database: The name of the database, for logs.

        channel: Carries the hints.

        backoff: Says when to listen again after that has failed.
    """

    def __init__(self, database: str, channel: WakeUpChannel, backoff: Backoff = _BACKOFF) -> None:
        self._database = database
        self._channel = channel
        self._backoff = backoff
        self._failures = 0
        self._is_reported = False

    async def run(self, wake: Callable[[], None]) -> None:
        """Call *wake* with each hint, and whenever it begins to listen, until it is cancelled."""

        def heard() -> None:
            self._failures = 0
            if self._is_reported:
                self._is_reported = False
                _logger.info("database %r: hints of other processes are heard again", self._database)
            wake()

        while True:
            try:
                _ = await self._channel.listen(heard)
            except Exception:
                # A defect of the channel, without which everybody polls, must not end those who wait.
                _logger.exception("database %r: listening has failed", self._database)
            self._note_failure()
            await asyncio.sleep(self._backoff.delay(self._failures))

    def _note_failure(self) -> None:
        self._failures += 1
        # The end of a connection that has stood is nothing to tell of, unless there is no other.
        if self._failures > 1 and not self._is_reported:
            self._is_reported = True
            _logger.warning(
                "database %r: hints of other processes cannot be heard; messages are looked for at intervals "
                "until they can",
                self._database,
            )
