"""What every answer has, whoever gives it: a name for the request, and headers that make browsers careful."""

from collections.abc import Iterable
from typing import Final

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from fastapi_easy.interfaces.http.correlation import HEADER, correlation_id_of

_SECURITY_HEADERS: Final = (
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"no-referrer"),
)
_JSON_POLICY: Final = (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'")
_JSON_MEDIA_TYPES: Final = (b"application/json", b"application/problem+json")
_SCOPE_KEY: Final = "fastapi_easy.default_headers"


def default_headers_of(scope: Scope) -> tuple[tuple[bytes, bytes], ...]:
    """The headers that an answer to *scope* has to have, if it is data and may as well bring them itself.

    An answer whose last header is its name needs no others any more.
    """
    kept: tuple[tuple[bytes, bytes], ...] = scope.get(_SCOPE_KEY, ())
    return kept


class DefaultHeaders:
    """ASGI middleware that names every request, and adds the headers which its answer does not have yet.

    JSON may load nothing at all; HTML, like `/docs`, needs scripts and gets no policy of ours.

    Args:
        app: What answers.

        security_headers: The headers for browsers are added.
    """

    def __init__(self, app: ASGIApp, *, security_headers: bool) -> None:
        self._app = app
        self._security_headers = security_headers
        self._json_headers = (*_SECURITY_HEADERS, _JSON_POLICY) if security_headers else ()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Name the request; add the headers when the answer starts."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        name = correlation_id_of(scope)
        scope[_SCOPE_KEY] = self._json_headers

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = message.get("headers", ())
                if not headers or headers[-1][0] is not HEADER:
                    message["headers"] = self._complete_headers(headers, name.encode("ascii"))
            await send(message)

        await self._app(scope, receive, send_with_headers)

    def _complete_headers(
        self, given: Iterable[tuple[bytes, bytes]], name: bytes
    ) -> list[tuple[bytes, bytes]]:
        headers = list(given)
        known = dict(headers)
        if HEADER not in known:
            headers.append((HEADER, name))
        if self._security_headers:
            headers += [header for header in _SECURITY_HEADERS if header[0] not in known]
            if known.get(b"content-type", b"").startswith(_JSON_MEDIA_TYPES) and _JSON_POLICY[0] not in known:
                headers.append(_JSON_POLICY)
        return headers
