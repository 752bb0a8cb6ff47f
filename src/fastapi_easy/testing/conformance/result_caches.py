"""The suite that every cache of answers must pass."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import pytest

from fastapi_easy.domain.ports.result_cache import ResultCache

EVERY_BYTE: Final = bytes(range(256))


@dataclass(frozen=True, slots=True, kw_only=True)
class ResultCacheFactory:
    """The cache under test.

    Attributes:
        open: Opens a cache; two that are opened hold the same when *is_shared*.

        is_shared: Whether several processes share what is kept.
    """

    open: Callable[[], ResultCache]
    is_shared: bool


class ResultCacheConformance:
    """Subclass it, and override the fixture `caches`."""

    @pytest.fixture
    def caches(self) -> ResultCacheFactory:
        """Return the factory of the caches under test."""
        raise NotImplementedError("override the fixture `caches`")

    async def test_what_was_never_set_is_not_there(self, caches: ResultCacheFactory) -> None:
        """A miss is `None`, also before anything was set."""
        cache = caches.open()
        try:
            assert await cache.get("nothing") is None
        finally:
            await cache.close()

    async def test_any_bytes_come_back_as_they_are(self, caches: ResultCacheFactory) -> None:
        """Values are bytes: empty ones, those that are no text, and long ones."""
        cache = caches.open()
        try:
            for value in (b"", EVERY_BYTE, EVERY_BYTE * 1000):
                await cache.set("bytes", value, 60)
                assert await cache.get("bytes") == value
        finally:
            await cache.close()

    async def test_keys_are_told_apart(self, caches: ResultCacheFactory) -> None:
        """Each key has a value of its own, and the last one that was set counts."""
        cache = caches.open()
        try:
            for number in range(20):
                await cache.set(f"key {number}", b"first", 60)
                await cache.set(f"key {number}", str(number).encode(), 60)
            assert [await cache.get(f"key {number}") for number in range(20)] == [
                str(number).encode() for number in range(20)
            ]
        finally:
            await cache.close()

    async def test_it_can_be_closed_twice_and_used_again(self, caches: ResultCacheFactory) -> None:
        """Closing gives back connections, and does not end the object."""
        cache = caches.open()
        await cache.close()
        await cache.close()

        await cache.set("again", b"value", 60)

        assert await cache.get("again") == b"value"
        await cache.close()

    async def test_processes_share_it_if_it_says_so(self, caches: ResultCacheFactory) -> None:
        """What one process sets the other finds, where the cache is shared, and only there."""
        one, other = caches.open(), caches.open()
        try:
            await one.set("shared", b"value", 60)
            assert (await other.get("shared") == b"value") is caches.is_shared
        finally:
            await one.close()
            await other.close()
