"""Remove one entity."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from returns.result import Failure

from fastapi_easy.application.changes.entity_writer import EntityWriter
from fastapi_easy.application.changes.settling import settle
from fastapi_easy.application.context import Context
from fastapi_easy.domain.errors import Key, Outcome
from fastapi_easy.domain.ports.clock import Clock
from fastapi_easy.domain.ports.policy import Policy
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

    async def __call__(self, command: DeleteEntity, context: Context, /) -> Outcome[None]:
        """Answer nothing. Where the resource has `soft_delete`, the entity is marked and can be restored.

        Fails with:
            NotFound: There is none that the caller may see, or not any more.

            Stale: It has another version than the expected one.

            PreconditionRequired: The resource wants to be told a version.

            ReferenceBroken: Others refer to it.
        """
        async with self._unit_of_work() as work:
            writer = EntityWriter(self._resource, work, context, self._clock, self._policy)
            removed = await writer.delete(command.key, command.expected_version)
            return removed if isinstance(removed, Failure) else await settle(work, context, None)
