"""Count entities."""

from dataclasses import dataclass

from fastapi_easy.application.access import Access
from fastapi_easy.application.collaborators import ResourceHandler
from fastapi_easy.application.context import Context
from fastapi_easy.application.queries.doubts import refuse_unheld
from fastapi_easy.domain.errors import Outcome
from fastapi_easy.domain.queries.query import Query
from fastapi_easy.domain.queries.specification import Everything, Specification
from fastapi_easy.domain.resources.options import Operation


@dataclass(frozen=True, slots=True)
class CountEntities:
    """Count the entities that match *specification*."""

    specification: Specification = Everything()


class CountEntitiesHandler(ResourceHandler):
    """Carries out `CountEntities`."""

    async def __call__(self, command: CountEntities, context: Context, /) -> Outcome[int]:
        """Return the number of matching entities that the caller may see.

        Fails with:
            Invalid: A value does not fit its field, and no entity holds it.
        """
        access = await self._enter(context, Operation.COUNT)
        if not isinstance(access, Access):
            return access
        asked = Query(specification=command.specification)
        if (denied := access.check_query(self._resource, asked)) is not None:
            return denied
        repository = access.scope_repository(self._resource, self._collaborators.repository())
        refused = await refuse_unheld(command.specification, self._resource, repository, access)
        if refused is not None:
            return refused
        return await repository.count(access.restrict_relations(command.specification))
