"""Read one entity."""

import datetime
from dataclasses import dataclass

from returns.result import Failure, Success

from fastapi_easy.application.access import Access
from fastapi_easy.application.collaborators import ResourceHandler
from fastapi_easy.application.context import Context
from fastapi_easy.application.embedding import embed, fields_to_fetch
from fastapi_easy.application.history.past_entities import PastEntities
from fastapi_easy.application.queries.strict_reading import check_row
from fastapi_easy.domain.access import FULL_GRANT
from fastapi_easy.domain.changes.row import Row
from fastapi_easy.domain.errors import Key, Outcome
from fastapi_easy.domain.queries.query import Include, Query
from fastapi_easy.domain.resources.options import Operation, Reading


@dataclass(frozen=True, slots=True)
class GetEntity:
    """Read the entity with *key*.

    Attributes:
        includes: The related entities to embed.

        as_of: The time whose state is asked for, aware; `None` for now.
    """

    key: Key
    includes: tuple[Include, ...] = ()
    as_of: datetime.datetime | None = None


class GetEntityHandler(ResourceHandler):
    """Carries out `GetEntity`."""

    async def __call__(self, command: GetEntity, context: Context, /) -> Outcome[Row]:
        """Return its readable fields, and a member for each include.

        As of a time those fields that the audit trail tells; such a row is no version that can be changed.

        Fails with: as of a time also what `PastEntities.get` fails with.
            NotFound: There is none that the caller may see.

            UnreadableEntity: It is read strictly, and a stored value does not fit its field.
        """
        resource, includes = self._resource, command.includes
        access = await self._enter(context, Operation.GET)
        if not isinstance(access, Access):
            return access
        if command.as_of is not None:
            return await PastEntities(self._collaborators, access).get(
                command.key, command.as_of, Query(includes=includes)
            )
        # The common case, and the shortest way to the store: nothing to embed, nothing to hide.
        if not (includes or access.is_limited):
            read = await self._collaborators.repository().read(command.key, resource.readable)
            return read if resource.reading is Reading.LENIENT else check_row(resource, read)
        if includes and (denied := access.check_query(resource, Query(includes=includes))) is not None:
            return denied
        grant = access.read_grant(resource) if access.is_limited else FULL_GRANT
        names = fields_to_fetch(resource.readable, includes) if includes else resource.readable
        read = await self._collaborators.repository().read(command.key, names, scope=grant.rows)
        if resource.reading is Reading.STRICT:
            read = check_row(resource, read)
        if type(read) is Failure:
            return read
        if not includes:
            return read if grant.readable is None else Success(access.visible_row(resource, read.unwrap()))
        embedded = await embed(
            [read.unwrap()], resource.readable, includes, self._collaborators.repositories, access
        )
        if type(embedded) is Failure:
            return embedded
        return Success(access.visible_row(resource, embedded.unwrap()[0], includes))
