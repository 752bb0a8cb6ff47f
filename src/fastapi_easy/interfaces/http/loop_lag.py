"""Whether the event loop comes round in time: a process that is stuck should be sent nothing."""

import asyncio
import contextlib
import time
from collections.abc import Iterator
from typing import Final

MAX_LAG: Final = 0.5
"""Seconds that the loop may be late."""

STUCK_AFTER: Final = 5.0
"""Seconds for which it has to have been late all the time: anything may keep it for a moment."""

_INTERVAL: Final = 0.5
"""Seconds between two looks."""


class LoopLag:
    """Looks twice a second how late the event loop is; nothing else, and not at all outside of `watched`."""

    def __init__(self) -> None:
        self._due: float | None = None
        self._lagging_since: float | None = None

    @property
    def is_stuck(self) -> bool:
        """Whether the loop has been late by more than `MAX_LAG` for `STUCK_AFTER` or longer."""
        since = self._lag_start(time.monotonic())
        return since is not None and time.monotonic() - since >= STUCK_AFTER

    @contextlib.contextmanager
    def watched(self) -> Iterator[None]:
        """Look, inside of the block, at the loop that is running."""
        loop = asyncio.get_running_loop()
        handle: asyncio.TimerHandle | None = None

        def sample() -> None:
            nonlocal handle
            now = time.monotonic()
            self._lagging_since = self._lag_start(now)
            self._due = now + _INTERVAL
            handle = loop.call_later(_INTERVAL, sample)

        sample()
        try:
            yield
        finally:
            if handle is not None:
                handle.cancel()
            self._due = self._lagging_since = None

    def _lag_start(self, now: float) -> float | None:
        """Since when the loop is late, seen at *now*; `None` when it is not."""
        if self._due is None or now - self._due < MAX_LAG:
            return None
        return self._due if self._lagging_since is None else self._lagging_since
