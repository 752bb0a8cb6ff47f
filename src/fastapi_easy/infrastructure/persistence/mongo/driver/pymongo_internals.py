"""Every name of PyMongo's that it keeps to itself.

`wire_commands` and `connection_cache` use them where `SUPPORTED_VERSION` says that they are what they are taken for.
In any other version, and when one of those read at import is gone, `is_known_version` says no and commands go through
PyMongo's public methods.
"""

import importlib
from typing import Any, Final

import pymongo
from pymongo.server_selectors import writable_server_selector

SUPPORTED_VERSION: Final = (4, 20)
"""The version of PyMongo in which the names used here are what they are taken for."""


def _found(module: str, name: str) -> Any:
    try:
        return getattr(importlib.import_module(module), name, None)
    except ImportError:
        return None


op_msg: Final[Any] = _found("pymongo.message", "_op_msg")
"""Makes the bytes of a command: `_op_msg`."""

unpack_reply: Final[Any] = _found("pymongo.message", "_UNPACK_REPLY")
"""What reads an answer, by its code: `_UNPACK_REPLY`."""

check_command_response: Final[Any] = _found("pymongo.helpers_shared", "_check_command_response")
"""Raises what a command was refused with: `_check_command_response`."""

check_write_command_response: Final[Any] = _found("pymongo.helpers_shared", "_check_write_command_response")
"""Raises what a write was refused with: `_check_write_command_response`."""

RETRYABLE_ERROR_CODES: Final[Any] = _found("pymongo.helpers_shared", "_RETRYABLE_ERROR_CODES")
"""The codes after which a read may be asked again: `_RETRYABLE_ERROR_CODES`."""

_AT_IMPORT: Final = (
    op_msg,
    unpack_reply,
    check_command_response,
    check_write_command_response,
    RETRYABLE_ERROR_CODES,
)


def is_known_version(client: Any) -> bool:
    """Return whether *client* is PyMongo's asynchronous one, in the version whose private names are known."""
    return (
        pymongo.version_tuple[:2] == SUPPORTED_VERSION
        and None not in _AT_IMPORT
        and isinstance(client, pymongo.AsyncMongoClient)
    )


def is_plain(client: Any) -> bool:
    """Return whether the commands of *client* are neither compressed nor watched, and its credentials never renewed.

    Uses `_credentials`, `_compression_settings` and `_event_listeners` of its pool's options; see `is_known_version`.
    """
    pool = client.options.pool_options
    credentials, compression, listeners = pool._credentials, pool._compression_settings, pool._event_listeners
    return not (
        (compression is not None and compression.compressors)
        or (credentials is not None and credentials.mechanism == "MONGODB-OIDC")
        or (listeners is not None and listeners.enabled_for_commands)
    )


async def select_server(client: Any) -> Any:
    """Return the server that can be written to, once there is one.

    Uses `_select_server` of the client; see `is_known_version`.
    """
    return await client._select_server(writable_server_selector, None, "command")


def checkout(client: Any, server: Any) -> Any:
    """Return what takes a connection to *server* from the pool when it is entered, and gives it back at its end.

    Uses `_checkout` of the client; see `is_known_version`.
    """
    return client._checkout(server, None)


async def raise_connection_failure(connection: Any, error: BaseException) -> None:
    """Close *connection* and raise what the driver makes of *error*.

    Uses `_raise_connection_failure` of the connection; see `is_known_version`.
    """
    await connection._raise_connection_failure(error)


def recheck_servers(client: Any) -> None:
    """Have PyMongo's *client* look at its servers now: one that has refused a login is not asked again before that.

    Uses `_topology` of the client, its `_servers`, their `_monitor` and its `cancel_check`; where one of them is gone,
    the driver looks by itself within its 10 seconds.
    """
    topology = getattr(client, "_topology", None)
    for server in tuple(getattr(topology, "_servers", {}).values()):
        cancel_check = getattr(getattr(server, "_monitor", None), "cancel_check", None)
        if cancel_check is not None:
            cancel_check()
