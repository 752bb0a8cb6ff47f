"""Guesses at the ends of chains, which save a question where one process writes most of what there is."""

from collections import OrderedDict
from collections.abc import Iterable
from typing import Final

from fastapi_easy.domain.audit.entry import StreamHead

_MAX_STREAMS: Final = 4096
_WORTH: Final = 0.6
"""The share of guesses that have to be right: a wrong one costs as much as two right ones save."""

_RELIABLE: Final = 0.9
"""The share from which a wrong one may cost more."""

_INERTIA: Final = 0.95
_EVERY: Final = 16
"""While too few are right, one guess in so many is made nevertheless, to see whether that has changed."""


class HeadGuesses:
    """What this process was the last to write at the end of each chain, and how often nobody else had written since.

    A guess is never trusted: the statement that moves a head compares it.
    """

    __slots__ = ("_heads", "_share", "_skipped")

    def __init__(self) -> None:
        self._heads: OrderedDict[str, StreamHead] = OrderedDict()
        self._share = 1.0
        self._skipped = 0

    @property
    def are_reliable(self) -> bool:
        """Whether nearly all of them are right: one process writes most of what there is."""
        return self._share >= _RELIABLE

    def latest(self, stream: str) -> StreamHead | None:
        """Return what the head of *stream* may be, once more for who has taken it."""
        return self._heads.get(stream)

    def take(self, stream: str) -> StreamHead | None:
        """Return what the head of *stream* may be; `None` when a guess is not worth while."""
        head = self._heads.get(stream)
        if head is None or self._share >= _WORTH:
            return head
        self._skipped += 1
        return head if self._skipped % _EVERY == 0 else None

    def put(self, head: StreamHead) -> None:
        """Guess *head* from now on."""
        self._heads[head.stream] = head
        self._heads.move_to_end(head.stream)
        if len(self._heads) > _MAX_STREAMS:
            _ = self._heads.popitem(last=False)

    def learn(self, *, is_right: bool) -> None:
        """Remember whether a head was what it was taken for."""
        self._share = self._share * _INERTIA + (1 - _INERTIA) * is_right

    def forget(self, streams: Iterable[str]) -> None:
        """Guess nothing about *streams*."""
        for each in streams:
            _ = self._heads.pop(each, None)
