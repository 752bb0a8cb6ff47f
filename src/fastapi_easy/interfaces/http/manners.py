"""What every answer has, whoever gives it: a name for the request, and headers that make browsers careful."""

from collections.abc import Iterable
from typing import Final

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from fastapi_easy.interfaces.http.correlation import HEADER, correlation_id_of

_CAREFUL: Final = (
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"no-referrer"),
)
_FOR_DATA: Final = (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'")
_DATA: Final = (b"application/json", b"application/problem+json")


class Manners:
    """ASGI middleware that names every request, and adds the headers which its answer does not have yet.

    JSON may load nothing at all; HTML, like `/docs`, needs scripts and gets no policy of ours.

    Args:
        app: What answers.

        careful: The headers for browsers are added.
    """

    def __init__(self, app: ASGIApp, *, careful: bool) -> None:
        self._app = app
        self._careful = careful

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Name the request; add the headers when the answer starts."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        name = correlation_id_of(scope).encode("ascii")

        async def mannered(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = self._completed(message.get("headers", ()), name)
            await send(message)

        await self._app(scope, receive, mannered)

    def _completed(self, given: Iterable[tuple[bytes, bytes]], name: bytes) -> list[tuple[bytes, bytes]]:
        headers = list(given)
        known = dict(headers)
        if HEADER not in known:
            headers.append((HEADER, name))
        if self._careful:
            headers += [header for header in _CAREFUL if header[0] not in known]
            if known.get(b"content-type", b"").startswith(_DATA) and _FOR_DATA[0] not in known:
                headers.append(_FOR_DATA)
        return headers
