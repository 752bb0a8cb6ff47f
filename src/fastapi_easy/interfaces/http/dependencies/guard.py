"""Runs FastAPI dependencies before an endpoint of a resource, in the way of FastAPI's own routes."""

from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from fastapi import FastAPI
from fastapi.dependencies.models import Dependant
from fastapi.dependencies.utils import get_flat_params
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
from fastapi_easy.interfaces.http.dependencies.replayable_body import KeptBody
from fastapi_easy.interfaces.http.exchange import Answer, Exchange, Refused, Stream
from fastapi_easy.interfaces.http.http_resource import Endpoint
from fastapi_easy.interfaces.http.options import HttpOptions
from fastapi_easy.interfaces.http.requests.decode import UNREAD

_ASKED: Final = "fastapi_easy.asked"
_WORDS: Final = RESERVED_FIELDS | AGGREGATION | {"as", "from_line", "max_failures", "upsert"}
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

        endpoint = _answer if principal is None else _answering_as(principal)
        routes = {
            keyed: APIRoute(
                "/{key}" if keyed else "/",
                endpoint,
                dependencies=dependencies,
                response_model=None,
                dependency_overrides_provider=app,
            )
            for keyed in (False, True)
        }
        self._apps = {keyed: with_stacks(route) for keyed, route in routes.items()}
        self._parameters = frozenset(_query_names(routes[False].dependant))

    def around(self, endpoint: Endpoint, resource: Resource[Any], *, keyed: bool) -> Endpoint:
        """Let the dependencies run before *endpoint*.

        Args:
            endpoint: What answers in the end.

            resource: Whom it is about. Query parameters that mean nothing to it are for the dependencies alone.

            keyed: The path has a key, which dependencies may ask for as `key`.
        """
        app, options = self._apps[keyed], self._options
        known = {*_WORDS, *resource.fields, *resource.relations}
        unread = frozenset(name for name in self._parameters if _first_word(name) not in known)

        async def guarded(exchange: Exchange, segment: bytes) -> None:
            scope, outward = exchange.scope, exchange.send
            body = KeptBody(exchange.receive, options)
            exchange.receive = body.replay
            asked = scope[_ASKED] = _Asked(exchange, endpoint, segment)
            if unread:
                scope[UNREAD] = unread

            async def send(message: Message) -> None:
                exchange.started = True
                await outward(message)

            try:
                await app(scope, body.receive, send)
            finally:
                if isinstance(asked.answer, Stream):
                    await asked.answer.rest.aclose()

        return guarded


@dataclass(slots=True)
class _Asked:
    """A request on its way through FastAPI."""

    exchange: Exchange
    endpoint: Endpoint
    segment: bytes
    answer: Answer | Stream | None = None


async def _answer(request: Request, response: Response) -> Response:
    """Let the endpoint answer. FastAPI calls this once all dependencies have run."""
    asked: _Asked = request.scope[_ASKED]
    try:
        answer = await asked.endpoint(asked.exchange, asked.segment)
    except Refused as refusal:
        answer = asked.exchange.refusal(refusal.problem)
    else:
        added = tuple(response.headers.raw)
        if answer is not None and added:
            answer = replace(answer, headers=(*answer.headers, *added))
    asked.answer = answer
    return _Reply(asked.exchange, answer)


def _answering_as(principal: Depends) -> Callable[..., Awaitable[Response]]:
    """Return what lets the endpoint answer the caller whom *principal* knows."""

    async def answer(request: Request, response: Response, caller: Any = principal) -> Response:
        asked: _Asked = request.scope[_ASKED]
        asked.exchange.principal = principal_from(caller, principal)
        return await _answer(request, response)

    return answer


class _Reply(Response):
    """An answer of ours as FastAPI sends it: before dependencies with `yield` go on, and before background tasks."""

    def __init__(self, exchange: Exchange, answer: Answer | Stream | None) -> None:
        self._exchange = exchange
        self._answer = answer
        self.background = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send it."""
        self._exchange.send = send
        if isinstance(self._answer, Stream):
            await self._exchange.stream(self._answer)
        elif self._answer is not None:
            await self._exchange.answer(self._answer)
        if self.background is not None:
            await self.background()


def _first_word(parameter: str) -> str:
    """Return what a parameter of a query is about: `price` in `price__gte`, `author` in `author.name`."""
    return parameter.partition("__")[0].partition(".")[0]


def _query_names(dependant: Dependant) -> Iterator[str]:
    """The names in a query string that *dependant* reads."""
    for field in get_flat_params(dependant):
        info: Any = field.field_info
        if info.in_ is ParamTypes.query:
            choices = getattr(info.validation_alias, "choices", ())
            yield from (field.alias, *(each for each in choices if isinstance(each, str)))
    yield from _key_names(dependant)


def _key_names(dependant: Dependant) -> Iterator[str]:
    """The names of the API keys in a query string that *dependant* reads."""
    for each in dependant.dependencies:
        if isinstance(each.call, APIKeyQuery):
            yield each.call.model.name
        yield from _key_names(each)
