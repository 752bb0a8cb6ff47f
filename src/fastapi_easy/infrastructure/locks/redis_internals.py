"""How many connections redis-py's pool has, which 7.0 to 7.2 keep to themselves."""

from typing import Any


def connections_of(pool: Any) -> tuple[int, int]:
    """Count the connections of *pool* that stand idle, and those in use.

    Versions up to 7.2 have no `get_connection_count`; in those, which do not change any more,
    `_available_connections` and `_in_use_connections` are what they are taken for.
    """
    count: Any = getattr(pool, "get_connection_count", None)
    if count is None:
        return len(pool._available_connections), len(pool._in_use_connections)
    (idle, _), (in_use, _) = count()
    return idle, in_use
