"""Read a page of entities."""

from dataclasses import dataclass, replace

from returns.result import Failure, Success

from fastapi_easy.application.access import Access
from fastapi_easy.application.collaborators import ResourceHandler
from fastapi_easy.application.context import Context
from fastapi_easy.application.embedding import embed, fields_to_fetch
from fastapi_easy.application.history.past_entities import PastEntities
from fastapi_easy.application.queries.doubts import Doubted, refuse_unheld
from fastapi_easy.application.queries.strict_reading import check_page, fields_with_key
from fastapi_easy.domain.changes.row import Row
from fastapi_easy.domain.errors import Outcome
from fastapi_easy.domain.queries.page import Page
from fastapi_easy.domain.queries.query import Query
from fastapi_easy.domain.resources.options import Operation, Reading


@dataclass(frozen=True, slots=True)
class ListEntities:
    """Read the page that *query* asks for."""

    query: Query


class ListEntitiesHandler(ResourceHandler):
    """Carries out `ListEntities`."""

    async def __call__(self, command: ListEntities, context: Context, /) -> Outcome[Page[Row]]:
        """Return the page with the requested fields, or all readable ones, and a member for each include.

        Where the resource is read strictly, entities with stored values that do not fit are problems of the page.

        Fails with: as of a time also what `PastEntities.list` fails with.
            Forbidden: The order would tell something about entities the caller may not see.

            Invalid: A value does not fit its field, and no entity holds it.
        """
        query, resource = command.query, self._resource
        is_strict = resource.reading is Reading.STRICT
        access = await self._enter(context, Operation.LIST)
        if not isinstance(access, Access):
            return access
        if not (
            access.is_limited
            or query.includes
            or is_strict
            or query.as_of is not None
            or type(query.specification) is Doubted
        ):
            # The common case, and the shortest way to the store: nothing to embed, to hide or to ask about.
            if query.fields is None:
                query = Query(
                    specification=query.specification,
                    order=query.order,
                    page=query.page,
                    fields=resource.readable,
                )
            return await self._collaborators.repository().select(query)
        if (denied := access.check_query(resource, query)) is not None:
            return denied
        if query.as_of is not None:
            return await PastEntities(self._collaborators, access).list(query, query.as_of)
        fields = access.readable(resource) if query.fields is None else query.fields
        query = replace(
            query,
            specification=access.restrict_relations(query.specification),
            order=access.restrict_order(query.order),
            fields=fields_to_fetch(
                fields_with_key(resource, fields, access.readable(resource)) if is_strict else fields,
                query.includes,
            ),
        )
        repository = access.scope_repository(resource, self._collaborators.repository())
        # A cursor was signed for these comparisons, so they were right when the walk began.
        if query.page.after is None and isinstance(command.query.specification, Doubted):
            refused = await refuse_unheld(command.query.specification, resource, repository, access)
            if refused is not None:
                return refused
        selected = await repository.select(query)
        if not (query.includes or is_strict) or isinstance(selected, Failure):
            return selected
        page = check_page(resource, selected.unwrap()) if is_strict else selected.unwrap()
        embedded = await embed(page.items, fields, query.includes, self._collaborators.repositories, access)
        return embedded if isinstance(embedded, Failure) else Success(replace(page, items=embedded.unwrap()))
