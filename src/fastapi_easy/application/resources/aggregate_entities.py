"""Numbers about many entities."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from fastapi_easy.application.collaborators import ResourceHandler
from fastapi_easy.application.context import Context
from fastapi_easy.application.sight import Sight
from fastapi_easy.domain.aggregation import Aggregation, Group
from fastapi_easy.domain.errors import Outcome


@dataclass(frozen=True, slots=True)
class AggregateEntities:
    """Find the numbers that *aggregation* asks for."""

    aggregation: Aggregation


class AggregateEntitiesHandler(ResourceHandler):
    """Carries out `AggregateEntities`."""

    async def __call__(self, command: AggregateEntities, context: Context, /) -> Outcome[Sequence[Group]]:
        """Answer the groups, about entities the caller may see."""
        sight, asked = Sight(self._with.policy, context), command.aggregation
        repository = sight.narrow(self._resource, self._with.repository())
        return await repository.aggregate(replace(asked, specification=sight.through(asked.specification)))
