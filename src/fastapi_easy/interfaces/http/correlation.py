"""The name that ties together everything one request causes."""

import random
from collections.abc import Mapping
from typing import Final

from starlette.types import ASGIApp, Message, Receive, Scope, Send

HEADER: Final = b"x-correlation-id"
_LONGEST: Final = 128
_KEPT: Final = "fastapi_easy.correlation_id"


class Correlation:
    """ASGI middleware that names every request and echoes the name, also on the user's own routes."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Name the request; add the name to the answer where it is missing."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        name = correlation_id_of(scope).encode("ascii")

        async def named(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = message.get("headers", ())
                if all(header != HEADER for header, _ in headers):
                    message["headers"] = [*headers, (HEADER, name)]
            await send(message)

        await self._app(scope, receive, named)


def correlation_id_of(scope: Scope, headers: Mapping[bytes, bytes] | None = None) -> str:
    """What the caller calls this request, or a fresh name when that is missing or unfit for logs.

    Args:
        scope: Keeps the name, so that a request has one.

        headers: Those of *scope* by name, if somebody has looked at them already.
    """
    known: str | None = scope.get(_KEPT)
    if known is None:
        known = scope[_KEPT] = _read(dict(scope["headers"]) if headers is None else headers)
    return known


def _read(headers: Mapping[bytes, bytes]) -> str:
    given = headers.get(HEADER) or headers.get(b"x-request-id")
    if given is not None and len(given) <= _LONGEST and given.isascii():
        text = given.decode("ascii")
        if text.isprintable():
            return text
    return f"{random.getrandbits(128):032x}"
