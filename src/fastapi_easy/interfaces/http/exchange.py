"""One request and its response: what endpoints get in place of a framework's objects."""

import asyncio
import logging
import math
from collections.abc import AsyncGenerator, Coroutine, Iterable
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any, Final, TypeVar

from starlette.types import Receive, Scope, Send

from fastapi_easy.application import Replay
from fastapi_easy.domain import ANONYMOUS, Error, Failure, Outcome
from fastapi_easy.domain.ports.repository import StreamBroken
from fastapi_easy.domain.rates.rate import RateUsage
from fastapi_easy.domain.value_object import value_object
from fastapi_easy.interfaces.http.default_headers import HeaderCompletion, default_headers_of
from fastapi_easy.interfaces.http.problems import PROBLEM_JSON, Problem, problem_of, render
from fastapi_easy.interfaces.http.scopes.correlation import HEADER, correlation_id_of
from fastapi_easy.interfaces.http.scopes.public_paths import public_path, root_of

T = TypeVar("T")

_logger: Final = logging.getLogger("fastapi_easy.http")

_JSON: Final = (b"content-type", b"application/json")

REVALIDATE: Final = (b"cache-control", b"private, no-cache")
"""For a private cache that revalidates each time: an ETag saves the body, and nothing becomes outdated."""

_REPLAYED: Final = (b"idempotent-replayed", b"true")

_NO_STORE: Final = (b"cache-control", b"no-store")


class Exchange:
    """One request and the way to respond to it.

    Attributes:
        scope: The ASGI scope.

        receive: The ASGI way to the body.

        send: The ASGI way to the caller.

        headers: Request headers by lower-case name; repeated ones joined by commas.

        correlation_id: The caller's, or a fresh one.

        principal: The caller; `ANONYMOUS` until a dependency says who it is.

        replay: The record of whether the answer is that of an earlier call; `None` without an idempotency key.

        rate: The record of what rate limits leave to the caller; `None` where there are none.

        started: The response has begun, and cannot be replaced any more.
    """

    __slots__ = (
        "correlation_id",
        "headers",
        "principal",
        "rate",
        "receive",
        "replay",
        "scope",
        "send",
        "started",
    )

    def __init__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.scope = scope
        self.receive = receive
        self.send = send
        headers = scope["headers"]
        by_name: dict[bytes, bytes] = dict(headers)
        # Only a request that repeats a header pays for a loop in Python.
        self.headers = by_name if len(by_name) == len(headers) else header_map(headers)
        self.correlation_id = correlation_id_of(scope, self.headers)
        self.principal = ANONYMOUS
        self.replay: Replay | None = None
        self.rate: RateUsage | None = None
        self.started = False

    @property
    def root(self) -> str:
        """The path at which callers see the app; mostly empty."""
        return root_of(self.scope)

    async def respond(self, response: "HttpResponse") -> None:
        """Send *response*."""
        body, scope = response.body, self.scope
        send: Send = self.send
        headers = [*response.headers, *default_headers_of(scope)]
        if body is not None:
            headers.append((b"content-length", b"%d" % len(body)))
        if type(send) is HeaderCompletion:
            send = send.send  # complete already
        if self.replay is not None and self.replay.is_replayed:
            headers.append(_REPLAYED)
        if self.rate is not None:
            headers += _rate_headers(self.rate)
        headers.append((HEADER, self.correlation_id.encode("ascii")))
        self.started = True
        await send({"type": "http.response.start", "status": response.status, "headers": headers})
        if body is None or scope["method"] == "HEAD":
            body = b""
        await send({"type": "http.response.body", "body": body})

    async def stream(self, stream: "StreamedResponse") -> None:
        """Send *stream*, no faster than the caller reads it; stop when the caller disconnects.

        Raises:
            StreamBroken, TimeoutError: It could not be sent to its end. The server then cuts the connection, so that
                nobody takes half of it for the whole.
        """
        headers = [*stream.headers, (HEADER, self.correlation_id.encode("ascii"))]
        if self.rate is not None:
            headers += _rate_headers(self.rate)
        async with aclosing(stream.rest):
            self.started = True
            await self.send({"type": "http.response.start", "status": stream.status, "headers": headers})
            if self.scope["method"] == "HEAD":
                await self.send({"type": "http.response.body", "body": b""})
                return
            gone = asyncio.ensure_future(self._wait_for_disconnect())
            try:
                await self._send_all(stream, gone)
            except (StreamBroken, TimeoutError) as error:
                _logger.error(  # noqa: TRY400 (the server logs the traceback)
                    "a response was cut off (%s), correlation id %s",
                    str(error) or "the client did not read it in time",
                    self.correlation_id,
                )
                raise
            finally:
                _ = gone.cancel()
                _ = await asyncio.wait([gone])

    @staticmethod
    async def unless_gone(work: Coroutine[Any, Any, T], gone: asyncio.Future[None]) -> T | None:
        """Return what *work* returns; cancel it, and return `None`, as soon as the caller disconnects.

        Args:
            work: May take long.

            gone: Done when the caller has disconnected.
        """
        task = asyncio.ensure_future(work)
        try:
            _ = await asyncio.wait({task, gone}, return_when=asyncio.FIRST_COMPLETED)
            return task.result() if task.done() else None
        finally:
            _ = task.cancel()
            _ = await asyncio.wait({task})

    async def _send_all(self, stream: "StreamedResponse", gone: asyncio.Future[None]) -> None:
        part: bytes | None = stream.first
        while part is not None:
            async with asyncio.timeout(stream.part_timeout):
                await self.send({"type": "http.response.body", "body": part, "more_body": True})
            # A caller who takes everything at once must not keep others from being answered.
            await asyncio.sleep(0)
            if gone.done():
                return
            if stream.is_slow:
                part = await self.unless_gone(_next_part(stream.rest), gone)
            else:
                part = await anext(stream.rest, None)
        await self.send({"type": "http.response.body", "body": b""})

    async def _wait_for_disconnect(self) -> None:
        """Wait until the caller disconnects."""
        while (await self.receive())["type"] != "http.disconnect":
            pass

    async def send_problem(self, problem: Problem) -> None:
        """Send *problem* as the response."""
        await self.respond(self.problem_response(problem))

    def problem_response(self, problem: Problem) -> "HttpResponse":
        """Return the response with *problem* in its body."""
        body = render(problem, public_path(self.scope), self.correlation_id, self.root)
        headers = ((b"content-type", PROBLEM_JSON), _NO_STORE, *problem.headers)
        return HttpResponse(problem.status, body, headers)


