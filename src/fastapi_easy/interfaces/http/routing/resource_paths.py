"""The paths of one resource: every operation and action it offers, by path and method."""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import Final
from urllib.parse import quote

from starlette.routing import Router

from fastapi_easy.domain.ports.dependency import CallQueue
from fastapi_easy.interfaces.http.authentication.caller_identification import CallerIdentification
from fastapi_easy.interfaces.http.dependencies.guard import Guard
from fastapi_easy.interfaces.http.http_resource import Endpoint, HttpResource
from fastapi_easy.interfaces.http.operations.table import CHANGES, KEY, ROUTES
from fastapi_easy.interfaces.http.operations.write_endpoints import WriteEndpoints
from fastapi_easy.interfaces.http.routing.paths import Methods, Paths
from fastapi_easy.interfaces.http.routing.resource_route import NamedEndpoint, ResourceRoute

_ACTIONS: Final = f"{KEY}/"


def build_paths(
    http_resource: HttpResource,
    guard: Guard | None,
    router: Router,
    identification: CallerIdentification | None = None,
) -> Paths:
    """Return the paths of one resource, those of its operations only.

    Args:
        http_resource: The resource.

        guard: Runs the dependencies of the resource, if there are any.

        router: The app's own router.

        identification: Identifies the caller before dependencies run, if the application has authenticators.
    """
    resource = http_resource.resource
    routes: defaultdict[str, dict[str, ResourceRoute]] = defaultdict(dict)
    for method, path, operation_id, endpoint in _endpoints(http_resource):
        has_key = path.startswith(KEY)
        guarded = endpoint if guard is None else guard.wrap(endpoint, resource, has_key=has_key)
        if identification is not None:
            guarded = identification.wrap(guarded)
        routes[path][method] = ResourceRoute(
            guarded,
            f"{http_resource.path}{path}",
            method,
            NamedEndpoint(operation_id, resource.entity.__module__, guarded),
            has_key=has_key,
            router=router,
            takes_sockets=path == CHANGES,
        )
    return Paths(
        collection=Methods(routes.pop("", {})),
        entity=Methods(routes.pop(KEY, {})),
        actions=_by_last_segment(routes, below=_ACTIONS),
        fixed=_by_last_segment(routes, below="/"),
        queue=_queue_of(http_resource),
    )


def _queue_of(http_resource: HttpResource) -> CallQueue | None:
    """Return the calls that wait for the database of a resource; `None` where answers are kept, which may need none."""
    resource = http_resource.resource
    return None if resource.cache is not None else http_resource.options.queues.get(resource.database)


def _endpoints(http_resource: HttpResource) -> Iterator[tuple[str, str, str, Endpoint]]:
    """Yield the method, the path below the resource, the operation id and the endpoint of each offered operation."""
    for route in ROUTES:
        if route.operation in http_resource.resource.operations:
            operation_id = route.operation_id(http_resource.names)
            yield route.method, route.path, operation_id, route.endpoint(http_resource)
    writing = WriteEndpoints(http_resource)
    for name, action in (http_resource.resource.actions or {}).items():
        operation_id = f"{name}_{http_resource.names.singular}"
        yield "POST", f"{_ACTIONS}{quote(name)}", operation_id, writing.action(name, action)


def _by_last_segment(
    routes: Mapping[str, Mapping[str, ResourceRoute]], *, below: str
) -> dict[bytes, Methods]:
    return {
        path.removeprefix(below).encode("ascii"): Methods(methods)
        for path, methods in routes.items()
        if path.startswith(below) and "/" not in path.removeprefix(below)
    }
