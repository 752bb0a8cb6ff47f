"""Every name of FastAPI's that it does not document, with what happens here when it is gone.

Known to be what they are taken for in 0.164 and 0.165. `Dependant`, `get_flat_params` and
`get_parameterless_sub_dependant`, which have been there for years, are the only way to FastAPI's own reading of
dependencies: when one is gone the import fails and says so. What is about telemetry is done without.
"""

import importlib
from collections.abc import Callable
from typing import Any, Final

from fastapi import FastAPI
from fastapi.dependencies.models import Dependant
from fastapi.dependencies.utils import get_flat_params, get_parameterless_sub_dependant
from starlette.types import Scope

__all__ = [
    "Dependant",
    "get_flat_params",
    "get_parameterless_sub_dependant",
    "select_route",
    "telemetry_switch",
]


_MODULE: Final = "fastapi.telemetry._api"


def _selector() -> Any:
    try:
        return getattr(importlib.import_module(_MODULE), "_route_selected", None)
    except ImportError:
        return None


_SELECT: Final = _selector()


def select_route(scope: Scope, path: str) -> None:
    """Tell FastAPI's own telemetry that the route with the template *path* answers *scope*.

    Its span becomes `GET /books/{key}`, and its metrics get the route. There is no public way to say so for a route
    that FastAPI's router did not find. Uses `_route_selected` of `fastapi.telemetry._api`; when it is gone, requests
    are reported without a route.
    """
    if _SELECT is not None:
        _SELECT(scope=scope, path=path)


def telemetry_switch(app: FastAPI) -> Callable[[], bool]:
    """Return what tells whether FastAPI's own telemetry watches the requests of *app*, which may change.

    Uses `_native_telemetry` of the app; when it is gone, every request counts as watched, and FastAPI looks itself.
    """
    telemetry: Any = getattr(app, "_native_telemetry", None)
    enabled: Callable[[], bool] | None = getattr(telemetry, "enabled", None)
    return _always if enabled is None else enabled


def _always() -> bool:
    return True
