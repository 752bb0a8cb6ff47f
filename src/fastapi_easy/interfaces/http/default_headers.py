"""The headers of every response: the correlation id, and those that browsers take security rules from."""

from collections.abc import Awaitable, Iterable
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


class HeaderCompletion:
    """The way of a response to the caller, on which it gets the default headers that it lacks.

    Args:
        scope: That of the request.

        send: The way on.

        security_headers: The headers for browsers are added.

    Attributes:
        send: The way on, for a response that has them all.
    """

    __slots__ = ("_scope", "_security_headers", "send")

    def __init__(self, scope: Scope, send: Send, *, security_headers: bool) -> None:
        self._scope = scope
        self._security_headers = security_headers
        self.send = send

    def __call__(self, message: Message) -> Awaitable[None]:
        """Send *message*."""
        if message["type"] == "http.response.start":
            headers = message.get("headers", ())
            # By identity: `Exchange` puts this very object last when it has added the headers itself. It saves
            # a look through all headers of each response.
            if not headers or headers[-1][0] is not HEADER:
                message["headers"] = self._complete(headers)
        return self.send(message)

    def _complete(self, given: Iterable[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
        headers = list(given)
        known = dict(headers)
        if HEADER not in known:
            headers.append((HEADER, correlation_id_of(self._scope).encode("ascii")))
        if self._security_headers:
            headers += [header for header in _SECURITY_HEADERS if header[0] not in known]
            # HTML may need scripts; `/docs` brings a policy of its own.
            if known.get(b"content-type", b"").startswith(_JSON_MEDIA_TYPES) and _JSON_POLICY[0] not in known:
                headers.append(_JSON_POLICY)
        return headers


class DefaultHeaders:
    """ASGI middleware that gives every request a correlation id, and its response the default headers it lacks.

    JSON may load nothing at all; HTML, which may need scripts, gets no policy here: `/docs` brings its own.

    Args:
        app: The app around which it is put.

        security_headers: The headers for browsers are added.

        is_outside: There is middleware of the user's own inside, which may copy the scope: the correlation id is made
            before.
    """

    def __init__(self, app: ASGIApp, *, security_headers: bool, is_outside: bool = False) -> None:
        self._app = app
        self._is_outside = is_outside
        self._security_headers = security_headers
        self._json_headers = headers_of_json(security_headers=security_headers)

    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        """Add the headers when the response starts."""
        if scope["type"] == "http":
            scope[_SCOPE_KEY] = self._json_headers
            if self._is_outside:
                _ = correlation_id_of(scope)
            send = HeaderCompletion(scope, send, security_headers=self._security_headers)
        # No coroutine of its own, which every request would pay for.
        return self._app(scope, receive, send)
