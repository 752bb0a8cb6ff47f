"""Read a page of entities."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from returns.result import Failure, Success

from fastapi_easy.application.context import Context
from fastapi_easy.application.embedding import NOTHING_RELATED, Repositories, embed, fetched
from fastapi_easy.application.sight import Sight
from fastapi_easy.domain.errors import Outcome
from fastapi_easy.domain.page import Page
from fastapi_easy.domain.ports.policy import Policy
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

    def __init__(
        self,
        resource: Resource[Any],
        repository: Callable[[], Repository[Any]],
        repositories: Repositories = NOTHING_RELATED,
        policy: Policy | None = None,
    ) -> None:
        self._resource = resource
        self._repository = repository
        self._repositories = repositories
        self._policy = policy

    async def __call__(self, command: ListEntities, context: Context, /) -> Outcome[Page[Row]]:
        """Answer the fields that were asked for, or all readable ones, and a member for each include.

        Fails with:
            Forbidden: The order would tell something about entities the caller may not see.
        """
        query, sight = command.query, Sight(self._policy, context)
        if (refused := sight.refuse(query.order)) is not None:
            return refused
        fields = self._resource.readable if query.fields is None else query.fields
        query = replace(
            query,
            specification=sight.through(query.specification),
            fields=fetched(fields, query.includes),
        )
        selected = await sight.narrow(self._resource, self._repository()).select(query)
        if not query.includes or isinstance(selected, Failure):
            return selected
        page = selected.unwrap()
        embedded = await embed(page.items, fields, query.includes, self._repositories, sight)
        return embedded if isinstance(embedded, Failure) else Success(replace(page, items=embedded.unwrap()))
