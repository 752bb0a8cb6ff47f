"""Those who wait for the same thing, in the order they came."""

import secrets
import time
from collections.abc import Callable, Hashable, Iterator
from typing import Final, Generic, TypeVar

from fastapi_easy.domain.errors import Obstacle
from fastapi_easy.domain.ports.breaker import NotAdmitted

W = TypeVar("W", bound=Hashable)

_SHARE: Final = 0.1
"""How much the latest turn counts in the pace; the earlier ones fade."""


class WaitingLine(Generic[W]):
    """A line that nobody joins who would have to stand in it for too long.

    So it may grow as long as it moves: a burst is waited out, and in an overload those who come last are sent away at
    once, while those who stand in it are served in time.

    Args:
        limit: Seconds that are too long.

        is_steady: Says whether everything is there that is waited for. While some of it is still being made, how fast
            the line moves says nothing: nothing is learnt from it, and nobody is sent away.

    Attributes:
        shed: How many were sent away.

        stood: How many have stood here, and do not any more.

        seconds: How long, together.
    """

    __slots__ = ("_is_steady", "_latest", "_limit", "_pace", "_since", "seconds", "shed", "stood")

    def __init__(self, limit: float, is_steady: Callable[[], bool] = lambda: True) -> None:
        self._limit = limit
        self._is_steady = is_steady
        self._since: dict[W, float] = {}
        self._pace = 0.0
        self._latest = 0.0
        self.shed = 0
        self.stood = 0
        self.seconds = 0.0

    def __len__(self) -> int:
        return len(self._since)

    def __iter__(self) -> Iterator[W]:
        return iter(self._since)

    def __contains__(self, who: object) -> bool:
        return who in self._since

    def join(self, who: W) -> None:
        """Stand behind the last.

        Raises:
            NotAdmitted: It would take too long, or somebody has stood here for too long already.
        """
        now, since = time.monotonic(), self._since
        if not since:
            # The pace of an earlier line says nothing about this one, which may be for something quicker.
            self._latest, self._pace = now, 0.0
        elif self._is_too_long(now) and self._is_steady():
            self.shed += 1
            # By chance, so that they do not come back at once together.
            raise NotAdmitted(Obstacle.OVERLOAD, 1.0 + secrets.randbelow(2000) / 1000)
        since[who] = now

    def _is_too_long(self, now: float) -> bool:
        since = self._since
        return len(since) * self._pace >= self._limit or now - next(iter(since.values())) >= self._limit

    def join_first(self, who: W) -> None:
        """Stand before everybody, and be sent away by nobody: for somebody who asks rarely, and only how things are."""
        now, behind = time.monotonic(), self._since
        if not behind:
            self._latest = now
        self._since = {who: next(iter(behind.values()), now), **behind}

    def leave(self, who: W) -> None:
        """Give up; who does not stand here may say so too."""
        since = self._since.pop(who, None)
        if since is not None:
            self.stood += 1
            self.seconds += time.monotonic() - since

    def serve(self, who: W) -> None:
        """It is the turn of *who*."""
        now = time.monotonic()
        self.stood += 1
        self.seconds += now - self._since.pop(who)
        if self._is_steady():
            self._pace += ((now - self._latest) - self._pace) * _SHARE
        self._latest = now

    def pop(self) -> W:
        """The first, whose turn it is.

        Raises:
            StopIteration: Nobody is here.
        """
        first = next(iter(self._since))
        self.serve(first)
        return first