@value_object
class HttpResponse:
    """A whole response.

    Attributes:
        status: The HTTP status.

        body: `None` for none.

        headers: Besides those that every answer has.
    """

    status: int
    body: bytes | None = None
    headers: tuple[tuple[bytes, bytes], ...] = ()


@dataclass(frozen=True, slots=True)
class StreamedResponse:
    """A response that is sent while its body is still being produced.

    Attributes:
        status: The HTTP status.

        first: The beginning of the body.

        rest: The other parts; begun already, and closed whatever happens.

        headers: Besides those that every answer has.

        part_timeout: Seconds the caller may take for one part.

        is_slow: The next part may be long in coming: it is not waited for once the caller has disconnected.
    """

    status: int
    first: bytes
    rest: AsyncGenerator[bytes]
    headers: tuple[tuple[bytes, bytes], ...]
    part_timeout: float
    is_slow: bool = False


async def _next_part(parts: AsyncGenerator[bytes]) -> bytes | None:
    return await anext(parts, None)


def _rate_headers(usage: RateUsage) -> tuple[tuple[bytes, bytes], ...]:
    """Return the headers of *usage*; none for a call that no rule counted."""
    if usage.limit == 0:
        return ()
    return (
        (b"ratelimit-limit", b"%d" % usage.limit),
        (b"ratelimit-remaining", b"%d" % usage.remaining),
        (b"ratelimit-reset", b"%d" % math.ceil(usage.reset)),
    )


def json_response(status: int, body: bytes, *headers: tuple[bytes, bytes]) -> HttpResponse:
    """Return a response whose *body* is JSON."""
    return HttpResponse(status, body, (_JSON, REVALIDATE, *headers))


class ProblemError(Exception):
    """Ends an endpoint with a problem. The dispatcher catches it.

    Attributes:
        problem: The problem to answer with.
    """

    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        super().__init__(problem.code)


def unwrap_or_raise(outcome: Outcome[T]) -> T:
    """Return the value of *outcome*.

    Raises:
        ProblemError: It failed.
    """
    # Not `isinstance`, which for a class of abstract bases is a call of Python for each success.
    if type(outcome) is Failure:
        raise problem_error(outcome.failure())
    return outcome.unwrap()


def problem_error(error: Error) -> ProblemError:
    """Return the exception that ends an endpoint with the problem of *error*."""
    return ProblemError(problem_of(error))


def header_map(raw: Iterable[tuple[bytes, bytes]]) -> dict[bytes, bytes]:
    """Return the headers of a scope by name, the values of repeated ones joined by commas (RFC 9110 5.3)."""
    headers: dict[bytes, bytes] = {}
    for name, value in raw:
        headers[name] = headers[name] + b", " + value if name in headers else value
    return headers
