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
_KEPT: Final = "fastapi_easy.manners"


def manners_of(scope: Scope) -> tuple[tuple[bytes, bytes], ...]:
    """The headers that an answer to *scope* has to have, if it is data and may as well bring them itself.

    An answer whose last header is its name needs no others any more.
    """
    kept: tuple[tuple[bytes, bytes], ...] = scope.get(_KEPT, ())
    return kept


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
        self._for_data = (*_CAREFUL, _FOR_DATA) if careful else ()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Name the request; add the headers when the answer starts."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        name = correlation_id_of(scope)
        scope[_KEPT] = self._for_data

        async def mannered(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = message.get("headers", ())
                if not headers or headers[-1][0] is not HEADER:
                    message["headers"] = self._completed(headers, name.encode("ascii"))
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
