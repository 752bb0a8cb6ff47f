"""Count entities."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from fastapi_easy.application.context import Context
from fastapi_easy.application.sight import Sight
from fastapi_easy.domain.errors import Outcome
from fastapi_easy.domain.ports.policy import Policy
from fastapi_easy.domain.ports.repository import Repository
from fastapi_easy.domain.resource import Resource
from fastapi_easy.domain.specification import Everything, Specification


@dataclass(frozen=True, slots=True)
class CountEntities:
    """Count the entities that *specification* means."""

    specification: Specification = Everything()


class CountEntitiesHandler:
    """Carries out `CountEntities`."""

    def __init__(
        self,
        resource: Resource[Any],
        repository: Callable[[], Repository[Any]],
        policy: Policy | None = None,
    ) -> None:
        self._resource = resource
        self._repository = repository
        self._policy = policy

    async def __call__(self, command: CountEntities, context: Context, /) -> Outcome[int]:
        """Answer how many of them the caller may see."""
        sight = Sight(self._policy, context)
        repository = sight.narrow(self._resource, self._repository())
        return await repository.count(sight.through(command.specification))
