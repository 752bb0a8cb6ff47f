"""Read one entity."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from returns.result import Failure, Success

from fastapi_easy.application.context import Context
from fastapi_easy.application.embedding import NOTHING_RELATED, Repositories, embed, fetched
from fastapi_easy.application.sight import Sight
from fastapi_easy.domain.errors import Key, Outcome
from fastapi_easy.domain.ports.policy import Policy
from fastapi_easy.domain.ports.repository import Repository
from fastapi_easy.domain.query import Include
from fastapi_easy.domain.resource import Resource
from fastapi_easy.domain.row import Row


@dataclass(frozen=True, slots=True)
class GetEntity:
    """Read the entity with *key*.

    Attributes:
        includes: The related entities wished for beside it.
    """

    key: Key
    includes: tuple[Include, ...] = ()


class GetEntityHandler:
    """Carries out `GetEntity`."""

    def __init__(
        self,
        resource: Resource[Any],
        repository: Callable[[], Repository[Any]],
        repositories: Repositories = NOTHING_RELATED,
        policy: Policy | None = None,
    ) -> None:
        self._resource = resource
        self._repository = repository
        self._repositories = repositories
        self._policy = policy

    async def __call__(self, command: GetEntity, context: Context, /) -> Outcome[Row]:
        """Answer its readable fields, and a member for each include.

        Fails with:
            NotFound: There is none that the caller may see.
        """
        resource, includes = self._resource, command.includes
        sight = Sight(self._policy, context)
        repository = sight.narrow(resource, self._repository())
        read = await repository.read(command.key, fetched(resource.readable, includes))
        if not includes or isinstance(read, Failure):
            return read
        embedded = await embed([read.unwrap()], resource.readable, includes, self._repositories, sight)
        return embedded if isinstance(embedded, Failure) else Success(embedded.unwrap()[0])
