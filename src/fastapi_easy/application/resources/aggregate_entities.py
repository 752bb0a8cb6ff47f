"""Numbers about many entities."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from fastapi_easy.application.context import Context
from fastapi_easy.application.sight import Sight
from fastapi_easy.domain.aggregation import Aggregation, Group
from fastapi_easy.domain.errors import Outcome
from fastapi_easy.domain.ports.policy import Policy
from fastapi_easy.domain.ports.repository import Repository
from fastapi_easy.domain.resource import Resource


@dataclass(frozen=True, slots=True)
class AggregateEntities:
    """Find the numbers that *aggregation* asks for."""

    aggregation: Aggregation


class AggregateEntitiesHandler:
    """Carries out `AggregateEntities`."""

    def __init__(
        self,
        resource: Resource[Any],
        repository: Callable[[], Repository[Any]],
        policy: Policy | None = None,
    ) -> None:
        self._resource = resource
        self._repository = repository
        self._policy = policy

    async def __call__(self, command: AggregateEntities, context: Context, /) -> Outcome[Sequence[Group]]:
        """Answer the groups, about entities the caller may see."""
        sight, asked = Sight(self._policy, context), command.aggregation
        repository = sight.narrow(self._resource, self._repository())
        return await repository.aggregate(replace(asked, specification=sight.through(asked.specification)))
