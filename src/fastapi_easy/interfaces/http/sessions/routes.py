"""The routes of sessions: log in, who has logged in, log out."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final

import orjson
from fastapi import FastAPI, Request
from returns.result import Failure
from starlette.responses import Response

from fastapi_easy.application.authentication.sessions.log_in import LogIn
from fastapi_easy.application.authentication.sessions.log_out import LogOut
from fastapi_easy.application.authentication.sessions.session_use_cases import SessionUseCases
from fastapi_easy.application.context import Context
from fastapi_easy.domain import Fault, Invalid
from fastapi_easy.domain.authentication.session import Session
from fastapi_easy.domain.errors import Unauthenticated
from fastapi_easy.domain.ports import CredentialPlace
from fastapi_easy.domain.values.json import join_pointer
from fastapi_easy.interfaces.http.authentication.cookie_guard import cookies_of, cookies_with
from fastapi_easy.interfaces.http.authentication.cookies import Header
from fastapi_easy.interfaces.http.authentication.credentials import find_credentials
from fastapi_easy.interfaces.http.authentication.csrf import OriginRule, origin_rule, token_in
from fastapi_easy.interfaces.http.exchange import Exchange, ProblemError, problem_error
from fastapi_easy.interfaces.http.options import HttpOptions
from fastapi_easy.interfaces.http.request_problems import NO_CSRF_TOKEN, OTHER_SITE
from fastapi_easy.interfaces.http.requests.body import JSON, ClientDisconnected, read_document
from fastapi_easy.interfaces.http.sessions.route_documents import ANSWERS, LOG_IN_BODY
from fastapi_easy.interfaces.http.unhandled_exceptions import starlette_problem_response

_MEMBERS: Final = ("username", "password")

Answer = Callable[[Exchange], Awaitable[Response]]


class SessionRoutes:
    """Answers the requests of the routes.

    Args:
        use_cases: The sessions of the application.

        options: How bodies are read.

        origins: Which pages may make a browser send requests.
    """

    def __init__(self, use_cases: SessionUseCases, options: HttpOptions, origins: OriginRule) -> None:
        self._use_cases = use_cases
        self._options = options
        self._origins = origins
        self._cookies = cookies_of(use_cases)

    async def log_in(self, exchange: Exchange) -> Response:
        """Open a session, whatever session the browser had."""
        # Nobody shall be logged in as somebody else unawares.
        if not self._origins.permits(exchange.headers):
            raise ProblemError(OTHER_SITE)
        command = _read_command(await read_document(exchange, self._options, JSON))
        opened = await self._use_cases.log_in(command, _context_of(exchange))
        if isinstance(opened, Failure):
            raise problem_error(opened.failure())
        session = opened.unwrap()
        return self._answer(201, session, cookies_with(self._use_cases, session))

    async def show(self, exchange: Exchange) -> Response:
        """Say who has logged in, with the token for requests that change something."""
        session = self._use_cases.renew(await self._find_session(exchange))
        return self._answer(200, session, cookies_with(self._use_cases, session))

    async def log_out(self, exchange: Exchange) -> Response:
        """Close the session, and clear the cookies; also those of a session that is over."""
        if not self._origins.permits(exchange.headers):
            raise ProblemError(OTHER_SITE)
        response = _response(204, None, self._cookies.clear())
        try:
            session = await self._find_session(exchange)
        except ProblemError as error:
            if error.problem.code != Unauthenticated.code:
                raise
            return response
        if not self._use_cases.codec.is_csrf_token(token_in(exchange.headers), session.id):
            raise ProblemError(NO_CSRF_TOKEN)
        closed = await self._use_cases.log_out(LogOut(session), _context_of(exchange))
        if isinstance(closed, Failure):
            raise problem_error(closed.failure())
        return response

    async def _find_session(self, exchange: Exchange) -> Session:
        place = (CredentialPlace.COOKIE, self._cookies.session)
        credentials = find_credentials(exchange.headers, (place,))
        if credentials is None:
            raise problem_error(Unauthenticated("Session"))
        found = await self._use_cases.find_session(credentials.value)
        if isinstance(found, Failure):
            raise problem_error(found.failure())
        return found.unwrap()

    def _answer(self, status: int, session: Session, headers: tuple[Header, ...]) -> Response:
        use_cases = self._use_cases
        body = {
            "principal": {
                "id": session.principal_id,
                "roles": sorted(session.roles),
                "tenant": session.tenant,
            },
            "opened_at": session.opened_at,
            "expires_at": use_cases.rules.expires_at(session),
            "csrf_token": use_cases.codec.csrf_token(session.id),
        }
        return _response(status, orjson.dumps(body, option=orjson.OPT_UTC_Z), headers)


def add_session_routes(app: FastAPI, use_cases: SessionUseCases, options: HttpOptions) -> None:
    """Add the routes of *use_cases* to *app*, and to its documents.

    Args:
        app: Any FastAPI app.

        use_cases: The sessions of the application.

        options: Where resources are, how bodies are read, and which other pages may send requests.
    """
    routes = SessionRoutes(use_cases, options, origin_rule(options.cors))
    path = f"{options.prefix}{use_cases.path}"
    answers: Mapping[str, tuple[str, Answer, dict[str, Any]]] = {
        "POST": ("log_in", routes.log_in, {"requestBody": LOG_IN_BODY}),
        "GET": ("get_session", routes.show, {}),
        "DELETE": ("log_out", routes.log_out, {}),
    }
    for method, (name, answer, document) in answers.items():
        app.add_api_route(
            path,
            _endpoint(answer),
            methods=[method],
            operation_id=name,
            name=name,
            summary=ANSWERS[name].summary,
            status_code=ANSWERS[name].status,
            responses=ANSWERS[name].responses(),
            openapi_extra=document,
            response_class=Response,
            tags=["session"],
        )


def _endpoint(answer: Answer) -> Callable[[Request], Awaitable[Response]]:
    async def endpoint(request: Request) -> Response:
        exchange = Exchange(request.scope, request.receive, _no_send)
        try:
            return await answer(exchange)
        except ProblemError as error:
            return starlette_problem_response(error.problem, request.scope)
        except ClientDisconnected:
            return Response(status_code=400)  # nobody is there to read it

    return endpoint


async def _no_send(_message: object) -> None:
    raise AssertionError("the framework sends the response")


def _context_of(exchange: Exchange) -> Context:
    client = exchange.scope.get("client")
    return Context(correlation_id=exchange.correlation_id, address="" if client is None else str(client[0]))


def _read_command(document: object) -> LogIn:
    if not isinstance(document, dict):
        raise problem_error(Invalid((Fault("", "Must be an object", "object_type"),)))
    faults = [
        Fault(f"/{name}", "Is needed, as text", "string_type")
        for name in _MEMBERS
        if not isinstance(document.get(name), str)
    ]
    faults += [
        Fault(join_pointer("", name), "Is not known here", "extra_forbidden")
        for name in document
        if name not in _MEMBERS
    ]
    if faults:
        raise problem_error(Invalid(tuple(faults)))
    return LogIn(document["username"], document["password"])


def _response(status: int, body: bytes | None, headers: tuple[Header, ...]) -> Response:
    response = Response(body, status, {"cache-control": "no-store"}, "application/json" if body else None)
    response.raw_headers.extend(headers)
    return response
