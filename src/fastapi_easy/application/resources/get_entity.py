"""Read one entity."""

from dataclasses import dataclass

from returns.result import Failure, Success

from fastapi_easy.application.collaborators import ResourceHandler
from fastapi_easy.application.context import Context
from fastapi_easy.application.embedding import embed, fetched
from fastapi_easy.application.sight import Sight
from fastapi_easy.domain.errors import Key, Outcome
from fastapi_easy.domain.query import Include
from fastapi_easy.domain.row import Row


@dataclass(frozen=True, slots=True)
class GetEntity:
    """Read the entity with *key*.

    Attributes:
        includes: The related entities wished for beside it.
    """

    key: Key
    includes: tuple[Include, ...] = ()


class GetEntityHandler(ResourceHandler):
    """Carries out `GetEntity`."""

    async def __call__(self, command: GetEntity, context: Context, /) -> Outcome[Row]:
        """Answer its readable fields, and a member for each include.

        Fails with:
            NotFound: There is none that the caller may see.
        """
        resource, includes = self._resource, command.includes
        sight = Sight(self._with.policy, context)
        repository = sight.narrow(resource, self._with.repository())
        read = await repository.read(command.key, fetched(resource.readable, includes))
        if not includes or isinstance(read, Failure):
            return read
        embedded = await embed([read.unwrap()], resource.readable, includes, self._with.repositories, sight)
        return embedded if isinstance(embedded, Failure) else Success(embedded.unwrap()[0])
