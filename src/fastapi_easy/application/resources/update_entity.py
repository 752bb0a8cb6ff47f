"""Change some fields of one entity."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from returns.result import Failure, Success

from fastapi_easy.application.context import Context
from fastapi_easy.domain.errors import Key, Outcome
from fastapi_easy.domain.events import EntityUpdated
from fastapi_easy.domain.patch import Patch, foreign_fields
from fastapi_easy.domain.ports.clock import Clock
from fastapi_easy.domain.ports.unit_of_work import UnitOfWork
from fastapi_easy.domain.resource import Resource
from fastapi_easy.domain.row import Row


@dataclass(frozen=True, slots=True)
class UpdateEntity:
    """Set the fields of *patch* on the entity with *key*.

    Attributes:
        expected_version: The version the change is based on; `None` changes whatever is there.
    """

    key: Key
    patch: Patch
    expected_version: str | None = None


class UpdateEntityHandler:
    """Carries out `UpdateEntity`."""

    def __init__(self, resource: Resource[Any], unit_of_work: Callable[[], UnitOfWork], clock: Clock) -> None:
        self._resource = resource
        self._changeable = frozenset(resource.changeable)
        self._unit_of_work = unit_of_work
        self._clock = clock

    async def __call__(self, command: UpdateEntity, context: Context, /) -> Outcome[Row]:
        """Answer its readable fields as they are now.

        Fails with:
            Invalid: A field is named that callers may not change.

            NotFound: There is none that the caller may see.

            Stale: It has another version than the expected one.

            AlreadyExists, ReferenceBroken, CheckFailed: The store refused the new values.
        """
        resource = self._resource
        if (foreign := foreign_fields(command.patch, self._changeable)) is not None:
            return foreign
        async with self._unit_of_work() as work:
            updated = await work.repository(resource).update(
                command.key, command.patch, expected_version=command.expected_version
            )
            if isinstance(updated, Failure):
                return updated
            row = resource.shown(updated.unwrap())
            work.record(
                EntityUpdated(
                    resource=resource.name,
                    key=command.key,
                    values=dict(row),
                    changed=frozenset(command.patch),
                    actor=context.principal.id,
                    correlation_id=context.correlation_id,
                    occurred_at=self._clock.now(),
                )
            )
            committed = await work.commit()
            return committed if isinstance(committed, Failure) else Success(row)
