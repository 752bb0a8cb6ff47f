"""Count entities."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from fastapi_easy.application.context import Context
from fastapi_easy.domain.errors import Outcome
from fastapi_easy.domain.ports.repository import Repository
from fastapi_easy.domain.resource import Resource
from fastapi_easy.domain.specification import Everything, Specification


@dataclass(frozen=True, slots=True)
class CountEntities:
    """Count the entities that *specification* means."""

    specification: Specification = Everything()


class CountEntitiesHandler:
    """Carries out `CountEntities`."""

    def __init__(self, resource: Resource[Any], repository: Callable[[], Repository[Any]]) -> None:
        self._repository = repository

    async def __call__(self, command: CountEntities, context: Context, /) -> Outcome[int]:
        """Answer the exact number."""
        return await self._repository().count(command.specification)
