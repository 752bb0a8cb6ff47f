"""What drivers know of their sockets: whether the server has hung up, and when it counts as dead.

Without a word here a host that has vanished is noticed after two hours, by connections on which nothing is said.
"""

import socket
from collections.abc import Callable
from typing import Any, Final

_DEAD_AFTER: Final = 20.0
"""Seconds in which the other host has to confirm what it was sent, however busy whatever runs there is."""

_KEEP_ALIVE: Final = {"TCP_KEEPIDLE": 10, "TCP_KEEPINTVL": 5, "TCP_KEEPCNT": 3}
"""Where nothing was said for ten seconds the other host is asked every five, three times, whether it is there."""

_INTERNET: Final = frozenset({socket.AF_INET, socket.AF_INET6})


def no_sign(driver: Any) -> bool:
    """Nothing can be told without a trip."""
    return False


def sign_of_loss(driver: str) -> Callable[[Any], bool]:
    """How a connection of *driver* tells, without a trip, that the server has closed it, or `no_sign`."""
    return _SIGNS.get(driver, no_sign)


def watch_host(driver: str, connection: Any) -> None:
    """Have the system close *connection*, which *driver* has made, when the host at its other end is dead."""
    found = _SOCKETS.get(driver)
    made = None if found is None else found(connection)
    if made is None or made.family not in _INTERNET:
        return
    made.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    # Not every system has each of them.
    for name, value in {**_KEEP_ALIVE, "TCP_USER_TIMEOUT": round(_DEAD_AFTER * 1000)}.items():
        option: int | None = getattr(socket, name, None)
        if option is not None:
            made.setsockopt(socket.IPPROTO_TCP, option, value)


def _asyncpg_is_lost(driver: Any) -> bool:
    return bool(driver.is_closed())


def _asyncmy_is_lost(driver: Any) -> bool:
    transport = driver._transport  # noqa: SLF001 - it keeps what it knows to itself
    return transport is None or bool(transport.is_closing())


def _aiomysql_is_lost(driver: Any) -> bool:
    reader = driver._reader  # noqa: SLF001 - as its own pool does
    return reader is None or bool(reader.at_eof() or reader.exception() or reader.eof_received)


def _file_is_lost(driver: Any) -> bool:
    return False


_SIGNS: Final[dict[str, Callable[[Any], bool]]] = {
    "asyncpg": _asyncpg_is_lost,
    "asyncmy": _asyncmy_is_lost,
    "aiomysql": _aiomysql_is_lost,
    "aiosqlite": _file_is_lost,
}

_SOCKETS: Final[dict[str, Callable[[Any], Any]]] = {
    "asyncpg": lambda connection: connection._transport.get_extra_info("socket"),  # noqa: SLF001 - as above
    "asyncmy": lambda connection: connection._transport.get_extra_info("socket"),  # noqa: SLF001
    "aiomysql": lambda connection: connection._writer.get_extra_info("socket"),  # noqa: SLF001
}
"""psycopg has settings for that, which libpq applies; `engine` gives them."""
