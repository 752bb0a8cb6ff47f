"""Tells other processes that this one has committed messages."""

import asyncio
import logging
from typing import Final

from returns.result import Failure

from fastapi_easy.domain.ports.wake_up_channel import WakeUpChannel

_logger = logging.getLogger(__name__)

SHORTEST_PAUSE: Final = 0.05
"""Seconds between two hints: on PostgreSQL transactions that notify end one after the other in the whole cluster."""


class Announcer:
    """Sends hints through *channel*: the first at once, and then one for all commits within a pause.

    Belongs to one event loop. A hint that cannot be sent is forgotten, since others look from time to time anyway.

    Args:
        channel: Carries the hints.

        pause: Seconds between two.
    """

    def __init__(self, channel: WakeUpChannel, *, pause: float = SHORTEST_PAUSE) -> None:
        self._channel = channel
        self._pause = pause
        self._is_due = asyncio.Event()

    def announce(self) -> None:
        """Have a hint sent soon; never waits."""
        self._is_due.set()

    async def run(self) -> None:
        """Send what is due, until it is cancelled."""
        while True:
            _ = await self._is_due.wait()
            await self.finish()
            await asyncio.sleep(self._pause)

    async def finish(self) -> None:
        """Send what is due now, if anything is."""
        if not self._is_due.is_set():
            return
        # Before it is sent: what is committed meanwhile may come too late for it.
        self._is_due.clear()
        try:
            sent = await self._channel.send()
        except asyncio.CancelledError:
            self._is_due.set()
            raise
        if isinstance(sent, Failure):
            _logger.debug("a hint for other processes was not sent: %s", sent.failure().code)
