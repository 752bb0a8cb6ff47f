"""How often Python looks for garbage while a program starts (ADR 87)."""

import gc
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

__all__ = ["rare_collections"]

_NEW_OBJECTS: Final = 50_000
"""Objects made between two collections; Python's own 700 are for programs that drop what they make."""

_lock: Final = threading.Lock()
_starts = 0
_threshold: tuple[int, int, int] = (0, 0, 0)


@contextmanager
def rare_collections() -> Iterator[None]:
    """Let Python look for garbage seldom inside the block, which makes much that stays.

    What a start makes, it keeps, and each collection looks through all of it: that was half of the time of a start of
    many resources. What is garbage all the same is still found. Blocks may overlap, in several threads too; a program
    that has switched collections off, or has them less often, is left alone.
    """
    _begin()
    try:
        yield
    finally:
        _end()


def _begin() -> None:
    global _starts, _threshold  # noqa: PLW0603 - there is one collector for a process
    with _lock:
        if _starts == 0:
            _threshold = gc.get_threshold()
            if 0 < _threshold[0] < _NEW_OBJECTS:
                gc.set_threshold(_NEW_OBJECTS, *_threshold[1:])
        _starts += 1


def _end() -> None:
    global _starts  # noqa: PLW0603 - as above
    with _lock:
        _starts -= 1
        if _starts == 0 and gc.get_threshold() == (_NEW_OBJECTS, *_threshold[1:]):
            # Not if the program has chosen another in between.
            gc.set_threshold(*_threshold)
