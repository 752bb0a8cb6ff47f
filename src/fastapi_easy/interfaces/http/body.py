"""Request bodies: how much, how fast, of which type."""

import asyncio
from typing import Any, Final

from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from fastapi_easy.domain import Invalid, TooLarge
from fastapi_easy.interfaces.http.exchange import Exchange, Refused, refused
from fastapi_easy.interfaces.http.options import HttpOptions
from fastapi_easy.interfaces.http.problems import Problem, problem_of
from fastapi_easy.interfaces.http.refusals import TOO_SLOW, WRONG_CHARSET, unsupported_media_type
from fastapi_easy.interfaces.http.strict_json import read_json

JSON: Final = "application/json"
MERGE_PATCH: Final = "application/merge-patch+json"


class Gone(Exception):
    """The caller hung up; nobody is there to answer."""


async def read_document(exchange: Exchange, options: HttpOptions, *types: str) -> Any:
    """The JSON value in the body, which must be of one of the media *types*.

    Raises:
        Refused: It is too large, too slow, of another type or no clean JSON.

        Gone: The caller hung up.
    """
    problem = _refused_type(exchange.headers.get(b"content-type"), types)
    if problem is not None:
        raise Refused(problem)
    document = read_json(await read_body(exchange, options))
    if isinstance(document, Problem):
        raise Refused(document)
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
    loop = asyncio.get_running_loop()
    begun = loop.time()
    parts: list[bytes] = []
    size = 0
    try:
        async with asyncio.timeout(options.body_idle_timeout) as patience:
            while True:
                message = await exchange.receive()
                if message["type"] == "http.disconnect":
                    raise Gone
                part: bytes = message.get("body", b"")
                size += len(part)
                if size > limit:
                    raise Refused(too_large(limit))
                if not message.get("more_body", False):
                    return part if not parts else b"".join([*parts, part])
                parts.append(part)
                patience.reschedule(
                    min(loop.time() + options.body_idle_timeout, begun + options.body_timeout)
                )
    except TimeoutError:
        raise Refused(TOO_SLOW) from None


def too_large(limit: int) -> Problem:
    """The body has more than *limit* bytes. The rest of it is not read, so the connection has to end."""
    problem = problem_of(TooLarge("The body", limit))
    return Problem(
        problem.status, problem.code, problem.detail, ((b"connection", b"close"),), members=problem.members
    )


def _refused_type(given: bytes | None, types: tuple[str, ...]) -> Problem | None:
    if given == b"application/json" and JSON in types:
        return None
    media_type, _, parameters = (given or b"").decode("latin-1").lower().partition(";")
    if media_type.strip() not in types:
        return unsupported_media_type(*types)
    for parameter in parameters.split(";"):
        name, _, value = parameter.strip().partition("=")
        if name == "charset" and value.strip('"') not in {"utf-8", "utf8"}:
            return WRONG_CHARSET
    return None


def _declared(content_length: bytes | None) -> int:
    return int(content_length) if content_length is not None and content_length.isdigit() else 0


class BodyTooLargeError(HTTPException):
    """Raised out of `receive` when a body grows beyond the limit; FastAPI passes its own kind of exception on."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        super().__init__(413, f"The body is larger than {limit} bytes.", headers={"Connection": "close"})


class BodyLimit:
    """ASGI middleware that lets no route of the app read a larger body than *limit* bytes."""

    def __init__(self, app: ASGIApp, limit: int) -> None:
        self._app = app
        self._limit = limit

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer 413 at once to a declared length beyond the limit, and later to a real one."""
        if scope["type"] != "http" or not _has_body(scope):
            await self._app(scope, receive, send)
            return
        exchange = Exchange(scope, receive, send)
        if _declared(exchange.headers.get(b"content-length")) > self._limit:
            await exchange.refuse(too_large(self._limit))
            return
        await self._counted(exchange, receive, send)

    async def _counted(self, exchange: Exchange, receive: Receive, send: Send) -> None:
        size = 0
        started = False

        async def counting() -> Message:
            nonlocal size
            message = await receive()
            size += len(message.get("body", b""))
            if size > self._limit:
                raise BodyTooLargeError(self._limit)
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
