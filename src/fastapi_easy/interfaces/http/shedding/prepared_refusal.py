"""The answer to requests that are refused in an overload, made beforehand: it has to cost next to nothing."""

import random
from collections.abc import Iterable
from typing import Final

from starlette.types import Scope, Send

from fastapi_easy.interfaces.http.problems import PROBLEM_JSON, Problem, ascii_json, problem_members
from fastapi_easy.interfaces.http.scopes.correlation import correlation_id_of

OVERLOADED: Final = Problem(
    503, "unavailable", "Too many requests are waiting; nothing was changed. Ask again after Retry-After."
)

_BODY: Final = ascii_json(problem_members(OVERLOADED))[:-1]

_HEADERS: Final = ((b"content-type", PROBLEM_JSON), (b"cache-control", b"no-store"))

_RETRIES: Final = tuple((b"retry-after", b"%d" % seconds) for seconds in (1, 2, 3))
"""Callers who come back are spread over so many seconds."""


def refusal_body(path: bytes, scope: Scope) -> bytes:
    """Return the body of the refusal of the request in *scope* for *path*, as it was sent."""
    return b'%b,"instance":%b,"correlation_id":%b}' % (
        _BODY,
        ascii_json(path.decode("latin-1")),
        ascii_json(correlation_id_of(scope)),
    )


async def send_refusal(path: bytes, scope: Scope, send: Send) -> None:
    """Send the refusal; *send* adds the headers of every answer."""
    body = refusal_body(path, scope)
    headers = [*_HEADERS, random.choice(_RETRIES), (b"content-length", b"%d" % len(body))]  # noqa: S311 (jitter)
    await send({"type": "http.response.start", "status": OVERLOADED.status, "headers": headers})
    await send({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else body})


class RefusalLines:
    """The head of the refusal as a server sends it, up to the headers that only it knows.

    Args:
        default_headers: Those of every answer.
    """

    def __init__(self, default_headers: Iterable[tuple[bytes, bytes]]) -> None:
        same = b"".join(b"%b: %b\r\n" % each for each in (*_HEADERS, *default_headers))
        self._heads = tuple(
            b"HTTP/1.1 503 Service Unavailable\r\n%b%b: %b\r\n" % (same, *retry) for retry in _RETRIES
        )

    def response(self, path: bytes, scope: Scope) -> tuple[bytes, bytes]:
        """Return the head, to which headers may be added, and the body of the refusal of a request."""
        body = refusal_body(path, scope)
        head = b"%bx-correlation-id: %b\r\ncontent-length: %d\r\n" % (
            random.choice(self._heads),  # noqa: S311 (jitter)
            correlation_id_of(scope).encode("ascii"),
            len(body),
        )
        return head, b"" if scope["method"] == "HEAD" else body
