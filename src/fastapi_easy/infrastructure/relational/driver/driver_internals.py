"""Names that asyncpg, asyncmy and aiomysql keep to themselves: the transports under their connections, and `jit`.

Known to be what they are taken for in asyncpg 0.30 to 0.32, asyncmy 0.2.18 and aiomysql 0.3. What tells a lost
connection is asked for each call and without a second way, so those two have a cap: `asyncmy<0.3`, `aiomysql<0.4`.
"""

from typing import Any


def asyncmy_is_lost(driver: Any) -> bool:
    """Tell without a trip whether the server has closed the connection *driver*.

    Uses `_transport`; when it is gone the first call fails, and so the version has a cap.
    """
    transport = driver._transport
    return transport is None or bool(transport.is_closing())


def aiomysql_is_lost(driver: Any) -> bool:
    """Tell without a trip whether the server has closed the connection *driver*, as aiomysql's own pool does.

    Uses `_reader`; when it is gone the first call fails, and so the version has a cap.
    """
    reader = driver._reader
    return reader is None or bool(reader.at_eof() or reader.exception() or reader.eof_received)


def transport_of(driver: Any) -> Any:
    """Return the transport of asyncpg's or asyncmy's connection *driver*.

    Uses `_transport`; `None` when it is gone: the host at the other end is not watched then.
    """
    return getattr(driver, "_transport", None)


def leave_jit_alone(driver: Any) -> None:
    """Keep asyncpg's connection *driver* from turning `jit` off for good when it asks about a type.

    Uses `_server_caps`, in which it notes whether the server compiles, and `_replace` of that tuple; when they are
    gone, `jit` may stay off in a session that a pooler lends to others.
    """
    known: Any = getattr(driver, "_server_caps", None)
    if hasattr(known, "jit"):
        driver._server_caps = known._replace(jit=False)


def writer_of(driver: Any) -> Any:
    """Return what aiomysql's connection *driver* writes to.

    Uses `_writer`; `None` when it is gone: the host at the other end is not watched then.
    """
    return getattr(driver, "_writer", None)
