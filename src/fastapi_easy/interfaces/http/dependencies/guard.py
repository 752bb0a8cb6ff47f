"""Runs FastAPI dependencies before an endpoint of a resource, in the way of FastAPI's own routes."""

from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from fastapi import FastAPI
from fastapi.middleware.asyncexitstack import AsyncExitStackMiddleware
from fastapi.params import Depends, ParamTypes
from fastapi.routing import APIRoute
from fastapi.security.api_key import APIKeyQuery
from starlette.middleware.exceptions import ExceptionMiddleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from fastapi_easy.application.queries.aggregation_parser import AGGREGATION
from fastapi_easy.domain import Resource
from fastapi_easy.domain.resources.declaration import RESERVED_FIELDS
from fastapi_easy.interfaces.http.dependencies.principal import principal_from
from fastapi_easy.interfaces.http.dependencies.replayable_body import ReplayableBody
from fastapi_easy.interfaces.http.exchange import Exchange, HttpResponse, ProblemError, StreamedResponse
from fastapi_easy.interfaces.http.fastapi_internals import Dependant, get_flat_params
from fastapi_easy.interfaces.http.http_resource import Endpoint
from fastapi_easy.interfaces.http.options import HttpOptions
from fastapi_easy.interfaces.http.requests.decode import IGNORED_PARAMETERS

_CALL: Final = "fastapi_easy.asked"
_RESERVED_PARAMETERS: Final = (
    RESERVED_FIELDS | AGGREGATION | {"as", "from_line", "max_failures", "upsert", "after", "since"}
)
"""The parameters that resources give a meaning, besides their fields."""


class Guard:
    """Dependencies that run before endpoints.

    Everything that may go wrong in them is answered as for a route of the app's own: by its exception handlers.

    Args:
        app: Its exception handlers and `dependency_overrides` count.

        dependencies: In the order in which they run.

        options: How much of a body they may read.

        principal: Answers who the caller is; runs after the others.
    """

    def __init__(
        self,
        app: FastAPI,
        dependencies: Sequence[Depends],
        options: HttpOptions,
        principal: Depends | None = None,
    ) -> None:
        self._options = options
        handlers = {
            kind: handler
            for kind, handler in app.exception_handlers.items()
            if kind not in {500, Exception}  # as Starlette: those are for what nobody else answers
        }

        def with_stacks(route: APIRoute) -> ASGIApp:
            return ExceptionMiddleware(AsyncExitStackMiddleware(route.app), handlers)

        endpoint = _answer if principal is None else _endpoint_with_principal(principal)
        routes = {
            has_key: APIRoute(
                "/{key}" if has_key else "/",
                endpoint,
                dependencies=dependencies,
                response_model=None,
                dependency_overrides_provider=app,
            )
            for has_key in (False, True)
        }
        self._apps = {has_key: with_stacks(route) for has_key, route in routes.items()}
        self._parameters = frozenset(_query_names(routes[False].dependant))

    def wrap(self, endpoint: Endpoint, resource: Resource[Any], *, has_key: bool) -> Endpoint:
        """Let the dependencies run before *endpoint*.

        Args:
            endpoint: What answers in the end.

            resource: Whom it is about. Query parameters that mean nothing to it are for the dependencies alone.

            has_key: The path has a key, which dependencies may ask for as `key`.
        """
        app, options = self._apps[has_key], self._options
        known = {*_RESERVED_PARAMETERS, *resource.fields, *resource.relations}
        ignored = frozenset(name for name in self._parameters if _field_of(name) not in known)

        async def guarded(exchange: Exchange, segment: bytes) -> None:
            scope, original_send = exchange.scope, exchange.send
            body = ReplayableBody(exchange.receive, options)
            exchange.receive = body.replay
            guarded_call = scope[_CALL] = _GuardedCall(exchange, endpoint, segment)
            if ignored:
                scope[IGNORED_PARAMETERS] = ignored

            async def send(message: Message) -> None:
                exchange.started = True
                await original_send(message)

            try:
                await app(scope, body.receive, send)
            finally:
                if isinstance(guarded_call.answer, StreamedResponse):
                    await guarded_call.answer.rest.aclose()

        return guarded


@dataclass(slots=True)
class _GuardedCall:
    """A request on its way through FastAPI."""

    exchange: Exchange
    endpoint: Endpoint
    segment: bytes
    answer: HttpResponse | StreamedResponse | None = None


async def _answer(request: Request, response: Response) -> Response:
    """Let the endpoint answer. FastAPI calls this once all dependencies have run."""
    guarded_call: _GuardedCall = request.scope[_CALL]
    try:
        answer = await guarded_call.endpoint(guarded_call.exchange, guarded_call.segment)
    except ProblemError as error:
        answer = guarded_call.exchange.problem_response(error.problem)
    else:
        added = tuple(response.headers.raw)
        if answer is not None and added:
            answer = replace(answer, headers=(*answer.headers, *added))
    guarded_call.answer = answer
    return _DirectResponse(guarded_call.exchange, answer)


def _endpoint_with_principal(principal: Depends) -> Callable[..., Awaitable[Response]]:
    """Return what lets the endpoint answer the caller whom *principal* knows."""

    async def answer(request: Request, response: Response, caller: Any = principal) -> Response:
        guarded_call: _GuardedCall = request.scope[_CALL]
        guarded_call.exchange.principal = principal_from(caller, principal)
        return await _answer(request, response)

    return answer


class _DirectResponse(Response):
    """An answer of ours as FastAPI sends it: before dependencies with `yield` go on, and before background tasks."""

    def __init__(self, exchange: Exchange, answer: HttpResponse | StreamedResponse | None) -> None:
        self._exchange = exchange
        self._answer = answer
        self.background = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send it."""
        self._exchange.send = send
        if isinstance(self._answer, StreamedResponse):
            await self._exchange.stream(self._answer)
        elif self._answer is not None:
            await self._exchange.respond(self._answer)
        if self.background is not None:
            await self.background()


def _field_of(parameter: str) -> str:
    """Return what a parameter of a query is about: `price` in `price__gte`, `author` in `author.name`."""
    return parameter.partition("__")[0].partition(".")[0]


def _query_names(dependant: Dependant) -> Iterator[str]:
    """Return the names in a query string that *dependant* reads."""
    for field in get_flat_params(dependant):
        info: Any = field.field_info
        if info.in_ is ParamTypes.query:
            choices = getattr(info.validation_alias, "choices", ())
            yield from (field.alias, *(each for each in choices if isinstance(each, str)))
    yield from _key_names(dependant)


def _key_names(dependant: Dependant) -> Iterator[str]:
    """Return the names of the API keys in a query string that *dependant* reads."""
    for each in dependant.dependencies:
        if isinstance(each.call, APIKeyQuery):
            yield each.call.model.name
        yield from _key_names(each)
