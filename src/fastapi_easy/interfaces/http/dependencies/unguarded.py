"""Dependencies that all routes beside the resources have, and the resources have not."""

import logging
from collections.abc import Sequence
from typing import Any, Final

from fastapi import FastAPI
from fastapi.params import Depends
from fastapi.routing import iter_route_contexts

from fastapi_easy.domain import Resource
from fastapi_easy.interfaces.http.dependencies.guards import Guards

_logger: Final = logging.getLogger("fastapi_easy.http")


def warn_of_unguarded_resources(
    app: FastAPI, prefix: str, resources: Sequence[Resource[Any]], guards: Guards
) -> None:
    """Log a warning where resources stand among routes that are guarded better than they are.

    A router's dependencies cover its routes. Resources mounted below the same prefix are easily believed to be
    covered as well.

    Args:
        app: Has routes of its own.

        prefix: Where the resources are mounted; without one they are beside every route, and nothing is said.

        resources: All that are mounted there.

        guards: What runs before them.
    """
    shared = _dependencies_of_all_routes(app, f"{prefix}/") if prefix else []
    for resource in resources:
        dependencies_of = [each.dependency for each in guards.dependencies_of(resource)]
        lacking = [_name(each) for each in shared if each.dependency not in dependencies_of]
        if lacking:
            _logger.warning(
                "the dependencies %s guard every route of yours below %s, but not the resource %s: pass them to "
                "mount_resources "
                "with dependencies=[...], or pass dependencies=[] if that is intended",
                ", ".join(lacking),
                prefix,
                resource.name,
            )


def _dependencies_of_all_routes(app: FastAPI, below: str) -> list[Depends]:
    """Return the dependencies that every route under *below* has."""
    found = [
        list(getattr(each, "dependencies", ()))
        for each in iter_route_contexts(app.routes)
        if each.path is not None and each.path.startswith(below)
    ]
    first, *others = found or [[]]
    return [each for each in first if all(each in other for other in others)]


def _name(dependency: Depends) -> str:
    return str(getattr(dependency.dependency, "__name__", dependency.dependency))
