"""Exceptions → problems, for the app's own routes: a client never gets a traceback.

Exceptions of resources do not come here: `dispatch` answers for them.
"""

import logging
import re
from functools import reduce
from http import HTTPStatus
from typing import Any, Final

from fastapi import FastAPI
from fastapi.encoders import jsonable_encoder
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from fastapi_easy.domain import Fault, Invalid
from fastapi_easy.domain.values.json import join_pointer
from fastapi_easy.interfaces.http.problems import Problem, problem_of, render
from fastapi_easy.interfaces.http.request_problems import INTERNAL_ERROR, malformed_body
from fastapi_easy.interfaces.http.requests.body import BodyTooLargeError, too_large
from fastapi_easy.interfaces.http.scopes.correlation import correlation_id_of
from fastapi_easy.interfaces.http.scopes.public_paths import public_path, root_of

_logger: Final = logging.getLogger("fastapi_easy.http")
_SOURCES: Final = {"body": "body", "query": "query", "path": "path", "header": "header", "cookie": "header"}
_CODES: Final = {
    400: "bad_request",
    401: "unauthenticated",
    403: "forbidden",
    404: "not_found",
    405: "method_not_allowed",
    413: "too_large",
    415: "unsupported_media_type",
    422: "invalid",
    429: "rate_limited",
    503: "unavailable",
    504: "deadline_exceeded",
}


class HttpProblem(HTTPException):
    """Raised in an application's own routes for a problem whose code is not that of its status.

    Attributes:
        problem: The problem.
    """

    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        super().__init__(problem.status, problem.detail)


class UnhandledExceptionMiddleware:
    """ASGI middleware that logs an unhandled exception and answers 500 without detail."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on; answer 500 when an exception comes back."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = False

        async def tracking_send(message: Message) -> None:
            nonlocal started
            started = True
            await send(message)

        try:
            await self._app(scope, receive, tracking_send)
        except Exception:
            if started:
                # Half an answer cannot be taken back; the server cuts the connection.
                raise
            _logger.exception("unhandled exception, correlation id %s", correlation_id_of(scope))
            await starlette_problem_response(INTERNAL_ERROR, scope)(scope, receive, send)


def add_problem_handlers(app: FastAPI) -> None:
    """Add handlers that answer exceptions of *app*'s own routes as problems, unless it has handlers already."""
    handlers: dict[type[Exception], Any] = {
        HTTPException: _http_exception,
        RequestValidationError: _validation_error,
    }
    for kind, handler in handlers.items():
        # FastAPI fills these two in by itself.
        given = app.exception_handlers.get(kind)
        if given is None or given.__module__ == "fastapi.exception_handlers":
            app.add_exception_handler(kind, handler)


def starlette_problem_response(problem: Problem, scope: Scope) -> Response:
    """Return *problem* as a Starlette response."""
    body = render(problem, public_path(scope), correlation_id_of(scope), root_of(scope))
    response = Response(body, problem.status)
    response.headers["content-type"] = "application/problem+json"
    response.headers["cache-control"] = "no-store"
    for name, value in problem.headers:
        response.headers[name.decode("latin-1")] = value.decode("latin-1")
    return response


async def _http_exception(request: Request, error: HTTPException) -> Response:
    if isinstance(error, BodyTooLargeError):
        return starlette_problem_response(too_large(error.limit), request.scope)
    if isinstance(error, HttpProblem):
        return starlette_problem_response(error.problem, request.scope)
    if error.status_code < HTTPStatus.BAD_REQUEST:
        return Response(None, error.status_code, error.headers)
    code = _CODES.get(error.status_code) or _snake(HTTPStatus(error.status_code).phrase)
    headers = tuple(
        (name.lower().encode("latin-1"), value.encode("latin-1"))
        for name, value in (error.headers or {}).items()
    )
    if isinstance(error.detail, str):
        return starlette_problem_response(
            Problem(error.status_code, code, error.detail, headers), request.scope
        )
    members = {"context": jsonable_encoder(error.detail)}
    problem = Problem(error.status_code, code, HTTPStatus(error.status_code).phrase, headers, members=members)
    return starlette_problem_response(problem, request.scope)


async def _validation_error(request: Request, error: RequestValidationError) -> Response:
    details = error.errors()
    if any(each["type"] == "json_invalid" for each in details):
        return starlette_problem_response(
            malformed_body("The body is not valid JSON: It cannot be parsed."), request.scope
        )
    faults = tuple(_fault(*each["loc"], message=each["msg"], code=each["type"]) for each in details)
    return starlette_problem_response(problem_of(Invalid(faults)), request.scope)


def _fault(source: str | int = "body", *location: str | int, message: str, code: str) -> Fault:
    return Fault(reduce(join_pointer, location, ""), message, code, _SOURCES.get(str(source), "body"))


def _snake(phrase: str) -> str:
    return re.sub(r"[^a-z]+", "_", phrase.lower()).strip("_")
