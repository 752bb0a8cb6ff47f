"""Idle connections of PyMongo's pool, kept checked out for the next command.

Checking a connection out of the pool and in again costs as much as a command on it, so an idle one stays here. Before
a call that takes a connection from the pool by itself, one is returned there.
"""

import time
from dataclasses import dataclass
from typing import Any

from pymongo.errors import ConnectionFailure
from pymongo.monitoring import ConnectionClosedReason
from pymongo.topology_description import TOPOLOGY_TYPE

from fastapi_easy.infrastructure.persistence.mongo.driver.driver_client import DriverClient
from fastapi_easy.infrastructure.persistence.mongo.driver.pymongo_internals import checkout, select_server


@dataclass(slots=True)
class CachedConnection:
    """A connection in use, or idle.

    Attributes:
        server: The driver's server at its end.

        checkout: The driver's context manager, whose end returns the connection to the pool.

        connection: The driver's connection.

        last_used: When it was last used, on the monotonic clock.
    """

    server: Any
    checkout: Any
    connection: Any
    last_used: float = 0.0


class ConnectionCache:
    """The idle connections, all to the server that can be written to.

    Args:
        client: PyMongo's asynchronous client.

        recycle: Seconds after which an idle connection is closed.

    Attributes:
        to_secondary: Whether the URL names a secondary alone, which only answers commands that allow a secondary.
    """

    def __init__(self, client: DriverClient, recycle: float) -> None:
        self._client = client
        self._recycle = recycle
        self.to_secondary = False
        self._idle: list[CachedConnection] = []
        # The server found last, and the description that the driver had of it then.
        self._server: Any = None
        self._server_description: object = None

    async def server(self) -> Any:
        """Return the server that can be written to, which is looked up again whenever the driver has heard of a change.

        The driver replaces a server's description on each change, so that a look at its identity is enough.
        """
        server = self._server
        if server is None or server.description is not self._server_description:
            # After a failover the new primary has another `Server`; its idle connections are sorted out by `take`.
            server = await select_server(self._client)
            self._server, self._server_description = server, server.description
            single = self._client.topology_description.topology_type == TOPOLOGY_TYPE.Single
            self.to_secondary = single and not server.description.is_writable
        return server

    async def take(self) -> CachedConnection:
        """Return a connection for one command, which goes to `release` or to `discard` afterwards."""
        server = await self.server()
        while self._idle:
            # The last one used is the warmest, and those that are not needed grow old enough to be closed.
            cached = self._idle.pop()
            if cached.server is server and self._is_usable(cached):
                return cached
            await cached.connection.close_conn(ConnectionClosedReason.STALE)
            await _check_in(cached)
        taken = checkout(self._client, server)
        return CachedConnection(server, taken, await taken.__aenter__())

    def release(self, cached: CachedConnection) -> None:
        """Keep *cached*, whose reply was read to its end, for the next command."""
        cached.last_used = time.monotonic()
        self._idle.append(cached)

    async def discard(self, cached: CachedConnection, error: BaseException) -> None:
        """Return *cached* to the driver's pool, and tell the driver of *error*."""
        if isinstance(error, ConnectionFailure):
            self._server = None
        await _check_in(cached, error)

    async def prepare_for_driver(self) -> None:
        """Let the driver find a server and a free connection for a call through its own methods.

        By itself the driver would look for a server for as long as the whole operation may take, instead of the
        shorter time that a connection may take.
        """
        _ = await self.server()
        await self.release_one()

    async def release_one(self) -> None:
        """Return one idle connection to the driver's pool, for a call that takes one from there."""
        if self._idle:
            await _check_in(self._idle.pop(0))

    async def close(self) -> None:
        """Return every idle connection to the driver's pool."""
        while self._idle:
            await _check_in(self._idle.pop())

    def _is_usable(self, cached: CachedConnection) -> bool:
        connection = cached.connection
        return not (
            connection.conn.is_closing()
            or cached.server.pool.stale_generation(connection.generation, connection.service_id)
            or time.monotonic() - cached.last_used > self._recycle
        )


async def _check_in(cached: CachedConnection, error: BaseException | None = None) -> None:
    if error is None:
        await cached.checkout.__aexit__(None, None, None)
    else:
        await cached.checkout.__aexit__(type(error), error, error.__traceback__)
