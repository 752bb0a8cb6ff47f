"""What the endpoints of one resource share."""

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
from fastapi_easy.interfaces.http.requests.external_names import documented, with_translated_errors

Endpoint: TypeAlias = Callable[[Exchange, bytes], Awaitable[HttpResponse | StreamedResponse | None]]
"""Answers an exchange or raises `Refused`; the bytes are the path segment of the key, still percent-encoded.
`None` when it has sent its answer itself."""


class HttpResource:
    """One resource as HTTP shows it.

    Attributes:
        use_cases: What is asked.

        resource: Whom it is about.

        options: How the application shows itself.

        segment: Its segment of the path, percent-encoded.

        path: Where it is, like `/api/books`.

        names: What it is called in the documentation.

        all_names: What all resources are called there, by resource name.

        schemas: What its bodies and answers look like.

        reserved_segments: What stands below its path and is no key, like `search`.
    """

    def __init__(
        self,
        use_cases: UseCases,
        options: HttpOptions,
        names: Mapping[str, ResourceNames],
        reserved_segments: Collection[str],
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

    @cached_property
    def encoder(self) -> RowEncoder:
        """Writes its rows."""
        return encoder_of(self.resource)

    @cached_property
    def documented(self) -> "HttpResource":
        """The same for its documentation, in which fields are called as callers call them."""
        resource = documented(self.resource)
        if resource is self.resource:
            return self
        shown = copy(self)
        shown.resource = resource
        shown.schemas = ResourceSchemas(resource, self.use_cases.validator, self.names.schema)
        return shown

    def location(self, exchange: Exchange, key: Key) -> bytes:
        """The path of the entity with *key*."""
        segment = self.use_cases.queries.write_key(key)
        if segment in self.reserved_segments:
            # `/books/search` is not a book; one whose key is "search" is at `/books/%73earch`.
            segment = f"%{ord(segment[0]):02x}{segment[1:]}"
        return f"{self.public_path(exchange)}/{segment}".encode("ascii")

    def public_path(self, exchange: Exchange) -> str:
        """Where the caller finds it: below the path at which the app is mounted."""
        root: str = exchange.scope.get("root_path", "")
        return quote(root.rstrip("/")) + self.path if root else self.path
