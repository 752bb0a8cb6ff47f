"""The headers that make browsers careful. Pure ASGI."""

from typing import Final

from starlette.types import ASGIApp, Message, Receive, Scope, Send

_ALWAYS: Final = (
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"no-referrer"),
)
_FOR_DATA: Final = (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'")
_DATA: Final = (b"application/json", b"application/problem+json")


class SecurityHeaders:
    """ASGI middleware that adds the headers which the answer does not have yet.

    JSON may load nothing at all; HTML, like `/docs`, needs scripts and gets no policy of ours.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Add the headers when the answer starts."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def careful(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = _with_headers(message.get("headers", ()))
            await send(message)

        await self._app(scope, receive, careful)


def _with_headers(given: object) -> list[tuple[bytes, bytes]]:
    headers: list[tuple[bytes, bytes]] = list(given)  # type: ignore[call-overload]
    known = dict(headers)
    headers += [each for each in _ALWAYS if each[0] not in known]
    if _FOR_DATA[0] not in known and known.get(b"content-type", b"").startswith(_DATA):
        headers.append(_FOR_DATA)
    return headers
