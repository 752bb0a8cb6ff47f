"""Numbers about many entities."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from fastapi_easy.application.access import Access
from fastapi_easy.application.collaborators import ResourceHandler
from fastapi_easy.application.context import Context
from fastapi_easy.domain.errors import Outcome
from fastapi_easy.domain.queries.aggregation import Aggregation, Group
from fastapi_easy.domain.queries.query import Query
from fastapi_easy.domain.resources.options import Operation


@dataclass(frozen=True, slots=True)
class AggregateEntities:
    """Find the numbers that *aggregation* asks for."""

    aggregation: Aggregation


class AggregateEntitiesHandler(ResourceHandler):
    """Carries out `AggregateEntities`."""

    async def __call__(self, command: AggregateEntities, context: Context, /) -> Outcome[Sequence[Group]]:
        """Answer the groups, about entities the caller may see."""
        asked = command.aggregation
        access = await self._enter(context, Operation.AGGREGATE)
        if not isinstance(access, Access):
            return access
        if (refused := access.refuse(self._resource, Query(specification=asked.specification))) is not None:
            return refused
        if (refused := access.refuse_reading(self._resource, asked.fields)) is not None:
            return refused
        repository = access.narrow(self._resource, self._with.repository())
        return await repository.aggregate(replace(asked, specification=access.through(asked.specification)))
