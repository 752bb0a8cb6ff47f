"""Read every entity, one after the other."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, replace

from returns.result import Success

from fastapi_easy.application.collaborators import ResourceHandler
from fastapi_easy.application.context import Context
from fastapi_easy.application.sight import Sight
from fastapi_easy.domain.errors import Outcome
from fastapi_easy.domain.query import Query
from fastapi_easy.domain.row import Row


@dataclass(frozen=True, slots=True)
class ExportEntities:
    """Read every entity that *query* asks for, in its order; its page and includes are not looked at."""

    query: Query


class ExportEntitiesHandler(ResourceHandler):
    """Carries out `ExportEntities`."""

    async def __call__(
        self, command: ExportEntities, context: Context, /
    ) -> Outcome[AsyncIterator[Sequence[Row]]]:
        """Answer the rows, some at a time, to be asked for while the store is open; asking may raise `StreamBroken`.

        Fails with:
            Forbidden: The order would tell something about entities the caller may not see.
        """
        query, sight = command.query, Sight(self._with.policy, context)
        if (refused := sight.refuse(query.order)) is not None:
            return refused
        query = replace(
            query,
            specification=sight.through(query.specification),
            fields=self._resource.readable if query.fields is None else query.fields,
        )
        return Success(sight.narrow(self._resource, self._with.repository()).stream(query))
