"""Where leases are kept, and the locks on them."""

from collections.abc import Callable

from fastapi_easy.application.locks.lock_manager import LockManager
from fastapi_easy.composition.technologies import stamp_fence, technology_at, technology_of
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
    """Return the store of leases; nothing is connected yet.

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
        _leases_of(database(), clock)
        if chosen.url is None
        else _leases_at(chosen.url.get_secret_value(), clock)
    )
    if missing := sorted(set(chosen.requires) - store.capabilities):
        raise DeclarationError(
            [
                (
                    f"locks.requires: {store.name} cannot do {', '.join(missing)}; use another store with locks.url, "
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
    technology = technology_at(url)
    if technology.session_locks is None:
        raise DeclarationError([f"{technology.name} has no session locks: use open_leases"])
    return technology.session_locks(url, clock)


def _leases_of(database: Database, clock: Clock) -> LeaseStore:
    """Return the lease store inside of *database*.

    Raises:
        DeclarationError: Nobody here knows how it would keep them.
    """
    leases = technology_of(database).leases
    if leases is None:
        raise DeclarationError(
            [
                (
                    f"{type(database).__name__}, the database {database.name!r}, does not support locks: "
                    "set locks.url to another store, like redis://host, or memory:// for a single process"
                )
            ]
        )
    return leases(database, clock)


def _leases_at(url: str, clock: Clock) -> LeaseStore:
    technology = technology_at(url)
    if technology.leases_at_url is None:
        raise DeclarationError(
            [f"locks.url: {technology.name} keeps no leases: name redis://host, a database, or memory://"]
        )
    return technology.leases_at_url(url, clock)
