"""One resource as HTTP shows it: what its endpoints and its documentation share."""

from collections.abc import Awaitable, Callable, Collection, Mapping
from copy import copy
from functools import cached_property
from typing import Any, TypeAlias
from urllib.parse import quote

from fastapi_easy.application import UseCases
from fastapi_easy.domain import Key, Resource
from fastapi_easy.interfaces.formats.encode import RowEncoder, encoder_of
from fastapi_easy.interfaces.formats.schemas import ResourceSchemas
from fastapi_easy.interfaces.http.exchange import Exchange, HttpResponse, StreamedResponse
from fastapi_easy.interfaces.http.openapi_names import ResourceNames
from fastapi_easy.interfaces.http.options import HttpOptions
from fastapi_easy.interfaces.http.requests.external_names import with_external_names, with_translated_errors
from fastapi_easy.interfaces.http.requests.known_queries import Remembered

Endpoint: TypeAlias = Callable[[Exchange, bytes], Awaitable[HttpResponse | StreamedResponse | None]]
"""Answers an exchange or raises `ProblemError`; the bytes are the path segment of the key, still percent-encoded.
`None` when it has sent its response itself."""


class HttpResource:
    """A resource with its paths, names, schemas and encoder.

    Attributes:
        use_cases: Its use cases; their errors have the external names of fields.

        resource: The resource itself.

        options: The options of the application.

        segment: The last segment of its path, percent-encoded.

        path: The path of its collection, like `/api/books`.

        names: Its names in the documentation.

        all_names: Those of every resource, by resource name.

        schemas: The models of its bodies.

        reserved_segments: Segments below its path that are no keys, like `search`.

        remembered: What query strings of all resources say that came before.
    """

    def __init__(
        self,
        use_cases: UseCases,
        options: HttpOptions,
        names: Mapping[str, ResourceNames],
        reserved_segments: Collection[str],
        remembered: Remembered,
    ) -> None:
        self.use_cases = with_translated_errors(use_cases)
        self.resource: Resource[Any] = use_cases.resource
        self.options = options
        self.segment = quote(use_cases.resource.name)
        self.path = f"{options.prefix}/{self.segment}"
        self.names = names[use_cases.resource.name]
        self.all_names = names
        self.schemas = ResourceSchemas(self.resource, use_cases.validator, self.names.schema)
        self.reserved_segments = reserved_segments
        self.remembered = remembered

    @cached_property
    def encoder(self) -> RowEncoder:
        """The encoder of its rows."""
        return encoder_of(self.resource)

    @cached_property
    def as_documented(self) -> "HttpResource":
        """The same resource with the external names of its fields, for the documentation."""
        resource = with_external_names(self.resource)
        if resource is self.resource:
            return self
        shown = copy(self)
        shown.resource = resource
        shown.schemas = ResourceSchemas(resource, self.use_cases.validator, self.names.schema)
        return shown

    def location(self, exchange: Exchange, key: Key) -> bytes:
        """Return the public path of the entity with *key*, for the Location header."""
        segment = self.use_cases.queries.write_key(key)
        if segment in self.reserved_segments:
            # `/books/search` is not a book; one whose key is "search" is at `/books/%73earch`.
            segment = f"%{ord(segment[0]):02x}{segment[1:]}"
        return f"{self.public_path(exchange)}/{segment}".encode("ascii")

    def public_path(self, exchange: Exchange) -> str:
        """Return its path as the caller sees it, below the path at which the app is mounted."""
        root: str = exchange.scope.get("root_path", "")
        return quote(root.rstrip("/")) + self.path if root else self.path
