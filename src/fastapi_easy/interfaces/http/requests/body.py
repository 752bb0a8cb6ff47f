"""Request bodies: how much, how fast, of which type."""

import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from fastapi_easy.domain import Invalid, TooLarge
from fastapi_easy.interfaces.formats.strict_json import JsonValue, Malformed, read_json
from fastapi_easy.interfaces.http.exchange import Exchange, ProblemError, problem_error
from fastapi_easy.interfaces.http.options import HttpOptions
from fastapi_easy.interfaces.http.problems import Problem, problem_of
from fastapi_easy.interfaces.http.request_problems import (
    TOO_SLOW,
    WRONG_CHARSET,
    malformed_body,
    unsupported_media_type,
)
from fastapi_easy.interfaces.http.requests.content_codings import Expansion, coding_of, expand
from fastapi_easy.interfaces.http.requests.timeouts import with_timeout

JSON: Final = "application/json"
MERGE_PATCH: Final = "application/merge-patch+json"

_READ_LIMIT: Final = "fastapi_easy.body_allowance"


class ClientDisconnected(Exception):
    """The caller hung up; nobody is there to answer."""


async def read_document(exchange: Exchange, options: HttpOptions, *types: str) -> JsonValue:
    """Return the JSON value in the body, which must be of one of the media *types*.

    Raises:
        ProblemError: It is too large, too slow, of another type or no clean JSON.

        ClientDisconnected: The caller hung up.
    """
    _ = media_type_of(exchange, *types)
    return _read(await read_body(exchange, options))


async def read_optional_document(exchange: Exchange, options: HttpOptions, *types: str) -> JsonValue:
    """Return the JSON value in the body as `read_document` does, or an empty object where there is no body.

    Generated clients name a media type also of a body that they leave out.

    Raises:
        ProblemError, ClientDisconnected: as `read_document`.
    """
    is_named = b"content-type" in exchange.headers
    if is_named:
        _ = media_type_of(exchange, *types)
    body = await read_body(exchange, options)
    if not body:
        return {}
    return _read(body) if is_named else None


def _read(body: bytes) -> JsonValue:
    document = read_json(body)
    if isinstance(document, Malformed):
        raise ProblemError(malformed_body(document.detail))
    if isinstance(document, Invalid):
        raise problem_error(document)
    return document


async def read_body(exchange: Exchange, options: HttpOptions) -> bytes:
    """Read the whole body, and expand one that is compressed.

    Raises:
        ProblemError: It is too large or too slow, or compressed in a way that is not understood.

        ClientDisconnected: The caller hung up.
    """
    limit = options.body_limit
    encoding = exchange.headers.get(b"content-encoding")
    coding = None if encoding is None else coding_of(encoding)
    if _content_length(exchange.headers.get(b"content-length")) > limit:
        raise ProblemError(too_large(limit))
    deadline = time.monotonic() + options.body_timeout
    timeout = options.body_idle_timeout
    parts: list[bytes] = []
    size = 0
    while True:
        try:
            message = await with_timeout(timeout, exchange.receive())
        except TimeoutError:
            raise ProblemError(TOO_SLOW) from None
        if message["type"] == "http.disconnect":
            raise ClientDisconnected
        part: bytes = message.get("body", b"")
        size += len(part)
        if size > limit:
            raise ProblemError(too_large(limit))
        if not message.get("more_body", False):
            body = part if not parts else b"".join([*parts, part])
            return body if coding is None else expand(coding, body, limit)
        parts.append(part)
        timeout = min(options.body_idle_timeout, deadline - time.monotonic())


