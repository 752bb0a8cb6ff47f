"""The sockets of drivers: whether the server has closed one, and when a silent host counts as dead.

With the defaults of Linux a host that has vanished is noticed after two hours on an idle connection.
"""

import functools
import logging
import socket
from collections.abc import Callable
from typing import Any, Final

from fastapi_easy.infrastructure.relational.driver.driver_internals import (
    aiomysql_is_lost,
    asyncmy_is_lost,
    transport_of,
    writer_of,
)

_logger: Final = logging.getLogger("fastapi_easy.connections")

_DEAD_AFTER: Final = 20.0
"""Seconds in which the other host has to acknowledge what it was sent; its kernel does so however busy it is."""

_KEEP_ALIVE: Final = {"TCP_KEEPIDLE": 10, "TCP_KEEPINTVL": 5, "TCP_KEEPCNT": 3}
"""After ten idle seconds the other host is probed every five; three probes without an answer close the connection."""

_INTERNET: Final = frozenset({socket.AF_INET, socket.AF_INET6})


def no_disconnect_check(driver: object) -> bool:
    """Return `False`: for an unknown driver nothing can be told without a round trip."""
    return False


def disconnect_check(driver: str) -> Callable[[Any], bool]:
    """Return what tells, without a round trip, that the server has closed a connection of *driver*."""
    return _DISCONNECT_CHECKS.get(driver, no_disconnect_check)


def enable_keepalive(driver: str, connection: object) -> None:
    """Have the system close *connection*, which *driver* has made, when the host at its other end is dead."""
    found = _SOCKETS.get(driver)
    if found is None:
        return
    way = found(connection)
    if way is None:
        _tell_unwatched(driver)
        return
    made = way.get_extra_info("socket")
    if made is None or made.family not in _INTERNET:
        return
    made.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    # Not every system has each of them.
    for name, value in {**_KEEP_ALIVE, "TCP_USER_TIMEOUT": round(_DEAD_AFTER * 1000)}.items():
        option: int | None = getattr(socket, name, None)
        if option is not None:
            made.setsockopt(socket.IPPROTO_TCP, option, value)


@functools.cache
def _tell_unwatched(driver: str) -> None:
    """Log, once, that connections of *driver* do not say which socket they have."""
    _logger.warning("this version of %s hides its sockets: a host that has vanished is noticed late", driver)


def _asyncpg_is_closed(driver: Any) -> bool:
    return bool(driver.is_closed())


def _file_is_closed(driver: object) -> bool:
    return False


_DISCONNECT_CHECKS: Final[dict[str, Callable[[Any], bool]]] = {
    "asyncpg": _asyncpg_is_closed,
    "asyncmy": asyncmy_is_lost,
    "aiomysql": aiomysql_is_lost,
    "aiosqlite": _file_is_closed,
}

_SOCKETS: Final[dict[str, Callable[[Any], Any]]] = {
    "asyncpg": transport_of,
    "asyncmy": transport_of,
    "aiomysql": writer_of,
}
"""psycopg is missing: libpq applies the settings that `engine` passes."""
