"""Lines of the log that come in great numbers: some are written, and the others are counted."""

import asyncio
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

_WINDOW: Final = 1.0
"""Seconds over which lines are counted."""


def _call_later(seconds: float, call: Callable[[], None]) -> bool:
    try:
        _ = asyncio.get_running_loop().call_later(seconds, call)
    except RuntimeError:
        return False
    return True


@dataclass(slots=True)
class _Window:
    began: float
    written: int = 0
    left_out: int = 0
    is_due: bool = False


class LimitedLog:
    """Writes at most so many lines a second of each kind, and then one that says how many were left out.

    Args:
        logger: Where the lines go.

        limit: Lines a second of one kind.

        now: Returns seconds since some fixed moment.

        call_later: Calls a function after some seconds, and returns whether it will; without an event loop it cannot,
            and lines that were left out are told of with the next one.
    """

    __slots__ = ("_call_later", "_limit", "_logger", "_now", "_windows")

    def __init__(
        self,
        logger: logging.Logger,
        limit: int,
        now: Callable[[], float] = time.monotonic,
        call_later: Callable[[float, Callable[[], None]], bool] = _call_later,
    ) -> None:
        self._logger = logger
        self._limit = limit
        self._now = now
        self._call_later = call_later
        self._windows: dict[str, _Window] = {}

    def allows(self, level: int, kind: str) -> bool:
        """Return whether a line of *kind* may be written at *level* now, and count it."""
        now = self._now()
        window = self._windows.get(kind)
        if window is None:
            window = self._windows[kind] = _Window(now)
        elif now - window.began >= _WINDOW:
            self._tell(level, kind, window, now)
        if window.written < self._limit:
            window.written += 1
            return True
        window.left_out += 1
        if not window.is_due:
            rest = max(0.0, window.began + _WINDOW - now)
            window.is_due = self._call_later(rest, lambda: self._tell_when_due(level, kind, window))
        return False

    def _tell_when_due(self, level: int, kind: str, window: _Window) -> None:
        window.is_due = False
        if window.left_out:
            self._tell(level, kind, window, self._now())

    def _tell(self, level: int, kind: str, window: _Window, now: float) -> None:
        """Say how many lines were left out, and begin a new window."""
        left_out, seconds = window.left_out, now - window.began
        window.began, window.written, window.left_out = now, 0, 0
        if left_out:
            self._logger.log(
                level,
                "%s: %d more in %.1f s, which are not logged one by one",
                kind,
                left_out,
                seconds,
                extra={"left_out": left_out},
            )
