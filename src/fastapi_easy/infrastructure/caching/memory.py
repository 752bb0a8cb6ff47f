"""Answers in the memory of the process: those used last, within a bound."""

from collections import OrderedDict

from fastapi_easy.domain.ports.clock import Clock

_OVERHEAD = 200
"""Bytes that an answer takes beside its own."""


class MemoryResultCache:
    """Implements `ResultCache` in the process. Over a bound it forgets what was asked for longest ago.

    Args:
        clock: Says what has run out.

        max_entries: Answers at most.

        max_bytes: Bytes of all answers together at most; one that is larger than that is not kept.
    """

    def __init__(self, clock: Clock, *, max_entries: int = 10_000, max_bytes: int = 67_108_864) -> None:
        self._clock = clock
        self._max_entries = max_entries
        self._max_bytes = max_bytes
        self._size = 0
        self._kept: OrderedDict[str, tuple[bytes, float]] = OrderedDict()

    def __len__(self) -> int:
        """Return how many answers there are, also of those that have run out."""
        return len(self._kept)

    @property
    def size(self) -> int:
        """The bytes of all answers."""
        return self._size

    async def get(self, key: str) -> bytes | None:
        """Return the value that was set under *key*, if it has not run out."""
        found = self._kept.get(key)
        if found is None:
            return None
        value, ends = found
        if ends <= self._clock.monotonic():
            self._forget(key)
            return None
        self._kept.move_to_end(key)
        return value

    async def set(self, key: str, value: bytes, seconds: float) -> None:
        """Keep *value* under *key* for *seconds* at most."""
        self._forget(key)
        self._kept[key] = value, self._clock.monotonic() + seconds
        self._size += len(value) + _OVERHEAD
        while len(self._kept) > self._max_entries or self._size > self._max_bytes:
            self._forget(next(iter(self._kept)))

    async def close(self) -> None:
        """Forget everything."""
        self._kept.clear()
        self._size = 0

    def _forget(self, key: str) -> None:
        found = self._kept.pop(key, None)
        if found is not None:
            self._size -= len(found[0]) + _OVERHEAD
