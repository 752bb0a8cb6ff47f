"""How callers authenticate, in OpenAPI: schemes, what each operation asks for, and how it refuses."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from fastapi import FastAPI
from fastapi.routing import iter_route_contexts

from fastapi_easy.domain.ports import CredentialPlace, SecurityScheme
from fastapi_easy.interfaces.http.dependencies.current_principal import current_principal
from fastapi_easy.interfaces.http.fastapi_internals import Dependant
from fastapi_easy.interfaces.http.openapi.documents import Document
from fastapi_easy.interfaces.http.openapi.problems import refusal_responses


class SecurityDocs:
    """The part of a document that is about authentication.

    Args:
        schemes: How callers may authenticate: by any one of them.

        public: What anonymous callers may do, by resource; `None` where that is not known, and may be anything.

    Attributes:
        schemes: The security schemes by name.
    """

    def __init__(
        self, schemes: Sequence[SecurityScheme], public: Mapping[str, Sequence[str]] | None = None
    ) -> None:
        self._public = public
        self.schemes: Document = {}
        for each in schemes:
            _ = self.schemes.setdefault(each.name, _scheme(each))
            if each.openid_url:
                # Tells clients where to get what the scheme before it takes.
                self.schemes[f"{each.name}_openid"] = {
                    "type": "openIdConnect",
                    "openIdConnectUrl": each.openid_url,
                }

    def is_public(self, resource: str, action: str) -> bool:
        """Return whether anonymous callers may perform *action* on some entity of *resource*."""
        return self._public is None or action in self._public.get(resource, ())

    def add_to(
        self, paths: Mapping[str, Mapping[str, Document]], names: Mapping[tuple[str, str], str], resource: str
    ) -> None:
        """Add the same to the operations in *paths* of *resource*, which policies call *names*."""
        for path, methods in paths.items():
            for method, operation in methods.items():
                self.add(operation, is_public=self.is_public(resource, names[path, method]))

    def add(self, operation: Document, *, is_public: bool = True) -> None:
        """Add to *operation* how its callers authenticate, which they need not if it *is_public*, and are refused."""
        own = operation.get("security", [])
        asked = [*({name: []} for name in self.schemes), *own, *([{}] if is_public else [])]
        operation["security"] = [each for place, each in enumerate(asked) if each not in asked[:place]]
        operation["responses"] = {**refusal_responses(), **operation.get("responses", {})}


def find_own_operations(app: FastAPI) -> Iterator[tuple[str, str]]:
    """Yield the path and the lower-case method of each of *app*'s own operations that ask for `current_principal`."""
    for route in iter_route_contexts(app.routes):
        dependant: Any = getattr(route, "dependant", None)
        if dependant is not None and _asks_for_principal(dependant):
            path: Any = getattr(route, "path_format", None)
            for method in getattr(route, "methods", None) or ():
                yield path, method.lower()


def _asks_for_principal(dependant: Dependant) -> bool:
    return any(each.call is current_principal or _asks_for_principal(each) for each in dependant.dependencies)


def _scheme(scheme: SecurityScheme) -> Document:
    described = {"description": scheme.description} if scheme.description else {}
    match scheme.place:
        case CredentialPlace.BEARER:
            form = {"bearerFormat": scheme.format} if scheme.format else {}
            return {"type": "http", "scheme": "bearer", **form, **described}
        case CredentialPlace.HEADER:
            return {"type": "apiKey", "in": "header", "name": scheme.parameter, **described}
        case CredentialPlace.COOKIE:
            return {"type": "apiKey", "in": "cookie", "name": scheme.parameter, **described}
