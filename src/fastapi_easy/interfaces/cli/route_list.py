"""The routes of a FastAPI app."""

import dataclasses
from collections.abc import Collection, Iterator

from fastapi import FastAPI
from fastapi.routing import iter_route_contexts
from starlette.routing import BaseRoute, Mount, WebSocketRoute

from fastapi_easy.interfaces.cli.tasks import Route

_METHODS = ("get", "post", "put", "patch", "delete", "options", "head", "trace", "query")


def routes_of(app: FastAPI, resources: Collection[str]) -> list[Route]:
    """Return every route of *app*: first those in its OpenAPI document, then its own, pages, and mounted apps'.

    Args:
        app: Any FastAPI app.

        resources: The names of the resources in it.
    """
    own = {(each.method, each.path): each for each in _own_routes(app)}
    shown = list(_documented(app, resources, own))
    seen = {(each.method, each.path) for each in shown}
    others = [each for place, each in own.items() if place not in seen]
    pages = [Route("GET", path, "page") for path in getattr(app.router.default, "paths", ())]
    return [
        *shown,
        *others,
        *(each for each in pages if ("GET", each.path) not in own),
        *_mounted(app),
    ]


def _mounted(app: FastAPI) -> Iterator[Route]:
    """Yield the routes of the FastAPI apps that are mounted in *app*, below their paths."""
    for each in app.routes:
        if isinstance(each, Mount) and isinstance(each.app, FastAPI):
            container = getattr(each.app.state, "container", None)
            for inner in routes_of(each.app, getattr(container, "declarations", ())):
                yield dataclasses.replace(inner, path=f"{each.path}{inner.path}")


def _documented(
    app: FastAPI, resources: Collection[str], own: Collection[tuple[str, str]]
) -> Iterator[Route]:
    for path, operations in app.openapi().get("paths", {}).items():
        for method in (each for each in _METHODS if each in operations):
            operation = operations[method]
            place = (method.upper(), path)
            resource = (
                "" if place in own else next((each for each in path.split("/") if each in resources), "")
            )
            yield Route(*place, operation.get("operationId", ""), resource)


def _own_routes(app: FastAPI) -> Iterator[Route]:
    """Yield the routes of the app's own router; a mounted app or a web socket is one route."""
    for each in iter_route_contexts(app.routes):
        if each.path is None:
            continue
        name = getattr(each, "operation_id", None) or each.name or ""
        if each.methods:
            # Starlette adds HEAD to every GET.
            for method in sorted(each.methods - {"HEAD"} or each.methods):
                yield Route(method, each.path_format or each.path, name)
        else:
            yield Route(_kind(each.original_route), each.path, name)


def _kind(route: BaseRoute) -> str:
    return "WEBSOCKET" if isinstance(route, WebSocketRoute) else "MOUNT"
