"""Read every entity, one after the other."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, replace

from returns.result import Success

from fastapi_easy.application.access import Access
from fastapi_easy.application.collaborators import ResourceHandler
from fastapi_easy.application.context import Context
from fastapi_easy.application.queries.doubts import refuse_unheld
from fastapi_easy.application.queries.strict_reading import check_stream, fields_with_key
from fastapi_easy.domain.changes.row import Row
from fastapi_easy.domain.errors import Outcome
from fastapi_easy.domain.queries.query import Query
from fastapi_easy.domain.resources.options import Operation, Reading


@dataclass(frozen=True, slots=True)
class ExportEntities:
    """Read every entity that *query* asks for, in its order; its page and includes are ignored."""

    query: Query


class ExportEntitiesHandler(ResourceHandler):
    """Carries out `ExportEntities`."""

    async def __call__(
        self, command: ExportEntities, context: Context, /
    ) -> Outcome[AsyncIterator[Sequence[Row]]]:
        """Return the rows as a stream of batches, read while the store is open; reading may raise `StreamBroken`.

        Fails with:
            Forbidden: The order would tell something about entities the caller may not see.

            Invalid: A value does not fit its field, and no entity holds it.
        """
        query, resource = command.query, self._resource
        access = await self._enter(context, Operation.EXPORT)
        if not isinstance(access, Access):
            return access
        if (denied := access.check_query(resource, query)) is not None:
            return denied
        fields = tuple(access.readable(resource) if query.fields is None else query.fields)
        is_strict = resource.reading is Reading.STRICT
        query = replace(
            query,
            specification=access.restrict_relations(query.specification),
            order=access.restrict_order(query.order),
            fields=fields_with_key(resource, fields, access.readable(resource)) if is_strict else fields,
        )
        repository = access.scope_repository(resource, self._collaborators.repository())
        asked = command.query.specification
        if (refused := await refuse_unheld(asked, resource, repository, access)) is not None:
            return refused
        rows = repository.stream(query)
        return Success(check_stream(resource, rows, fields) if is_strict else rows)
