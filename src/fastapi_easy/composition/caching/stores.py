"""The store of kept answers, and the generations that end them."""

from collections.abc import Mapping
from typing import Any, Final

from fastapi_easy.application.cached_tables import CachedTables
from fastapi_easy.composition.technologies import technology_of
from fastapi_easy.domain.errors import DeclarationError
from fastapi_easy.domain.ports import Clock, Database, Generations, ResultCache
from fastapi_easy.domain.resources.resource import Resource
from fastapi_easy.settings import Settings

__all__ = ["find_cached_tables", "open_generations", "open_result_cache"]


_NO_GENERATIONS: Final = (
    "does not mark its changes, so that no answer can be kept: declare its resources without a cache"
)


def open_result_cache(settings: Settings, clock: Clock) -> ResultCache:
    """Return the store of kept answers; nothing is connected yet.

    Raises:
        DeclarationError: The URL is of no store that keeps answers, or its driver is not installed.
    """
    chosen = settings.cache
    url = chosen.url.get_secret_value()
    match url.partition(":")[0].lower():
        case "memory":
            from fastapi_easy.infrastructure.caching.memory import MemoryResultCache

            return MemoryResultCache(clock, max_entries=chosen.max_entries, max_bytes=chosen.max_bytes)
        case "redis" | "rediss" | "unix":
            return _open_redis(url)
        case _:
            raise DeclarationError(
                ["cache.url: answers are kept at memory:// or redis://host: name one of them"]
            )


def open_generations(database: Database) -> Generations:
    """Return the generations of *database*.

    Raises:
        DeclarationError: Its technology has none.
    """
    make = technology_of(database).generations
    if make is None:
        raise DeclarationError([f"database {database.name!r}: {database.technology} {_NO_GENERATIONS}"])
    return make(database)


def find_cached_tables(resources: Mapping[str, Resource[Any]], /, **generations: Generations) -> CachedTables:
    """Return the tables that kept answers of *resources* depend on."""
    return CachedTables(resources, generations)


def _open_redis(url: str) -> ResultCache:
    from fastapi_easy.infrastructure.resilience.circuit_breaker import (
        BreakerLimits,
        CircuitBreaker,
        log_change,
    )

    try:
        from fastapi_easy.infrastructure.caching.redis import RedisResultCache
    except ModuleNotFoundError as error:
        raise DeclarationError(['redis is not installed: pip install "fastapi_easy[redis]"']) from error
    # Each call waits for 50 ms at most; and a cache that is back should be used again soon.
    limits = BreakerLimits(calls=10, longest_pause=5.0)
    return RedisResultCache(url, CircuitBreaker(limits, on_change=lambda state: log_change("cache", state)))
