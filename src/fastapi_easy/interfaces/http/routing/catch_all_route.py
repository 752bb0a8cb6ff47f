"""The entry of all resources among the app's own routes, for middleware that names requests by looking there."""

from collections.abc import Callable
from contextvars import ContextVar
from typing import Final, TypeAlias

from starlette.datastructures import URLPath
from starlette.routing import BaseRoute, Match, NoMatchFound
from starlette.types import ASGIApp, Receive, Scope, Send

from fastapi_easy.interfaces.http.routing.resource_route import ResourceRoute

Found: TypeAlias = tuple[Match, ResourceRoute | None, bytes]
"""The match (partial when only the method is wrong), the route, and the path segment after the resource."""

_NO_MATCH: Final[tuple[Match, Scope]] = (Match.NONE, {})

_MATCHED: Final[ContextVar[ResourceRoute]] = ContextVar("fastapi_easy.matched")


class CatchAllRoute(BaseRoute):
    """One route for every operation of every resource.

    OpenTelemetry, Prometheus and Sentry name a request by the first of `app.routes` that matches it: they call
    `matches`, and then read `path`. The path is that of the last match in the same task. The app's own router never
    comes here with a request of a resource, which is answered before.

    Args:
        find: Returns the route of a scope, and whether its method is the right one.

        answer: The dispatcher.

        pass_through_mark: The key in the scope of a request that no resource answers.
    """

    def __init__(self, find: Callable[[Scope], Found], answer: ASGIApp, pass_through_mark: str) -> None:
        self._find = find
        self._answer = answer
        self._pass_through_mark = pass_through_mark

    @property
    def path(self) -> str:
        """The template of the last match."""
        try:
            return _MATCHED.get().path
        except LookupError:
            raise AttributeError("no request has matched yet: each operation has a path of its own") from None

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """Return whether a resource answers *scope*, and which endpoint of it."""
        if scope.get(self._pass_through_mark):
            return _NO_MATCH
        match, route, segment = self._find(scope)
        if route is None:
            return _NO_MATCH
        _ = _MATCHED.set(route)
        params = {**scope.get("path_params", {}), **route.path_params(segment)}
        return match, {"endpoint": route.endpoint, "path_params": params}

    def url_path_for(self, name: str, /, **path_params: object) -> URLPath:
        """Raise, because no path is known by name.

        Raises:
            NoMatchFound: Always.
        """
        raise NoMatchFound(name, path_params)

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer *scope*, which has matched."""
        await self._answer(scope, receive, send)
