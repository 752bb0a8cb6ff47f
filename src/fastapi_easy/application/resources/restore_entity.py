"""Bring back a deleted entity."""

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
from fastapi_easy.domain.row import Row


@dataclass(frozen=True, slots=True)
class RestoreEntity:
    """Bring back the deleted entity with *key*. The resource has `soft_delete`."""

    key: Key


class RestoreEntityHandler:
    """Carries out `RestoreEntity`."""

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

    async def __call__(self, command: RestoreEntity, context: Context, /) -> Outcome[Row]:
        """Answer its readable fields.

        Fails with:
            NotFound: No deleted entity has the key, or none that the caller may see.

            AlreadyExists: Meanwhile another has its values in unique fields.
        """
        async with self._unit_of_work() as work:
            writer = EntityWriter(self._resource, work, context, self._clock, self._policy)
            done = await writer.restore(command.key)
            return done if isinstance(done, Failure) else await settle(work, context, done.unwrap())
