"""A server of uvicorn's that resets no connection when it stops listening."""

import asyncio
import contextlib
import socket
from collections.abc import Sequence
from typing import Any, Final

import uvicorn

from fastapi_easy.interfaces.cli.server.held_connects import hold_connects

_HANDSHAKE: Final = 0.2
"""Seconds in which a connection is made that was begun."""


class LastCallServer(uvicorn.Server):
    """Serves in this process; answers also who had connected, but was not accepted yet, when it is told to end.

    The kernel resets those connections when a socket that listens is closed. So the socket is kept open by a copy, from
    which they are accepted before that is closed as well. Nobody connects in between where the kernel can be asked for
    that.
    """

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Stop listening, answer what was asked, and end."""
        listeners = [each.dup() for each in sockets or ()]
        held = [hold_connects(each) for each in listeners]
        if any(held):
            # Connections that are being made become complete, and are accepted as ever.
            await asyncio.sleep(_HANDSHAKE)
        # Runs as soon as uvicorn waits for the first time: it listens no more then.
        accepting = asyncio.ensure_future(self._accept_waiting(listeners))
        try:
            await super().shutdown(sockets)
        finally:
            await accepting

    async def _accept_waiting(self, listeners: Sequence[socket.socket]) -> None:
        loop = asyncio.get_running_loop()
        accepted: list[socket.socket] = []
        for each in listeners:
            each.setblocking(False)
            with contextlib.closing(each), contextlib.suppress(BlockingIOError, ConnectionError):
                while True:
                    accepted.append(each.accept()[0])
        for each in accepted:
            _ = await loop.connect_accepted_socket(self._make_protocol, each)

    def _make_protocol(self) -> asyncio.Protocol:
        config: Any = self.config
        protocol: asyncio.Protocol = config.http_protocol_class(
            config=config, server_state=self.server_state, app_state=self.lifespan.state
        )
        return protocol
