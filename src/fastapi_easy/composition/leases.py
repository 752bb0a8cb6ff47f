"""Where leases are kept: URLs find the store.

Stores are imported here, inside functions, when they are chosen.
"""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from fastapi_easy.application.locks.lock_manager import LockManager
from fastapi_easy.composition.technologies import stamp_fence
from fastapi_easy.domain.errors import DeclarationError
from fastapi_easy.domain.ports import Breaker, Clock, Database, EvictionHook, LeaseStore, LockProvider
from fastapi_easy.settings import Settings

__all__ = ["open_leases", "open_locks", "open_session_locks"]


def open_locks(
    store: LeaseStore,
    clock: Clock,
    eviction_hook: EvictionHook | None,
    breaker: Callable[[], Breaker | None],
) -> LockProvider:
    """Locks whose leases are kept in *store*."""
    return LockManager(store, clock, on_eviction=eviction_hook, fence=stamp_fence, breaker=breaker)


def open_leases(settings: Settings, clock: Clock, database: Callable[[], Database]) -> LeaseStore:
    """Where leases are kept; nothing is connected yet.

    Args:
        settings: Say where: at `locks.url`, or in the default database.

        clock: For leases in memory.

        database: Gives the default database.

    Raises:
        DeclarationError: The URL cannot be used, its driver is not installed, or the store lacks what the settings
            require.
    """
    chosen = settings.locks
    store = (
        _leases_of(database(), settings, clock)
        if chosen.url is None
        else _leases_at(chosen.url.get_secret_value(), clock)
    )
    if lacking := sorted(set(chosen.requires) - store.capabilities):
        raise DeclarationError(
            [
                (
                    f"locks.requires: {store.name} cannot do {', '.join(lacking)}; keep them elsewhere with locks.url, "
                    "or require less"
                )
            ]
        )
    return store


def open_session_locks(url: str, clock: Clock) -> LeaseStore:
    """Locks that end with their connection and need no table, for migrations of the database at *url*.

    Raises:
        DeclarationError: The database has none.
    """
    from fastapi_easy.infrastructure.persistence.sqlalchemy.url import resolve

    resolved = resolve(url)
    match resolved.get_backend_name():
        case "postgresql":
            from fastapi_easy.infrastructure.locks.postgres_advisory import PostgresAdvisoryLockStore

            return PostgresAdvisoryLockStore(resolved, clock)
        case "mysql" | "mariadb":
            from fastapi_easy.infrastructure.locks.mysql_named import MySqlNamedLockStore

            return MySqlNamedLockStore(resolved, clock)
        case other:
            raise DeclarationError(
                [f"{other} has no locks that belong to a session: use those of open_leases"]
            )


def _leases_of(database: Database, settings: Settings, clock: Clock) -> LeaseStore:
    """The leases of *database* itself.

    Raises:
        DeclarationError: Nobody here knows how it would keep them.
    """
    if "pymongo" in sys.modules:
        from fastapi_easy.infrastructure.persistence.mongo.connection import MongoDatabase

        if isinstance(database, MongoDatabase):
            from fastapi_easy.infrastructure.locks.mongo import MongoLeaseStore

            return MongoLeaseStore(settings.databases[database.name].url.get_secret_value(), database)
    if "sqlalchemy" in sys.modules:
        from fastapi_easy.infrastructure.persistence.sqlalchemy.connection import SqlAlchemyDatabase

        if isinstance(database, SqlAlchemyDatabase):
            # Of one that is thrown away at the end this makes the folder.
            _ = database.begin()
            return _relational_leases(database.executor.engine.url)
    from fastapi_easy.infrastructure.persistence.memory.connection import MemoryDatabase

    if isinstance(database, MemoryDatabase):
        from fastapi_easy.infrastructure.locks.memory import MemoryLeaseStore

        return MemoryLeaseStore(clock, database=database.name)
    raise DeclarationError(
        [
            (
                f"nobody knows how {type(database).__name__}, the database {database.name!r}, would keep locks: say "
                "where else with locks.url, like redis://host, or memory:// for a single process"
            )
        ]
    )


def _leases_at(url: str, clock: Clock) -> LeaseStore:
    match url.partition(":")[0]:
        case "memory":
            from fastapi_easy.infrastructure.locks.memory import MemoryLeaseStore

            return MemoryLeaseStore(clock)
        case "file":
            from fastapi_easy.infrastructure.locks.file import FileLeaseStore

            return FileLeaseStore(Path(unquote(urlsplit(url).path)))
        case "redis" | "rediss" | "unix":
            try:
                from fastapi_easy.infrastructure.locks.redis import RedisLeaseStore
            except ModuleNotFoundError:
                raise DeclarationError(
                    ['redis is not installed: pip install "fastapi_easy[redis]"']
                ) from None

            return RedisLeaseStore(url)
        case _:
            return _leases_in_database(url)


def _leases_in_database(url: str) -> LeaseStore:
    if url.startswith("mongodb"):
        from fastapi_easy.infrastructure.persistence.mongo.url import resolve as resolve_mongo

        _ = resolve_mongo(url)
        from fastapi_easy.infrastructure.locks.mongo import MongoLeaseStore

        return MongoLeaseStore(url)
    from fastapi_easy.infrastructure.persistence.sqlalchemy.url import resolve

    return _relational_leases(resolve(url))


def _relational_leases(url: Any) -> LeaseStore:
    match url.get_backend_name():
        case "sqlite":
            from fastapi_easy.infrastructure.locks.sqlite import SqliteLeaseStore

            return SqliteLeaseStore(url)
        case "postgresql":
            from fastapi_easy.infrastructure.locks.postgres import PostgresLeaseStore

            return PostgresLeaseStore(url)
        case _:
            from fastapi_easy.infrastructure.locks.mysql import MySqlLeaseStore

            return MySqlLeaseStore(url)
