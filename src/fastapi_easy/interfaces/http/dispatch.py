"""The dispatcher: one dictionary lookup from the first path segment to the resource, then its table of methods.

It runs before the app's own router (ADR 10), and passes on what belongs to no resource: the app's own routes, `/docs`,
404.
"""

from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from urllib.parse import quote

from fastapi import FastAPI
from fastapi.routing import iter_route_contexts
from starlette.routing import BaseRoute, Match
from starlette.types import ASGIApp, Receive, Scope, Send

from fastapi_easy.domain.rates.rate import RateUsage
from fastapi_easy.interfaces.http.exchange import Exchange, HttpResponse, ProblemError, StreamedResponse
from fastapi_easy.interfaces.http.feeds.web_socket import as_request
from fastapi_easy.interfaces.http.request_problems import NO_SUCH_PATH, method_not_allowed, too_many_headers
from fastapi_easy.interfaces.http.requests.body import ClientDisconnected
from fastapi_easy.interfaces.http.routing.catch_all_route import CatchAllRoute, Found
from fastapi_easy.interfaces.http.routing.exception_handlers import respond_to_exception
from fastapi_easy.interfaces.http.routing.paths import Methods, Paths
from fastapi_easy.interfaces.http.routing.start_check import StartCheck
from fastapi_easy.interfaces.http.scopes.public_paths import raw_public_path
from fastapi_easy.interfaces.http.shedding.prepared_refusal import send_refusal


