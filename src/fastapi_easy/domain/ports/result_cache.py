"""Caches of answers: bytes by key, for a while."""

from typing import Protocol, runtime_checkable


@runtime_checkable
class ResultCache(Protocol):
    """Keeps encoded answers. It may forget any of them at any time, and never fails: a cache that is down is empty."""

    async def get(self, key: str) -> bytes | None:
        """Return the value that was set under *key*; `None` when there is none, or nobody answers in time."""
        ...

    async def set(self, key: str, value: bytes, seconds: float) -> None:
        """Keep *value* under *key* for *seconds* at most; do nothing when nobody answers in time."""
        ...

    async def close(self) -> None:
        """Give back every connection. Twice does nothing; a later call opens anew."""
        ...