class Upload:
    """A body that is read bit by bit, and may be larger than others: `HttpOptions.import_limit` counts.

    Attributes:
        problem: Why it ended before its end: too large, broken, or a pause that was too long; `None` when it did not.

    Raises:
        ProblemError: It is compressed in a way that is not understood.
    """

    def __init__(self, exchange: Exchange, options: HttpOptions) -> None:
        read_limit: _ReadLimit | None = exchange.scope.get(_READ_LIMIT)
        if read_limit is not None:
            read_limit.limit = None
        self._exchange = exchange
        self._limit = options.import_limit
        self._timeout = options.body_idle_timeout
        self._size = 0
        self._has_more = True
        self.problem: Problem | None = None
        encoding = exchange.headers.get(b"content-encoding")
        coding = None if encoding is None else coding_of(encoding)
        self._expansion = (
            None if coding is None else Expansion(coding, options.import_limit, options.body_limit)
        )
        self._pieces: Iterator[bytes] = iter(())
        self._is_expanded = False

    async def read_part(self) -> bytes | None:
        """Wait for the next part; `None` at the end, or when the upload has failed.

        Raises:
            ClientDisconnected: The caller hung up.
        """
        expansion = self._expansion
        if expansion is None:
            return await self._receive_part()
        try:
            while (piece := next(self._pieces, None)) is None:
                part = await self._receive_part()
                if part is not None:
                    self._pieces = expansion.expand(part)
                elif self.problem is not None or self._is_expanded:
                    return None
                else:
                    self._is_expanded = True
                    self._pieces = expansion.end()
        except ProblemError as error:
            self._abort(replace(error.problem, headers=((b"connection", b"close"),)))
            return None
        return piece

    async def _receive_part(self) -> bytes | None:
        if not self._has_more:
            return None
        try:
            message = await with_timeout(self._timeout, self._exchange.receive())
        except TimeoutError:
            self._abort(TOO_SLOW)
            return None
        if message["type"] == "http.disconnect":
            raise ClientDisconnected
        part: bytes = message.get("body", b"")
        self._has_more = message.get("more_body", False)
        self._size += len(part)
        if self._limit is not None and self._size > self._limit:
            self._abort(too_large(self._limit))
            return None
        return part

    def _abort(self, problem: Problem) -> None:
        self._has_more = False
        self.problem = problem


def too_large(limit: int) -> Problem:
    """Return the problem of a body of more than *limit* bytes. Its rest is not read, so the connection has to end."""
    problem = problem_of(TooLarge("The body", limit))
    return Problem(
        problem.status, problem.code, problem.detail, ((b"connection", b"close"),), members=problem.members
    )


def media_type_of(exchange: Exchange, *types: str) -> str:
    """Return the media type of the body, one of *types*.

    Raises:
        ProblemError: It is of another type, or in another charset than UTF-8.
    """
    given = exchange.headers.get(b"content-type")
    if given == b"application/json" and JSON in types:
        return JSON
    media_type, _, parameters = (given or b"").decode("latin-1").lower().partition(";")
    media_type = media_type.strip()
    if media_type not in types:
        raise ProblemError(unsupported_media_type(*types))
    for parameter in parameters.split(";"):
        name, _, value = parameter.strip().partition("=")
        if name == "charset" and value.strip('"') not in {"utf-8", "utf8"}:
            raise ProblemError(WRONG_CHARSET)
    return media_type


def _content_length(content_length: bytes | None) -> int:
    return int(content_length) if content_length is not None and content_length.isdigit() else 0


class BodyTooLargeError(HTTPException):
    """Raised out of `receive` when a body grows beyond the limit; FastAPI passes its own kind of exception on."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        super().__init__(413, f"The body is larger than {limit} bytes.", headers={"Connection": "close"})


class _ReadLimit:
    """The limit for one body; a reader that takes it in parts may lift it."""

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
        await self._call_with_limit(Exchange(scope, receive, send), receive, send)

    async def _call_with_limit(self, exchange: Exchange, receive: Receive, send: Send) -> None:
        read_limit = exchange.scope[_READ_LIMIT] = _ReadLimit(self._limit)
        size = 0
        started = False

        async def limited_receive() -> Message:
            nonlocal size
            # The declared length is looked at before anything is read.
            read_limit.check(_content_length(exchange.headers.get(b"content-length")))
            message = await receive()
            size += len(message.get("body", b""))
            read_limit.check(size)
            return message

        async def tracking_send(message: Message) -> None:
            nonlocal started
            started = True
            await send(message)

        try:
            await self._app(exchange.scope, limited_receive, tracking_send)
        except BodyTooLargeError:
            if started:
                raise
            await exchange.send_problem(too_large(self._limit))


def _has_body(scope: Scope) -> bool:
    return any(name in {b"content-length", b"transfer-encoding"} for name, _ in scope["headers"]) or (
        scope["http_version"] not in {"1.0", "1.1"}
    )
