"""Every name that redis-py keeps to itself: the connections of its pool, private up to 7.2."""

from typing import Any


def connections_of(pool: Any) -> tuple[int, int]:
    """Count the connections of *pool* that stand idle, and those in use.

    Versions up to 7.2 have no `get_connection_count`; in those, which do not change any more,
    `_available_connections` and `_in_use_connections` hold them.
    """
    count: Any = getattr(pool, "get_connection_count", None)
    if count is None:
        return len(pool._available_connections), len(pool._in_use_connections)
    (idle, _), (in_use, _) = count()
    return idle, in_use
