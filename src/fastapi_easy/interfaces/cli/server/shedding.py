"""Load shedding at the connection: what cannot be answered in time is refused before it becomes a request."""

import asyncio
import contextlib
import logging
import math
from collections.abc import Collection, Iterator
from typing import Any, Final, Protocol

_logger: Final = logging.getLogger("fastapi_easy.server")

_INTERVAL: Final = 0.05
"""Seconds between two looks at how late the event loop is."""

LATE: Final = 0.25
"""Seconds by which the event loop is late when requests come faster than they are answered."""

_IN_TIME: Final = 0.1
"""Seconds by which it may be late when it has caught up."""

LINE_TIME: Final = 0.5
"""Seconds within which what is let in has to be answered while the loop is late."""

LEAST: Final = 32
"""Requests that are let in whatever is waited for: so few make no overload, and their rate says little."""

_WHILE: Final = 0.25
"""Seconds over which answers are counted for their rate."""

PACE: Final = 0.025
"""Seconds in which nothing more is read from a connection whose request was refused."""

LONGEST_PACE: Final = 1.0
"""The maximum of that, when very many are refused, or each takes long."""

SHARE: Final = 0.05
"""The share of the time that refusals may take, besides that of reading them.

Above it, connections that were refused are read from more rarely.
"""

_LATEST: Final = 0.05
"""The weight of the latest refusal in the time that one takes."""

_OUTLIER: Final = 10
"""How many times longer than the others one may have taken to count in full: the process may not have run meanwhile."""

_SUMMARY: Final = 1.0
"""Seconds between two lines of the log about what was refused."""


class Requests(Protocol):
    """The requests of a process, as its server keeps them."""

    @property
    def tasks(self) -> Collection[object]:
        """Those that are being answered."""
        ...

    @property
    def total_requests(self) -> int:
        """How many have been answered."""
        ...


class Door(Protocol):
    """What the application behind says of an overload."""

    def refusal(self, target: bytes, scope: Any, *, is_crowded: bool) -> tuple[bytes, bytes] | None:
        """Return head and body of the refusal of a request; `None` for one that is let in."""
        ...


class Shedding:
    """Whether requests are refused in this process, and how.

    There are two reasons. The database that is needed has too many waiting: the application knows of that. Or the
    process itself is too slow for all that comes: its event loop is late. Then no more are let in than it answers
    within `LINE_TIME`. What lasts, like a change feed, takes no place of others.

    One that was refused and asks again at once is read from after a pause: otherwise refusals would take the time in
    which others could be answered.

    Attributes:
        limit: Requests that are let in; infinite while the loop is in time.

        requests: Those of this process; `None` before the first connection.
    """

    def __init__(self) -> None:
        self._door: Door | None = None
        self._ended = _Ended()
        self._lasting: set[object] = set()
        self._cost = 0.0
        self._paused = 0
        self._refused = self._told = 0
        self._told_at = 0.0
        self._is_late = False
        self.limit = math.inf
        self.requests: Requests | None = None

    @contextlib.contextmanager
    def watch(self, door: Door | None, loop: asyncio.AbstractEventLoop) -> Iterator[None]:
        """Look at the running *loop* while the block lasts; requests are refused at *door*, if there is one."""
        self._door = door
        timer: asyncio.TimerHandle | None = None
        due = loop.time()

        def look() -> None:
            nonlocal timer, due
            now = loop.time()
            self.note(now, now - due)
            due = now + _INTERVAL
            timer = loop.call_later(_INTERVAL, look)

        look()
        try:
            yield
        finally:
            if timer is not None:
                timer.cancel()
            self._door = None
            self.limit = math.inf

    def note(self, now: float, late: float) -> None:
        """Decide anew, at the moment *now*, at which the loop is *late* by so many seconds."""
        requests = self.requests
        if requests is None:
            return
        self._ended.count(now, requests.total_requests)
        if late >= LATE:
            if not self._is_late:
                self._is_late, self._lasting = True, set(requests.tasks)
            self._lasting.intersection_update(requests.tasks)
        elif late <= _IN_TIME:
            self._is_late = False
            self._lasting.clear()
        # Those of the beginning that are still there are not the ones that make the loop late.
        self.limit = (
            len(self._lasting) + max(LEAST, self._ended.rate * LINE_TIME) if self._is_late else math.inf
        )
        if self._refused > self._told and now - self._told_at >= _SUMMARY:
            _logger.warning(
                "requests come faster than they are answered: %d were refused since the last line about it, %d in all",
                self._refused - self._told,
                self._refused,
            )
            self._told, self._told_at = self._refused, now

    def begin_pause(self, took: float) -> float:
        """Return for how long nothing is to be read from a connection whose refusal *took* so many seconds.

        As many are refused in a second as take their share of it, however many are asking.
        """
        cost = self._cost
        self._cost = took if cost == 0 else cost + (min(took, cost * _OUTLIER) - cost) * _LATEST
        self._paused += 1
        return min(max(PACE, self._paused * self._cost / SHARE), LONGEST_PACE)

    def end_pause(self) -> None:
        """Note that a connection is read from again."""
        self._paused -= 1

    def refusal(
        self, target: bytes, scope: Any, default_headers: Collection[tuple[bytes, bytes]]
    ) -> bytes | None:
        """Return the answer to a request that is refused, as it is sent; `None` for one that is let in.

        Args:
            target: The path and the query, as they were sent.

            scope: Of the request, with its method and headers.

            default_headers: Of the server.
        """
        door, requests = self._door, self.requests
        if door is None or requests is None:
            return None
        is_crowded = len(requests.tasks) >= self.limit
        answer = door.refusal(target, scope, is_crowded=is_crowded)
        if answer is None:
            return None
        # What the application refuses it also tells of.
        self._refused += is_crowded
        head, body = answer
        return b"%b%b\r\n%b" % (head, b"".join(b"%b: %b\r\n" % each for each in default_headers), body)


class _Ended:
    """How many requests end in a second, over the last moments."""

    __slots__ = ("_at", "_count", "rate")

    def __init__(self) -> None:
        self._at = self._count = 0.0
        self.rate = 0.0

    def count(self, now: float, ended: int) -> None:
        """Note that *ended* have ended until *now*."""
        if now - self._at >= _WHILE:
            latest = (ended - self._count) / (now - self._at)
            self.rate = latest if self.rate == 0 else (self.rate + latest) / 2
            self._at, self._count = now, ended
