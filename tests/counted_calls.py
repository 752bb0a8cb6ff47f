"""The calls of Python and C functions that something takes: a figure that no busy machine changes."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any


@dataclass(slots=True)
class Counted:
    """How many calls there were; known at the end of the block."""

    calls: int = 0


@contextmanager
def counted_calls() -> Iterator[Counted]:
    """Count the calls that this thread makes inside the block."""
    counted, calls = Counted(), 0

    def seen(frame: Any, event: str, argument: Any) -> None:
        nonlocal calls
        calls += event in {"call", "c_call"}

    before = sys.getprofile()
    sys.setprofile(seen)
    try:
        yield counted
    finally:
        sys.setprofile(before)
        counted.calls = calls
