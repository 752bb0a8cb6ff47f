"""Remove one entity."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from returns.result import Failure

from fastapi_easy.application.context import Context
from fastapi_easy.domain.errors import Key, Outcome
from fastapi_easy.domain.events import EntityDeleted
from fastapi_easy.domain.ports.clock import Clock
from fastapi_easy.domain.ports.unit_of_work import UnitOfWork
from fastapi_easy.domain.resource import Resource


@dataclass(frozen=True, slots=True)
class DeleteEntity:
    """Remove the entity with *key*.

    Attributes:
        expected_version: The version the removal is based on; `None` removes whatever is there.
    """

    key: Key
    expected_version: str | None = None


class DeleteEntityHandler:
    """Carries out `DeleteEntity`."""

    def __init__(self, resource: Resource[Any], unit_of_work: Callable[[], UnitOfWork], clock: Clock) -> None:
        self._resource = resource
        self._unit_of_work = unit_of_work
        self._clock = clock

    async def __call__(self, command: DeleteEntity, context: Context, /) -> Outcome[None]:
        """Answer nothing.

        Fails with:
            NotFound: There is none that the caller may see, or not any more.

            Stale: It has another version than the expected one.

            ReferenceBroken: Others refer to it.
        """
        resource = self._resource
        async with self._unit_of_work() as work:
            removed = await work.repository(resource).remove(
                command.key, expected_version=command.expected_version
            )
            if isinstance(removed, Failure):
                return removed
            work.record(
                EntityDeleted(
                    resource=resource.name,
                    key=command.key,
                    actor=context.principal.id,
                    correlation_id=context.correlation_id,
                    occurred_at=self._clock.now(),
                )
            )
            return await work.commit()
