"""One dictionary step from the first path segment to the resource; then its table of methods.

Stands in front of the app's own router (ADR 10). What it does not know falls through: the app's own routes, `/docs`,
404.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any
from urllib.parse import quote

from fastapi import FastAPI
from fastapi.routing import iter_route_contexts
from starlette.routing import BaseRoute, Match
from starlette.types import ASGIApp, Receive, Scope, Send

from fastapi_easy.interfaces.http.exchange import Answer, Exchange, Refused, Stream
from fastapi_easy.interfaces.http.request_problems import NO_SUCH_PATH, method_not_allowed
from fastapi_easy.interfaces.http.requests.body import Gone
from fastapi_easy.interfaces.http.routing.catch_all_route import Found, ListedResources
from fastapi_easy.interfaces.http.routing.exception_handlers import answer_exception
from fastapi_easy.interfaces.http.routing.paths import Methods, Paths


class Dispatch:
    """Answers what belongs to a resource, and passes on the rest.

    Args:
        app: The app whose routes come first where they share a resource's path.

        paths: Makes the table, by first path segment below *prefix*. Called once, at the first request.

        prefix: The path before every resource.
    """

    _inner: ASGIApp

    def __init__(self, app: FastAPI, paths: Callable[[], Mapping[bytes, Paths]], prefix: str = "") -> None:
        self._app = app
        self._make_paths = paths
        self._prefix = prefix.encode("ascii")
        self._passed = f"fastapi_easy.passed.{id(self)}"
        self._table: Mapping[bytes, Paths] | None = None
        self._own: dict[bytes, list[BaseRoute]] = {}
        self._counted = -1

    @property
    def listed(self) -> ListedResources:
        """What stands for the resources among the app's own routes."""
        return ListedResources(self.find, self, self._passed)

    def in_front_of(self, inner: ASGIApp) -> "Dispatch":
        """Pass on to *inner*, the app's own router, what belongs to no resource."""
        self._inner = inner
        return self

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Find the endpoint and let it answer."""
        if scope["type"] != "http":
            await self._inner(scope, receive, send)
            return
        table = self._table
        if table is None:
            table = self._table = self._make_paths()
        parts = self._segments(scope)
        paths = table.get(parts[1]) if len(parts) > 1 else None
        if paths is None or self._is_own(parts[1], scope):
            scope[self._passed] = True
            await self._inner(scope, receive, send)
            return
        await self._answer(paths, parts, Exchange(scope, receive, send))

    def find(self, scope: Scope) -> Found:
        """Return what answers *scope*, for whoever wants to name it."""
        if scope["type"] != "http":
            return Match.NONE, None, b""
        if self._table is None:
            self._table = self._make_paths()
        parts = self._segments(scope)
        paths = self._table.get(parts[1]) if len(parts) > 1 else None
        methods = None if paths is None or self._is_own(parts[1], scope) else paths.find(parts)
        if methods is None:
            return Match.NONE, None, b""
        route = methods.routes.get(scope["method"])
        return Match.PARTIAL if route is None else Match.FULL, route or methods.any(), b"".join(parts[2:3])

    def _segments(self, scope: Scope) -> Sequence[bytes]:
        raw: bytes = scope.get("raw_path") or quote(scope["path"]).encode("ascii")
        root: str = scope.get("root_path", "")
        if root:
            mounted = quote(root).encode("ascii")
            if raw.startswith(mounted + b"/"):
                raw = raw[len(mounted) :]
        if self._prefix:
            if not raw.startswith(self._prefix + b"/"):
                return ()
            raw = raw[len(self._prefix) :]
        return raw.split(b"/")

    def _is_own(self, segment: bytes, scope: Scope) -> bool:
        routes = self._app.router.routes
        if len(routes) != self._counted:
            self._own = _own_routes(routes, self._prefix.decode("ascii"), self._table or {})
            self._counted = len(routes)
        own = self._own.get(segment)
        return own is not None and any(route.matches(scope)[0] is Match.FULL for route in own)

    async def _answer(self, paths: Paths, parts: Sequence[bytes], exchange: Exchange) -> None:
        methods = paths.find(parts)
        if methods is None:
            await self._answer_elsewhere(paths, parts, exchange)
            return
        segment = parts[2] if len(parts) > 2 else b""  # noqa: PLR2004 (/books/{key})
        route = methods.routes.get(exchange.scope["method"])
        if route is None:
            await self._answer_without(methods, segment, exchange)
            return
        route.enter(exchange.scope, segment)
        try:
            answer = await route.answer(exchange, segment)
        except Refused as refusal:
            await exchange.refuse(refusal.problem)
        except Gone:
            return
        except Exception as error:
            if exchange.started:
                # Half an answer cannot be taken back; the server cuts the connection.
                raise
            await answer_exception(self._app, exchange, error)
        else:
            await (exchange.answer(answer) if isinstance(answer, Answer) else _finish(exchange, answer))

    @staticmethod
    async def _answer_without(methods: Methods, segment: bytes, exchange: Exchange) -> None:
        other = methods.any()
        if other is not None:
            other.enter(exchange.scope, segment)
        if exchange.scope["method"] == "OPTIONS":
            await exchange.answer(Answer(204, headers=((b"allow", methods.allow),)))
        else:
            await exchange.refuse(method_not_allowed(methods.allow))

    @staticmethod
    async def _answer_elsewhere(paths: Paths, parts: Sequence[bytes], exchange: Exchange) -> None:
        if not parts[-1] and paths.find(parts[:-1]) is not None:
            path: bytes = exchange.scope.get("raw_path") or quote(exchange.scope["path"]).encode("ascii")
            query: bytes = exchange.scope["query_string"]
            # A path alone: the host is the client's business, and cannot be forged.
            target = path.rstrip(b"/") + (b"?" + query if query else b"")
            await exchange.answer(Answer(307, b"", ((b"location", b"/" + target.lstrip(b"/")),)))
            return
        await exchange.refuse(NO_SUCH_PATH)


async def _finish(exchange: Exchange, answer: Stream | None) -> None:
    """Send *answer*, unless the endpoint has sent it itself."""
    if answer is not None:
        await exchange.stream(answer)


def _own_routes(
    routes: Sequence[BaseRoute], prefix: str, table: Mapping[bytes, Any]
) -> dict[bytes, list[BaseRoute]]:
    """The app's own routes that lie literally below a resource's path; a catch-all is none of them."""
    own: dict[bytes, list[BaseRoute]] = {}
    for route in routes:
        if isinstance(route, ListedResources):
            continue
        for segment in {_first_segment(path, prefix) for path in _route_paths(route)}:
            if segment in table:
                own.setdefault(segment, []).append(route)
    return own


def _route_paths(route: BaseRoute) -> list[str]:
    return [
        path for each in iter_route_contexts([route]) if isinstance(path := getattr(each, "path", None), str)
    ]


def _first_segment(path: str, prefix: str) -> bytes:
    if not path.startswith(prefix + "/"):
        return b""
    return path[len(prefix) + 1 :].split("/", 1)[0].encode("utf-8")
