"""The headers of every response: the correlation id, and those that browsers take security rules from."""

from collections.abc import Iterable
from typing import Final

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from fastapi_easy.interfaces.http.scopes.correlation import HEADER, correlation_id_of

_SECURITY_HEADERS: Final = (
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"no-referrer"),
)
_JSON_POLICY: Final = (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'")
_JSON_MEDIA_TYPES: Final = (b"application/json", b"application/problem+json")
_SCOPE_KEY: Final = "fastapi_easy.default_headers"


def default_headers_of(scope: Scope) -> tuple[tuple[bytes, bytes], ...]:
    """Return the headers that a response to *scope* shall have, where the middleware allows to add them early.

    A response whose last header is the correlation id has them all.
    """
    kept: tuple[tuple[bytes, bytes], ...] = scope.get(_SCOPE_KEY, ())
    return kept


def headers_of_json(*, security_headers: bool) -> tuple[tuple[bytes, bytes], ...]:
    """Return the headers of every answer in JSON, but for the correlation id."""
    return (*_SECURITY_HEADERS, _JSON_POLICY) if security_headers else ()


class DefaultHeaders:
    """ASGI middleware that gives every request a correlation id, and its response the default headers it lacks.

    JSON may load nothing at all; HTML, which may need scripts, gets no policy here: `/docs` brings its own.

    Args:
        app: The app around which it is put.

        security_headers: The headers for browsers are added.
    """

    def __init__(self, app: ASGIApp, *, security_headers: bool) -> None:
        self._app = app
        self._security_headers = security_headers
        self._json_headers = headers_of_json(security_headers=security_headers)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Set the correlation id of the request; add the headers when the response starts."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        correlation_id = correlation_id_of(scope)
        scope[_SCOPE_KEY] = self._json_headers

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = message.get("headers", ())
                # By identity: `Exchange` puts this very object last when it has added the headers itself. It saves
                # a look through all headers of each response.
                if not headers or headers[-1][0] is not HEADER:
                    message["headers"] = self._complete_headers(headers, correlation_id.encode("ascii"))
            await send(message)

        await self._app(scope, receive, send_with_headers)

    def _complete_headers(
        self, given: Iterable[tuple[bytes, bytes]], correlation_id: bytes
    ) -> list[tuple[bytes, bytes]]:
        headers = list(given)
        known = dict(headers)
        if HEADER not in known:
            headers.append((HEADER, correlation_id))
        if self._security_headers:
            headers += [header for header in _SECURITY_HEADERS if header[0] not in known]
            # HTML may need scripts; `/docs` brings a policy of its own.
            if known.get(b"content-type", b"").startswith(_JSON_MEDIA_TYPES) and _JSON_POLICY[0] not in known:
                headers.append(_JSON_POLICY)
        return headers
