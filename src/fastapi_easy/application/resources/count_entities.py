"""Count entities."""

from dataclasses import dataclass

from fastapi_easy.application.collaborators import ResourceHandler
from fastapi_easy.application.context import Context
from fastapi_easy.application.sight import Sight
from fastapi_easy.domain.errors import Outcome
from fastapi_easy.domain.specification import Everything, Specification


@dataclass(frozen=True, slots=True)
class CountEntities:
    """Count the entities that *specification* means."""

    specification: Specification = Everything()


class CountEntitiesHandler(ResourceHandler):
    """Carries out `CountEntities`."""

    async def __call__(self, command: CountEntities, context: Context, /) -> Outcome[int]:
        """Answer how many of them the caller may see."""
        sight = Sight(self._with.policy, context)
        repository = sight.narrow(self._resource, self._with.repository())
        return await repository.count(sight.through(command.specification))
