"""The lag of the event loop: a process whose loop is stuck should get no requests."""

import asyncio
import contextlib
import time
from collections.abc import Iterator
from typing import Final

MAX_LAG: Final = 0.5
"""Seconds that the loop may be late."""

STUCK_AFTER: Final = 5.0
"""Seconds for which it has to be late without a pause: one long computation is not yet a stuck process."""

_INTERVAL: Final = 0.5
"""Seconds between two samples."""


class LoopLag:
    """Measures twice a second how late the event loop is, inside of `watch`."""

    def __init__(self) -> None:
        self._due: float | None = None
        self._lagging_since: float | None = None

    @property
    def is_stuck(self) -> bool:
        """Return whether the loop has been late by more than `MAX_LAG` for `STUCK_AFTER` or longer."""
        # Computed anew: the sample that is due may be late itself.
        since = self._lag_start(time.monotonic())
        return since is not None and time.monotonic() - since >= STUCK_AFTER

    @contextlib.contextmanager
    def watch(self) -> Iterator[None]:
        """Measure the running loop while the block lasts."""
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
        """Return since when the loop is late, as of *now*; `None` when it is not."""
        if self._due is None or now - self._due < MAX_LAG:
            return None
        return self._due if self._lagging_since is None else self._lagging_since
