"""Read a page of entities."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from fastapi_easy.application.context import Context
from fastapi_easy.domain.errors import Outcome
from fastapi_easy.domain.page import Page
from fastapi_easy.domain.ports.repository import Repository
from fastapi_easy.domain.query import Query
from fastapi_easy.domain.resource import Resource
from fastapi_easy.domain.row import Row


@dataclass(frozen=True, slots=True)
class ListEntities:
    """Read the page that *query* asks for."""

    query: Query


class ListEntitiesHandler:
    """Carries out `ListEntities`."""

    def __init__(self, resource: Resource[Any], repository: Callable[[], Repository[Any]]) -> None:
        self._fields = resource.readable
        self._repository = repository

    async def __call__(self, command: ListEntities, context: Context, /) -> Outcome[Page[Row]]:
        """Answer the fields that were asked for, or all readable ones."""
        query = command.query
        if query.fields is None:
            query = replace(query, fields=self._fields)
        return await self._repository().select(query)
