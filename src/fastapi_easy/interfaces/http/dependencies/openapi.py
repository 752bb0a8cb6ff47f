"""What dependencies add to the OpenAPI of the operations they run before: parameters and security schemes."""

from collections.abc import Mapping, Sequence
from typing import Any

from fastapi.openapi.utils import get_openapi
from fastapi.params import Depends
from fastapi.routing import APIRoute

Document = dict[str, Any]

_KEY = "{key}"


class Documented:
    """The OpenAPI of operations behind dependencies, as FastAPI writes it for routes with the same ones.

    Args:
        shared: The parameters that operations refer to, by name.

    Attributes:
        schemas: What the parameters of dependencies refer to.

        security_schemes: What the operations ask of the caller.
    """

    def __init__(self, shared: Mapping[str, Document]) -> None:
        self._shared = shared
        self.schemas: Document = {}
        self.security_schemes: Document = {}

    def add(self, paths: Mapping[str, Mapping[str, Document]], dependencies: Sequence[Depends]) -> None:
        """Add to the operations of *paths* what *dependencies* read.

        A parameter that an operation has already stays as it is.
        """
        if not dependencies:
            return
        written = {keyed: self._written(keyed, dependencies) for keyed in (False, True)}
        for path, operations in paths.items():
            given = written[_KEY in path]
            for operation in operations.values():
                own = operation.get("parameters", [])
                taken = {(each["in"], each["name"]) for each in map(self._resolved, own)}
                added = [
                    each for each in given.get("parameters", []) if (each["in"], each["name"]) not in taken
                ]
                if own or added:
                    operation["parameters"] = [*own, *added]
                if "security" in given:
                    operation["security"] = given["security"]

    def _written(self, keyed: bool, dependencies: Sequence[Depends]) -> Document:
        path = f"/{_KEY}" if keyed else "/"
        route = APIRoute(path, _nothing, dependencies=dependencies, methods=["GET"], response_model=None)
        document = get_openapi(title="", version="", routes=[route])
        components = document.get("components", {})
        self.security_schemes |= components.get("securitySchemes", {})
        self.schemas |= {
            name: each
            for name, each in components.get("schemas", {}).items()
            if name not in {"HTTPValidationError", "ValidationError"}
        }
        operation: Document = document["paths"][path]["get"]
        return operation

    def _resolved(self, parameter: Document) -> Document:
        reference: str | None = parameter.get("$ref")
        return parameter if reference is None else self._shared[reference.rpartition("/")[2]]


def _nothing() -> None:
    """Stand for an endpoint: only the dependencies before it are looked at."""
