"""One request and its answer: what an endpoint holds instead of a framework's objects."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final, TypeVar

from starlette.types import Receive, Scope, Send

from fastapi_easy.domain import Error, Failure, Outcome
from fastapi_easy.interfaces.http.correlation import HEADER, correlation_id_of
from fastapi_easy.interfaces.http.problems import PROBLEM_JSON, Problem, problem_of, render

T = TypeVar("T")

_JSON: Final = (b"content-type", b"application/json")

REVALIDATE: Final = (b"cache-control", b"private, no-cache")
"""Kept by the caller alone, and asked about each time, so that an ETag saves the body and nothing grows old."""

_NO_STORE: Final = (b"cache-control", b"no-store")


class Exchange:
    """One request and the way to answer it.

    Attributes:
        scope: The ASGI scope.

        receive: The ASGI way to the body.

        headers: Request headers by lower-case name; repeated ones joined by commas.

        correlation_id: The caller's, or a fresh one.

        started: The answer is on its way.
    """

    __slots__ = ("_send", "correlation_id", "headers", "receive", "scope", "started")

    def __init__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.scope = scope
        self.receive = receive
        self._send = send
        self.headers = header_map(scope["headers"])
        self.correlation_id = correlation_id_of(scope, self.headers)
        self.started = False

    async def answer(self, answer: "Answer") -> None:
        """Send *answer*."""
        headers = [*answer.headers, (HEADER, self.correlation_id.encode("ascii"))]
        if answer.body is not None:
            headers.append((b"content-length", b"%d" % len(answer.body)))
        self.started = True
        await self._send({"type": "http.response.start", "status": answer.status, "headers": headers})
        body = b"" if answer.body is None or self.scope["method"] == "HEAD" else answer.body
        await self._send({"type": "http.response.body", "body": body})

    async def refuse(self, problem: Problem) -> None:
        """Tell of *problem*."""
        body = render(problem, self.scope["path"], self.correlation_id)
        headers = ((b"content-type", PROBLEM_JSON), _NO_STORE, *problem.headers)
        await self.answer(Answer(problem.status, body, headers))


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
