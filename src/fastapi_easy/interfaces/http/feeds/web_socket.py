"""A WebSocket handshake as the GET request that it is, so that everything which guards a request guards it too."""

import asyncio
from typing import Final

from starlette.types import Message, Receive, Scope, Send

from fastapi_easy.interfaces.http.authentication.csrf import origin_rule
from fastapi_easy.interfaces.http.exchange import Exchange
from fastapi_easy.interfaces.http.options import CorsOptions
from fastapi_easy.interfaces.http.problems import Problem
from fastapi_easy.interfaces.http.request_problems import OTHER_SITE

_SOCKET: Final = "fastapi_easy.socket"
"""Where the scope of such a request keeps its socket."""

_DENIAL: Final = "websocket.http.response"

_REFUSED: Final = 1008


class WebSocket:
    """One WebSocket that only the server has something to say on.

    Args:
        scope: Of the handshake.

        receive: The ASGI way to the caller's messages.

        send: The ASGI way to the caller.
    """

    def __init__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self._can_deny = _DENIAL in scope.get("extensions", {})
        self._receive = receive
        self._send = send
        self._status = 0

    async def accept(self, exchange: Exchange) -> None:
        """Accept the handshake; from then on *exchange* can be answered in no other way."""
        exchange.started = True
        await self._send({"type": "websocket.accept"})

    async def send(self, text: bytes, limit: float) -> None:
        """Send *text*, UTF-8.

        Raises:
            TimeoutError: The caller did not take it within *limit* seconds.
        """
        async with asyncio.timeout(limit):
            await self._send({"type": "websocket.send", "text": text.decode()})

    async def close(self, code: int, reason: str) -> None:
        """End it, and say why."""
        await self._send({"type": "websocket.close", "code": code, "reason": reason})

    async def wait_for_disconnect(self) -> None:
        """Wait until the caller disconnects; what they send is not listened to."""
        while (await self._receive())["type"] != "websocket.disconnect":
            pass

    async def deny(self, message: Message) -> None:
        """Send what answers an ordinary request, in place of an acceptance."""
        if self._can_deny:
            await self._send({**message, "type": f"websocket.{message['type']}"})
        elif message["type"] == "http.response.start":
            await self._send({"type": "websocket.close", "code": _REFUSED})


async def as_request(scope: Scope, receive: Receive, send: Send) -> Exchange:
    """Return the request that a handshake is; its answer, unless the endpoint accepts, denies the handshake."""
    _ = await receive()
    socket = WebSocket(scope, receive, send)
    schemes = {"ws": "http", "wss": "https"}
    request = {
        **scope,
        "type": "http",
        "method": "GET",
        "scheme": schemes.get(scope.get("scheme", ""), "http"),
        _SOCKET: socket,
    }
    return Exchange(request, _no_body, socket.deny)


def socket_of(exchange: Exchange) -> WebSocket | None:
    """Return the socket whose handshake *exchange* is; `None` for an ordinary request."""
    found: WebSocket | None = exchange.scope.get(_SOCKET)
    return found


def find_socket_problem(exchange: Exchange, cors: CorsOptions) -> Problem | None:
    """Return why a page may not open a socket; `None` when it may.

    Browsers let every page open sockets to everywhere, and send cookies along: they leave it to the server to look at
    the origin.
    """
    headers = exchange.headers
    if origin_rule(cors).permits(headers):
        return None
    origin = headers.get(b"origin", b"").decode("latin-1")
    is_allowed = "*" in cors.origins or origin in cors.origins
    return None if is_allowed and b"cookie" not in headers else OTHER_SITE


async def _no_body() -> Message:
    return {"type": "http.request", "body": b"", "more_body": False}
