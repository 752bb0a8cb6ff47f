"""Store a new entity."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from returns.result import Failure

from fastapi_easy.application.changes.entity_writer import EntityWriter
from fastapi_easy.application.changes.settling import settle
from fastapi_easy.application.context import Context
from fastapi_easy.domain.errors import Outcome
from fastapi_easy.domain.patch import Values
from fastapi_easy.domain.ports.clock import Clock
from fastapi_easy.domain.ports.policy import Policy
from fastapi_easy.domain.ports.unit_of_work import UnitOfWork
from fastapi_easy.domain.resource import Resource
from fastapi_easy.domain.row import Row


@dataclass(frozen=True, slots=True)
class CreateEntity:
    """Store a new entity.

    Attributes:
        values: Its writable fields; those left out take their default, or null.
    """

    values: Values


class CreateEntityHandler:
    """Carries out `CreateEntity`."""

    def __init__(
        self,
        resource: Resource[Any],
        unit_of_work: Callable[[], UnitOfWork],
        clock: Clock,
        policy: Policy | None = None,
    ) -> None:
        self._resource = resource
        self._unit_of_work = unit_of_work
        self._clock = clock
        self._policy = policy

    async def __call__(self, command: CreateEntity, context: Context, /) -> Outcome[Row]:
        """Answer its readable fields as stored.

        Fails with:
            Invalid: A field is named that callers may not write.

            Forbidden: The caller could not see it.

            AlreadyExists: The key, or values of other unique fields, are taken.

            ReferenceBroken, CheckFailed: The store's own rules refused it.
        """
        async with self._unit_of_work() as work:
            writer = EntityWriter(self._resource, work, context, self._clock, self._policy)
            created = await writer.create(command.values)
            return created if isinstance(created, Failure) else await settle(work, context, created.unwrap())
