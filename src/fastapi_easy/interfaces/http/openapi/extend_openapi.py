"""The resources in `app.openapi()`, from when somebody asks for the document."""

from collections.abc import Callable, Sequence

from fastapi import FastAPI

from fastapi_easy.interfaces.http.dependencies.guards import Guards
from fastapi_easy.interfaces.http.http_resource import HttpResource
from fastapi_easy.interfaces.http.openapi.documents import Document


def extend_openapi(
    app: FastAPI, http_resources: Callable[[], Sequence[HttpResource]], guards: Guards
) -> None:
    """Add *http_resources* to what `app.openapi()` returns, where the app has no route of its own in their place.

    Args:
        app: Any FastAPI app.

        http_resources: Returns its resources.

        guards: The dependencies that run before their operations.
    """
    own_openapi = app.openapi
    cache: list[tuple[Document, object, Document]] = []

    def openapi() -> Document:
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
            cache[:] = [(base, public, document)]
        return cache[0][2]

    app.openapi = openapi  # type: ignore[method-assign]
