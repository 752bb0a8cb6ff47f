"""Aggregate entities: counts, sums and the like, by groups."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from fastapi_easy.application.access import Access
from fastapi_easy.application.collaborators import ResourceHandler
from fastapi_easy.application.context import Context
from fastapi_easy.application.queries.doubts import refuse_unheld
from fastapi_easy.domain.errors import Outcome
from fastapi_easy.domain.queries.aggregation import Aggregation, Group
from fastapi_easy.domain.queries.query import Query
from fastapi_easy.domain.resources.options import Operation


@dataclass(frozen=True, slots=True)
class AggregateEntities:
    """Compute the measures of *aggregation*."""

    aggregation: Aggregation


class AggregateEntitiesHandler(ResourceHandler):
    """Carries out `AggregateEntities`."""

    async def __call__(self, command: AggregateEntities, context: Context, /) -> Outcome[Sequence[Group]]:
        """Return the groups, about entities the caller may see.

        Fails with:
            Invalid: A value does not fit its field, and no entity holds it.
        """
        asked = command.aggregation
        access = await self._enter(context, Operation.AGGREGATE)
        if not isinstance(access, Access):
            return access
        if (
            denied := access.check_query(self._resource, Query(specification=asked.specification))
        ) is not None:
            return denied
        if (denied := access.check_readable(self._resource, asked.fields)) is not None:
            return denied
        repository = access.scope_repository(self._resource, self._collaborators.repository())
        refused = await refuse_unheld(asked.specification, self._resource, repository, access)
        if refused is not None:
            return refused
        return await repository.aggregate(
            replace(asked, specification=access.restrict_relations(asked.specification))
        )
