"""The one private name of FastAPI's telemetry that names a request."""

from typing import Final

import fastapi.telemetry._api as telemetry
from starlette.types import Scope

_SELECT: Final = getattr(telemetry, "_route_selected", None)


def select_route(scope: Scope, path: str) -> None:
    """Tell FastAPI's own telemetry that the route with the template *path* answers *scope*.

    Its span becomes `GET /books/{key}`, and its metrics get the route. There is no public way to say so for a route
    that FastAPI's router did not find; a FastAPI that has renamed the private one reports requests without a route.
    """
    if _SELECT is not None:
        _SELECT(scope=scope, path=path)