class Dispatch:
    """ASGI app that answers requests of resources, and passes on all others.

    Args:
        app: The app whose routes come first where they share a resource's path.

        paths: Returns the paths of each resource by its segment below *prefix*. Called once, at the first request.

        prefix: The path before every resource.

        started: Tells at the first request if the app was never started.

        header_limit: The headers that a request may have.

        tells_rates: There are rate limits, so that responses tell what they leave.
    """

    _inner: ASGIApp

    def __init__(
        self,
        app: FastAPI,
        paths: Callable[[], Mapping[bytes, Paths]],
        prefix: str = "",
        *,
        started: StartCheck,
        tells_rates: bool = False,
        header_limit: int = 100,
    ) -> None:
        self._app = app
        self._make_paths = paths
        self._prefix = prefix.encode("ascii")
        self._started = started
        self._tells_rates = tells_rates
        self._header_limit = header_limit
        self._pass_through_mark = f"fastapi_easy.passed.{id(self)}"
        self._table: Mapping[bytes, Paths] | None = None
        self._app_routes: dict[bytes, list[BaseRoute]] = {}
        self._route_count = -1

    @property
    def catch_all_route(self) -> CatchAllRoute:
        """The entry of all resources among the app's own routes."""
        return CatchAllRoute(self.find, self, self._pass_through_mark)

    def wrap(self, inner: ASGIApp) -> "Dispatch":
        """Return this dispatcher, which passes on to *inner*, the app's own router."""
        self._inner = inner
        return self

    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        """Answer the request by the endpoint of its path and method."""
        # No coroutine of its own, which every request would pay for.
        if scope["type"] != "http":
            return self._answer_other(scope, receive, send)
        table = self._table
        if table is None:
            table = self._table = self._make_paths()
            self._started.check()
        parts = self._segments(scope)
        paths = table.get(parts[1]) if len(parts) > 1 else None
        if paths is None or (
            # As long as no route lies below a resource's path, and none was added, there is nothing to look at.
            (self._app_routes or len(self._app.router.routes) != self._route_count)
            and self._is_app_route(parts[1], scope)
        ):
            scope[self._pass_through_mark] = True
            return self._inner(scope, receive, send)
        if (queue := paths.queue) is not None and queue.waiters and queue.refuses():
            return send_refusal(raw_public_path(scope), scope, send)
        exchange = Exchange(scope, receive, send)
        if len(scope["headers"]) > self._header_limit:
            return exchange.send_problem(too_many_headers(self._header_limit))
        if self._tells_rates:
            exchange.rate = RateUsage()
        return self._answer(paths, parts, exchange)

    async def _answer_other(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "websocket" or not await self._answer_socket(scope, receive, send):
            await self._inner(scope, receive, send)

    async def _answer_socket(self, scope: Scope, receive: Receive, send: Send) -> bool:
        """Serve a WebSocket if an operation of a resource does at its path; return whether it does."""
        if self._table is None:
            self._table = self._make_paths()
        parts = self._segments(scope)
        paths = self._table.get(parts[1]) if len(parts) > 1 else None
        methods = None if paths is None else paths.find(parts)
        route = None if methods is None else methods.routes.get("GET")
        if paths is None or route is None or not route.takes_sockets or self._is_app_route(parts[1], scope):
            return False
        exchange = await as_request(scope, receive, send)
        if len(scope["headers"]) > self._header_limit:
            await exchange.send_problem(too_many_headers(self._header_limit))
        else:
            await self._answer(paths, parts, exchange)
        return True

    def refuses(self, path: bytes) -> bool:
        """Return whether a request for *path*, as it was sent, would be refused in an overload, and count it if so."""
        table, prefix = self._table, self._prefix + b"/"
        if table is None or not path.startswith(prefix):
            return False
        segment = path[len(prefix) :].partition(b"/")[0]
        paths = table.get(segment)
        return (
            paths is not None
            and paths.queue is not None
            and segment not in self._app_routes
            and paths.queue.refuses()
        )

    def find(self, scope: Scope) -> Found:
        """Return the route that answers *scope*, for middleware that names requests."""
        if scope["type"] != "http":
            return Match.NONE, None, b""
        if self._table is None:
            self._table = self._make_paths()
        parts = self._segments(scope)
        paths = self._table.get(parts[1]) if len(parts) > 1 else None
        methods = None if paths is None or self._is_app_route(parts[1], scope) else paths.find(parts)
        if methods is None:
            return Match.NONE, None, b""
        route = methods.routes.get(scope["method"])
        return Match.PARTIAL if route is None else Match.FULL, route or methods.any(), b"".join(parts[2:3])

    def _segments(self, scope: Scope) -> Sequence[bytes]:
        # A key may hold a slash: in `raw_path` it is still `%2F`, while `path` would have one segment more.
        raw: bytes = scope.get("raw_path") or quote(scope["path"]).encode("ascii")
        root: str = scope.get("root_path", "")
        if root:
            # Servers differ in whether the path of the mount is part of the path; Starlette's routes take both.
            mounted = quote(root).encode("ascii")
            if raw.startswith(mounted + b"/"):
                raw = raw[len(mounted) :]
        if self._prefix:
            if not raw.startswith(self._prefix + b"/"):
                return ()
            raw = raw[len(self._prefix) :]
        return raw.split(b"/")

    def _is_app_route(self, segment: bytes, scope: Scope) -> bool:
        routes = self._app.router.routes
        # Routes may be added while the app runs, and nothing tells of it.
        if len(routes) != self._route_count:
            self._app_routes = _app_routes_by_segment(routes, self._prefix.decode("ascii"), self._table or {})
            self._route_count = len(routes)
        app_routes = self._app_routes.get(segment)
        return app_routes is not None and any(route.matches(scope)[0] is Match.FULL for route in app_routes)

    async def _answer(self, paths: Paths, parts: Sequence[bytes], exchange: Exchange) -> None:
        methods = paths.find(parts)
        if methods is None:
            await self._respond_not_found(paths, parts, exchange)
            return
        segment = parts[2] if len(parts) > 2 else b""  # noqa: PLR2004 (/books/{key})
        route = methods.routes.get(exchange.scope["method"])
        if route is None:
            await self._respond_method_not_allowed(methods, segment, exchange)
            return
        route.set_route(exchange.scope, segment)
        try:
            answer = await route.answer(exchange, segment)
        except ProblemError as error:
            await exchange.send_problem(error.problem)
        except ClientDisconnected:
            return  # nobody is there to answer
        except Exception as error:
            if exchange.started:
                # Half an answer cannot be taken back; the server cuts the connection.
                raise
            await respond_to_exception(self._app, exchange, error)
        else:
            await (
                exchange.respond(answer)
                if isinstance(answer, HttpResponse)
                else _send_stream(exchange, answer)
            )

    @staticmethod
    async def _respond_method_not_allowed(methods: Methods, segment: bytes, exchange: Exchange) -> None:
        other = methods.any()
        if other is not None:
            other.set_route(exchange.scope, segment)
        if exchange.scope["method"] == "OPTIONS":
            await exchange.respond(HttpResponse(204, headers=((b"allow", methods.allow),)))
        else:
            await exchange.send_problem(method_not_allowed(methods.allow))

    @staticmethod
    async def _respond_not_found(paths: Paths, parts: Sequence[bytes], exchange: Exchange) -> None:
        if not parts[-1] and paths.find(parts[:-1]) is not None:
            path = raw_public_path(exchange.scope)
            query: bytes = exchange.scope["query_string"]
            # A path alone: the host is the client's business, and cannot be forged.
            target = path.rstrip(b"/") + (b"?" + query if query else b"")
            await exchange.respond(HttpResponse(307, b"", ((b"location", b"/" + target.lstrip(b"/")),)))
            return
        await exchange.send_problem(NO_SUCH_PATH)


async def _send_stream(exchange: Exchange, answer: StreamedResponse | None) -> None:
    """Send *answer*, unless the endpoint has sent it itself."""
    if answer is not None:
        await exchange.stream(answer)


def _app_routes_by_segment(
    routes: Sequence[BaseRoute], prefix: str, segments: Collection[bytes]
) -> dict[bytes, list[BaseRoute]]:
    """Group the app's own routes that lie literally below a resource's path by segment, catch-alls left out."""
    app_routes: dict[bytes, list[BaseRoute]] = {}
    for route in routes:
        if isinstance(route, CatchAllRoute):
            continue
        for segment in {_first_segment(path, prefix) for path in _route_paths(route)}:
            if segment in segments:
                app_routes.setdefault(segment, []).append(route)
    return app_routes


def _route_paths(route: BaseRoute) -> list[str]:
    return [
        path for each in iter_route_contexts([route]) if isinstance(path := getattr(each, "path", None), str)
    ]


def _first_segment(path: str, prefix: str) -> bytes:
    if not path.startswith(prefix + "/"):
        return b""
    return path[len(prefix) + 1 :].split("/", 1)[0].encode("utf-8")
