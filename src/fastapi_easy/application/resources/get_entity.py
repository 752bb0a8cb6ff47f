"""Read one entity."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from fastapi_easy.application.context import Context
from fastapi_easy.domain.errors import Key, Outcome
from fastapi_easy.domain.ports.repository import Repository
from fastapi_easy.domain.resource import Resource
from fastapi_easy.domain.row import Row


@dataclass(frozen=True, slots=True)
class GetEntity:
    """Read the entity with *key*."""

    key: Key


class GetEntityHandler:
    """Carries out `GetEntity`."""

    def __init__(self, resource: Resource[Any], repository: Callable[[], Repository[Any]]) -> None:
        self._fields = resource.readable
        self._repository = repository

    async def __call__(self, command: GetEntity, context: Context, /) -> Outcome[Row]:
        """Answer its readable fields.

        Fails with:
            NotFound: There is none that the caller may see.
        """
        return await self._repository().read(command.key, self._fields)
