"""Request bodies: how much, how fast, of which type."""

import time
from typing import Any, Final

from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from fastapi_easy.domain import Invalid, TooLarge
from fastapi_easy.interfaces.formats.strict_json import Malformed, read_json
from fastapi_easy.interfaces.http.exchange import Exchange, Refused, refused
from fastapi_easy.interfaces.http.options import HttpOptions
from fastapi_easy.interfaces.http.problems import Problem, problem_of
from fastapi_easy.interfaces.http.request_problems import (
    TOO_SLOW,
    WRONG_CHARSET,
    malformed_body,
    unsupported_media_type,
)
from fastapi_easy.interfaces.http.requests.timeouts import within

JSON: Final = "application/json"
MERGE_PATCH: Final = "application/merge-patch+json"

_ALLOWANCE: Final = "fastapi_easy.body_allowance"


class Gone(Exception):
    """The caller hung up; nobody is there to answer."""


async def read_document(exchange: Exchange, options: HttpOptions, *types: str) -> Any:
    """The JSON value in the body, which must be of one of the media *types*.

    Raises:
        Refused: It is too large, too slow, of another type or no clean JSON.

        Gone: The caller hung up.
    """
    _ = media_type_of(exchange, *types)
    document = read_json(await read_body(exchange, options))
    if isinstance(document, Malformed):
        raise Refused(malformed_body(document.detail))
    if isinstance(document, Invalid):
        raise refused(document)
    return document


async def read_body(exchange: Exchange, options: HttpOptions) -> bytes:
    """The whole body.

    Raises:
        Refused: It is too large or too slow.

        Gone: The caller hung up.
    """
    limit = options.body_limit
    if _declared(exchange.headers.get(b"content-length")) > limit:
        raise Refused(too_large(limit))
    ends = time.monotonic() + options.body_timeout
    patience = options.body_idle_timeout
    parts: list[bytes] = []
    size = 0
    while True:
        try:
            message = await within(patience, exchange.receive())
        except TimeoutError:
            raise Refused(TOO_SLOW) from None
        if message["type"] == "http.disconnect":
            raise Gone
        part: bytes = message.get("body", b"")
        size += len(part)
        if size > limit:
            raise Refused(too_large(limit))
        if not message.get("more_body", False):
            return part if not parts else b"".join([*parts, part])
        parts.append(part)
        patience = min(options.body_idle_timeout, ends - time.monotonic())


class Upload:
    """A body that is read bit by bit, and may be larger than others: `HttpOptions.import_limit` counts.

    Attributes:
        broken: Why it ended before its end: too large, or a pause that was too long; `None` when it did not.
    """

    def __init__(self, exchange: Exchange, options: HttpOptions) -> None:
        allowance: _Allowance | None = exchange.scope.get(_ALLOWANCE)
        if allowance is not None:
            allowance.limit = None
        self._exchange = exchange
        self._limit = options.import_limit
        self._patience = options.body_idle_timeout
        self._size = 0
        self._more = True
        self.broken: Problem | None = None

    async def part(self) -> bytes | None:
        """What comes next; `None` at the end, or when it is broken.

        Raises:
            Gone: The caller hung up.
        """
        if not self._more:
            return None
        try:
            message = await within(self._patience, self._exchange.receive())
        except TimeoutError:
            self._break_off(TOO_SLOW)
            return None
        if message["type"] == "http.disconnect":
            raise Gone
        part: bytes = message.get("body", b"")
        self._more = message.get("more_body", False)
        self._size += len(part)
        if self._limit is not None and self._size > self._limit:
            self._break_off(too_large(self._limit))
            return None
        return part

    def _break_off(self, problem: Problem) -> None:
        self._more = False
        self.broken = problem


def too_large(limit: int) -> Problem:
    """The body has more than *limit* bytes. The rest of it is not read, so the connection has to end."""
    problem = problem_of(TooLarge("The body", limit))
    return Problem(
        problem.status, problem.code, problem.detail, ((b"connection", b"close"),), members=problem.members
    )


def media_type_of(exchange: Exchange, *types: str) -> str:
    """The media type of the body, one of *types*.

    Raises:
        Refused: It is of another type, or in another charset than UTF-8.
    """
    given = exchange.headers.get(b"content-type")
    if given == b"application/json" and JSON in types:
        return JSON
    media_type, _, parameters = (given or b"").decode("latin-1").lower().partition(";")
    media_type = media_type.strip()
    if media_type not in types:
        raise Refused(unsupported_media_type(*types))
    for parameter in parameters.split(";"):
        name, _, value = parameter.strip().partition("=")
        if name == "charset" and value.strip('"') not in {"utf-8", "utf8"}:
            raise Refused(WRONG_CHARSET)
    return media_type


def _declared(content_length: bytes | None) -> int:
    return int(content_length) if content_length is not None and content_length.isdigit() else 0


class BodyTooLargeError(HTTPException):
    """Raised out of `receive` when a body grows beyond the limit; FastAPI passes its own kind of exception on."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        super().__init__(413, f"The body is larger than {limit} bytes.", headers={"Connection": "close"})


class _Allowance:
    """How much of one body may be read; what reads it bit by bit may lift that."""

    __slots__ = ("limit",)

    def __init__(self, limit: int) -> None:
        self.limit: int | None = limit

    def check(self, size: int) -> None:
        """Raise `BodyTooLargeError` when *size* is beyond it."""
        if self.limit is not None and size > self.limit:
            raise BodyTooLargeError(self.limit)


class BodyLimit:
    """ASGI middleware that lets no route of the app read a larger body than *limit* bytes."""

    def __init__(self, app: ASGIApp, limit: int) -> None:
        self._app = app
        self._limit = limit

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer 413 to whoever reads a body whose declared or real length is beyond the limit."""
        if scope["type"] != "http" or not _has_body(scope):
            await self._app(scope, receive, send)
            return
        await self._counted(Exchange(scope, receive, send), receive, send)

    async def _counted(self, exchange: Exchange, receive: Receive, send: Send) -> None:
        allowance = exchange.scope[_ALLOWANCE] = _Allowance(self._limit)
        size = 0
        started = False

        async def counting() -> Message:
            nonlocal size
            # The declared length is looked at before anything is read.
            allowance.check(_declared(exchange.headers.get(b"content-length")))
            message = await receive()
            size += len(message.get("body", b""))
            allowance.check(size)
            return message

        async def watching(message: Message) -> None:
            nonlocal started
            started = True
            await send(message)

        try:
            await self._app(exchange.scope, counting, watching)
        except BodyTooLargeError:
            if started:
                raise
            await exchange.refuse(too_large(self._limit))


def _has_body(scope: Scope) -> bool:
    return any(name in {b"content-length", b"transfer-encoding"} for name, _ in scope["headers"]) or (
        scope["http_version"] not in {"1.0", "1.1"}
    )
