"""Store a new entity."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from returns.result import Failure, Success

from fastapi_easy.application.context import Context
from fastapi_easy.domain.errors import Outcome
from fastapi_easy.domain.events import EntityCreated
from fastapi_easy.domain.patch import Values, foreign_fields
from fastapi_easy.domain.ports.clock import Clock
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

    def __init__(self, resource: Resource[Any], unit_of_work: Callable[[], UnitOfWork], clock: Clock) -> None:
        self._resource = resource
        self._writable = frozenset(resource.writable)
        self._unit_of_work = unit_of_work
        self._clock = clock

    async def __call__(self, command: CreateEntity, context: Context, /) -> Outcome[Row]:
        """Answer its readable fields as stored.

        Fails with:
            Invalid: A field is named that callers may not write.

            AlreadyExists: The key, or values of other unique fields, are taken.

            ReferenceBroken, CheckFailed: The store's own rules refused it.
        """
        resource = self._resource
        if (foreign := foreign_fields(command.values, self._writable)) is not None:
            return foreign
        async with self._unit_of_work() as work:
            added = await work.repository(resource).add(command.values)
            if isinstance(added, Failure):
                return added
            row = resource.shown(added.unwrap())
            work.record(
                EntityCreated(
                    resource=resource.name,
                    key=resource.key_of(row),
                    values=dict(row),
                    actor=context.principal.id,
                    correlation_id=context.correlation_id,
                    occurred_at=self._clock.now(),
                )
            )
            committed = await work.commit()
            return committed if isinstance(committed, Failure) else Success(row)
