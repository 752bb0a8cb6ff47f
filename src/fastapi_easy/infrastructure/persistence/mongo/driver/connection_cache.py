"""Connections of PyMongo's pool that are kept at hand.

To take one from the pool and to give it back costs as much as what is said on it, so one that is not needed at the
moment stays here for the next command. Who asks the driver in the ordinary way gets it back into the pool first.
"""

import time
from dataclasses import dataclass
from typing import Any

from pymongo.errors import ConnectionFailure
from pymongo.monitoring import ConnectionClosedReason
from pymongo.server_selectors import writable_server_selector
from pymongo.topology_description import TOPOLOGY_TYPE


@dataclass(slots=True)
class Line:
    """A connection in use, or at hand.

    Attributes:
        server: At its end.

        checkout: How it was taken from the pool, and goes back.

        connection: The driver's.

        used: When it was last used, on the monotonic clock.
    """

    server: Any
    checkout: Any
    connection: Any
    used: float = 0.0


class Lines:
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
        self._idle: list[Line] = []
        self._server: Any = None
        self._seen: Any = None

    async def server(self) -> Any:
        """The server to ask. What is known of one is replaced by something else whenever the driver hears of it."""
        server = self._server
        if server is None or server.description is not self._seen:
            server = await self._client._select_server(writable_server_selector, None, "command")  # noqa: SLF001
            self._server, self._seen = server, server.description
            single = self._client.topology_description.topology_type == TOPOLOGY_TYPE.Single
            self.to_secondary = single and not server.description.is_writable
        return server

    async def take(self) -> Line:
        """A connection for one command. It goes to `keep` or to `drop`."""
        server = await self.server()
        while self._idle:
            line = self._idle.pop()
            if line.server is server and self._is_good(line):
                return line
            await line.connection.close_conn(ConnectionClosedReason.STALE)
            await _given_back(line)
        checkout = self._client._checkout(server, None)  # noqa: SLF001
        return Line(server, checkout, await checkout.__aenter__())

    def keep(self, line: Line) -> None:
        """Have *line*, whose answer was read to its end, at hand for the next command."""
        line.used = time.monotonic()
        self._idle.append(line)

    async def drop(self, line: Line, error: BaseException) -> None:
        """Give back *line* and tell the driver of *error*."""
        if isinstance(error, ConnectionFailure):
            self._server = None
        await _given_back(line, error)

    async def make_way(self) -> None:
        """Have the driver find a server and a connection, for somebody who asks it in the ordinary way.

        By itself it would look for a server for as long as the whole operation may take.
        """
        _ = await self.server()
        await self.make_room()

    async def make_room(self) -> None:
        """Give one that is at hand back to the pool, for somebody who needs one from there."""
        if self._idle:
            await _given_back(self._idle.pop(0))

    async def close(self) -> None:
        """Give back everything."""
        while self._idle:
            await _given_back(self._idle.pop())

    def _is_good(self, line: Line) -> bool:
        connection = line.connection
        return not (
            connection.conn.is_closing()
            or line.server.pool.stale_generation(connection.generation, connection.service_id)
            or time.monotonic() - line.used > self._recycle
        )


async def _given_back(line: Line, error: BaseException | None = None) -> None:
    if error is None:
        await line.checkout.__aexit__(None, None, None)
    else:
        await line.checkout.__aexit__(type(error), error, error.__traceback__)
