"""The resources in `app.openapi()` and at its path, from when somebody asks for the document."""

import threading
from collections.abc import Callable, Sequence
from typing import Any, Final

import orjson
from fastapi import FastAPI
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from fastapi_easy.interfaces.http.dependencies.guards import Guards
from fastapi_easy.interfaces.http.http_resource import HttpResource
from fastapi_easy.interfaces.http.openapi.documents import Document

_OPTIONS: Final = orjson.OPT_NON_STR_KEYS


def extend_openapi(
    app: FastAPI, http_resources: Callable[[], Sequence[HttpResource]], guards: Guards
) -> None:
    """Add *http_resources* to what `app.openapi()` returns, where the app has no route of its own in their place.

    The document is made and rendered in a thread, once, so that other requests are answered meanwhile.

    Args:
        app: Any FastAPI app.

        http_resources: Returns its resources.

        guards: The dependencies that run before their operations.
    """
    own_openapi = app.openapi
    cache: list[tuple[Document, object, Document]] = []
    lock = threading.Lock()

    def openapi() -> Document:
        with lock:
            base = own_openapi()
            # What anonymous callers may do is known from the start of the application on.
            public = None if guards.identification is None else guards.identification.public()
            # FastAPI makes a new document when routes were added.
            if not cache or cache[0][0] is not base or cache[0][1] is not public:
                # Imported here, because most workers are never asked for the document: it would cost each a
                # quarter of a megabyte, and every start 30 to 50 milliseconds.
                from fastapi_easy.interfaces.http.openapi.document import add_resources
                from fastapi_easy.interfaces.http.openapi.security import find_own_operations

                document = add_resources(base, http_resources(), guards, find_own_operations(app))
                _ = document.setdefault("servers", [_server(app.root_path)])
                # Nothing is asked of callers, unless an operation says what.
                _ = document.setdefault("security", [])
                cache[:] = [(base, public, document)]
            return cache[0][2]

    app.openapi = openapi  # type: ignore[method-assign]
    if app.openapi_url:
        # Before FastAPI's own, which makes and renders the document between the requests of others.
        route = Route(app.openapi_url, _Rendered(app).respond, include_in_schema=False)
        app.router.routes.insert(0, route)


class _Rendered:
    """The document of *app* as JSON; the last one is kept."""

    def __init__(self, app: FastAPI) -> None:
        self._app = app
        self._last: tuple[Document, str, bytes] | None = None

    async def respond(self, request: Request) -> Response:
        """Answer with the document."""
        root = request.scope.get("root_path", "").rstrip("/")
        body = await run_in_threadpool(self._body, root)
        return Response(body, media_type="application/json")

    def _body(self, root: str) -> bytes:
        document, last = self._app.openapi(), self._last
        if last is None or last[0] is not document or last[1] != root:
            shown = {**document, "servers": self._servers(document, root)}
            last = self._last = (document, root, orjson.dumps(shown, option=_OPTIONS))
        return last[2]

    def _servers(self, document: Document, root: str) -> list[Any]:
        """Return the servers of *document*, with the path at which the app is mounted, as FastAPI adds it."""
        servers: list[Any] = document.get("servers", [])
        if not root or not self._app.root_path_in_servers:
            return servers
        if not self._app.servers:
            return [_server(root)]
        return servers if any(each.get("url") == root for each in servers) else [_server(root), *servers]


def _server(root: str) -> Document:
    return {"url": root.rstrip("/") or "/"}
