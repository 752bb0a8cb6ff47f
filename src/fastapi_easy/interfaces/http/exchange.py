"""One request and its answer: what an endpoint holds instead of a framework's objects."""

import asyncio
import logging
from collections.abc import AsyncGenerator, Iterable
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any, Final, TypeVar

from starlette.types import Receive, Scope, Send

from fastapi_easy.domain import ANONYMOUS, Error, Failure, Outcome
from fastapi_easy.domain.ports.repository import StreamBroken
from fastapi_easy.interfaces.http.correlation import HEADER, correlation_id_of
from fastapi_easy.interfaces.http.default_headers import manners_of
from fastapi_easy.interfaces.http.problems import PROBLEM_JSON, Problem, problem_of, render

T = TypeVar("T")

_logger: Final = logging.getLogger("fastapi_easy.http")

_JSON: Final = (b"content-type", b"application/json")

REVALIDATE: Final = (b"cache-control", b"private, no-cache")
"""Kept by the caller alone, and asked about each time, so that an ETag saves the body and nothing grows old."""

_NO_STORE: Final = (b"cache-control", b"no-store")


class Exchange:
    """One request and the way to answer it.

    Attributes:
        scope: The ASGI scope.

        receive: The ASGI way to the body.

        send: The ASGI way to the caller.

        headers: Request headers by lower-case name; repeated ones joined by commas.

        correlation_id: The caller's, or a fresh one.

        principal: The caller, where the application says how to find out.

        started: The answer is on its way.
    """

    __slots__ = ("correlation_id", "headers", "principal", "receive", "scope", "send", "started")

    def __init__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.scope = scope
        self.receive = receive
        self.send = send
        self.headers = header_map(scope["headers"])
        self.correlation_id = correlation_id_of(scope, self.headers)
        self.principal = ANONYMOUS
        self.started = False

    async def answer(self, answer: "Answer") -> None:
        """Send *answer*."""
        body = answer.body
        headers = [*answer.headers, *manners_of(self.scope)]
        if body is not None:
            headers.append((b"content-length", b"%d" % len(body)))
        headers.append((HEADER, self.correlation_id.encode("ascii")))
        self.started = True
        await self.send({"type": "http.response.start", "status": answer.status, "headers": headers})
        if body is None or self.scope["method"] == "HEAD":
            body = b""
        await self.send({"type": "http.response.body", "body": body})

    async def stream(self, stream: "Stream") -> None:
        """Send *stream*, no faster than the caller takes it; stop when the caller is gone.

        Raises:
            StreamBroken, TimeoutError: It could not be sent to its end. Raised, so that the server cuts the
                connection and nobody takes half for the whole.
        """
        headers = [*stream.headers, (HEADER, self.correlation_id.encode("ascii"))]
        async with aclosing(stream.rest):
            self.started = True
            await self.send({"type": "http.response.start", "status": stream.status, "headers": headers})
            if self.scope["method"] == "HEAD":
                await self.send({"type": "http.response.body", "body": b""})
                return
            gone = asyncio.ensure_future(self._gone())
            try:
                await self._send_all(stream, gone)
            except (StreamBroken, TimeoutError) as error:
                _logger.error(  # noqa: TRY400 (the server logs the traceback)
                    "an answer broke off (%s), correlation id %s",
                    str(error) or "not taken in time",
                    self.correlation_id,
                )
                raise
            finally:
                _ = gone.cancel()
                _ = await asyncio.wait([gone])

    async def _send_all(self, stream: "Stream", gone: asyncio.Future[None]) -> None:
        part: bytes | None = stream.first
        while part is not None:
            async with asyncio.timeout(stream.patience):
                await self.send({"type": "http.response.body", "body": part, "more_body": True})
            # A caller who takes everything at once must not keep others from being answered.
            await asyncio.sleep(0)
            if gone.done():
                return
            part = await anext(stream.rest, None)
        await self.send({"type": "http.response.body", "body": b""})

    async def _gone(self) -> None:
        """Return when the caller has hung up."""
        while (await self.receive())["type"] != "http.disconnect":
            pass

    async def refuse(self, problem: Problem) -> None:
        """Tell of *problem*."""
        await self.answer(self.refusal(problem))

    def refusal(self, problem: Problem) -> "Answer":
        """Return the answer that tells of *problem*."""
        body = render(problem, self.scope["path"], self.correlation_id)
        headers = ((b"content-type", PROBLEM_JSON), _NO_STORE, *problem.headers)
        return Answer(problem.status, body, headers)


@dataclass(frozen=True, slots=True)
class Answer:
    """What is sent back.

    Attributes:
        status: The HTTP status.

        body: `None` for none.

        headers: Besides those that every answer has.
    """

    status: int
    body: bytes | None = None
    headers: tuple[tuple[bytes, bytes], ...] = ()


@dataclass(frozen=True, slots=True)
class Stream:
    """What is sent back while it is still being made.

    Attributes:
        status: The HTTP status.

        first: The beginning of the body.

        rest: What follows; begun already, and closed whatever happens.

        headers: Besides those that every answer has.

        patience: Seconds the caller may take for one part.
    """

    status: int
    first: bytes
    rest: AsyncGenerator[bytes]
    headers: tuple[tuple[bytes, bytes], ...]
    patience: float


def json_answer(status: int, body: bytes, *headers: tuple[bytes, bytes]) -> Answer:
    """An answer whose *body* is JSON."""
    return Answer(status, body, (_JSON, REVALIDATE, *headers))


class Refused(Exception):
    """Ends an endpoint with a problem. Never leaves the dispatcher.

    Attributes:
        problem: Why.
    """

    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        super().__init__(problem.code)


def granted(outcome: Outcome[T]) -> T:
    """What *outcome* succeeded with.

    Raises:
        Refused: It failed.
    """
    if isinstance(outcome, Failure):
        raise refused(outcome.failure())
    return outcome.unwrap()


def refused(error: Error) -> Refused:
    """The refusal that tells of *error*."""
    return Refused(problem_of(error))


def header_map(raw: Iterable[tuple[bytes, bytes]]) -> dict[bytes, bytes]:
    """The headers of a scope by name; the values of repeated ones joined by commas, as RFC 9110 5.3 says."""
    pairs: Any = raw if isinstance(raw, list) else list(raw)
    headers: dict[bytes, bytes] = dict(pairs)
    if len(headers) != len(pairs):
        headers = {}
        for name, value in pairs:
            headers[name] = headers[name] + b", " + value if name in headers else value
    return headers
