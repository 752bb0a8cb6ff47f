"""The route of one operation of a resource: what answers, and the names that middleware finds."""

from typing import Any
from urllib.parse import unquote

from starlette.routing import Router
from starlette.types import Scope

from fastapi_easy.interfaces.http.fastapi_internals import select_route
from fastapi_easy.interfaces.http.http_resource import Endpoint


class NamedEndpoint:
    """The endpoint under the name of the function that one would write by hand: `get_book`, in the module of `Book`.

    Tracing and error reports show its name and module.
    """

    def __init__(self, name: str, module: str, answer: Endpoint) -> None:
        self.__name__ = self.__qualname__ = name
        self.__module__ = module
        self._answer = answer

    def __call__(self, *arguments: Any) -> Any:
        """Answer as the endpoint does."""
        return self._answer(*arguments)


class ResourceRoute:
    """One operation under one path, named as FastAPI names its routes.

    Middleware finds it as `route` in the scope once the request has been dispatched.

    Args:
        answer: The endpoint.

        path: The template, like `/api/books/{key}`.

        method: The HTTP method; `GET` stands for `HEAD` too.

        endpoint: The endpoint as middleware sees it.

        has_key: The path has a key.

        router: The app's own router, for the scope; it does not route these requests.

        takes_sockets: It serves WebSockets as well.

    Attributes:
        answer: The endpoint.

        path, path_format: The template.

        name, operation_id: The operation id, like `get_book`.

        methods: The HTTP methods.

        endpoint: The endpoint as middleware sees it.

        takes_sockets: It serves WebSockets as well.
    """

    __slots__ = ("_has_key", "_router", "answer", "endpoint", "methods", "name", "path", "takes_sockets")

    def __init__(
        self,
        answer: Endpoint,
        path: str,
        method: str,
        endpoint: NamedEndpoint,
        *,
        has_key: bool,
        router: Router,
        takes_sockets: bool = False,
    ) -> None:
        self.answer = answer
        self.path = path
        self.name = endpoint.__name__
        self.methods = frozenset({"GET", "HEAD"} if method == "GET" else {method})
        self.endpoint = endpoint
        self._has_key = has_key
        self._router = router
        self.takes_sockets = takes_sockets

    @property
    def path_format(self) -> str:
        """The template, as Starlette's routes call it too."""
        return self.path

    @property
    def operation_id(self) -> str:
        """The name, as FastAPI's routes call it too."""
        return self.name

    def __repr__(self) -> str:
        """Return its path, name and methods."""
        return f"ResourceRoute(path={self.path!r}, name={self.name!r}, methods={sorted(self.methods)!r})"

    def set_route(self, scope: Scope, segment: bytes) -> None:
        """Put this route into *scope*, as Starlette's router does with its routes.

        Args:
            scope: Of a request that this route answers.

            segment: What follows the resource in the path, percent-encoded.
        """
        scope["route"] = self
        scope["endpoint"] = self.endpoint
        if "router" not in scope:  # an app around this one has set its own
            scope["router"] = self._router
        params = self.path_params(segment) if self._has_key else {}
        scope["path_params"] = {**scope["path_params"], **params} if "path_params" in scope else params
        if scope.get("fastapi.telemetry") is not None:
            select_route(scope, self.path)

    def path_params(self, segment: bytes) -> dict[str, str]:
        """Return the parameters of a path in which *segment* follows the resource."""
        if not self._has_key:
            return {}
        text = segment.decode("utf-8", "replace")
        return {"key": unquote(text) if "%" in text else text}
