"""Connections of PyMongo's pool that are kept at hand.

To take one from the pool and to give it back costs as much as what is said on it, so one that is not needed at the
moment stays here for the next command. Who asks the driver in the ordinary way gets it back into the pool first.
"""

import time
from dataclasses import dataclass
from typing import Any

from pymongo.errors import ConnectionFailure
from pymongo.monitoring import ConnectionClosedReason
from pymongo.topology_description import TOPOLOGY_TYPE

from fastapi_easy.infrastructure.persistence.mongo.driver.pymongo_internals import checkout, select_server


@dataclass(slots=True)
class CachedConnection:
    """A connection in use, or at hand.

    Attributes:
        server: At its end.

        checkout: How it was taken from the pool, and goes back.

        connection: The driver's.

        last_used: When it was last used, on the monotonic clock.
    """

    server: Any
    checkout: Any
    connection: Any
    last_used: float = 0.0


class ConnectionCache:
    """The connections at hand, all to the server that can be written to.

    Args:
        client: PyMongo's asynchronous client.

        recycle: A connection that was idle for so many seconds is closed.

    Attributes:
        to_secondary: The URL names one server alone, which only answers whoever says that it may be a secondary.
    """

    def __init__(self, client: Any, recycle: float) -> None:
        self._client = client
        self._recycle = recycle
        self.to_secondary = False
        self._idle: list[CachedConnection] = []
        self._server: Any = None
        self._server_description: Any = None

    async def server(self) -> Any:
        """Return the server that can be written to, which is looked up again whenever the driver has heard of a change.

        The driver replaces a server's description on each change, so that a look at its identity is enough.
        """
        server = self._server
        if server is None or server.description is not self._server_description:
            server = await select_server(self._client)
            self._server, self._server_description = server, server.description
            single = self._client.topology_description.topology_type == TOPOLOGY_TYPE.Single
            self.to_secondary = single and not server.description.is_writable
        return server

    async def take(self) -> CachedConnection:
        """Return a connection for one command, which goes to `release` or to `discard` afterwards."""
        server = await self.server()
        while self._idle:
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

        By itself it would look for a server for as long as the whole operation may take.
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
