"""The routes of a FastAPI app."""

from collections.abc import Collection, Iterator

from fastapi import FastAPI
from fastapi.routing import iter_route_contexts
from starlette.routing import BaseRoute, WebSocketRoute

from fastapi_easy.interfaces.cli.tasks import Route

_METHODS = ("get", "post", "put", "patch", "delete", "options", "head", "trace", "query")


def routes_of(app: FastAPI, resources: Collection[str]) -> list[Route]:
    """Return every route of *app*: first those in its OpenAPI document, then the others.

    Args:
        app: Any FastAPI app.

        resources: The names of the resources in it.
    """
    own = {(each.method, each.path): each for each in _own_routes(app)}
    shown = list(_documented(app, resources, own))
    seen = {(each.method, each.path) for each in shown}
    return [*shown, *(each for place, each in own.items() if place not in seen)]


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
