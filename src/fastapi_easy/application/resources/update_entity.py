"""Change some fields of one entity."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from returns.result import Failure

from fastapi_easy.application.changes.entity_writer import EntityWriter
from fastapi_easy.application.changes.settling import settle
from fastapi_easy.application.context import Context
from fastapi_easy.domain.errors import Key, Outcome
from fastapi_easy.domain.patch import Patch
from fastapi_easy.domain.ports.clock import Clock
from fastapi_easy.domain.ports.policy import Policy
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

    async def __call__(self, command: UpdateEntity, context: Context, /) -> Outcome[Row]:
        """Answer its readable fields as they are now.

        Fails with:
            Invalid: A field is named that callers may not change.

            Forbidden: The caller could not see it any more.

            NotFound: There is none that the caller may see.

            Stale: It has another version than the expected one.

            PreconditionRequired: The resource wants to be told a version.

            AlreadyExists, ReferenceBroken, CheckFailed: The store refused the new values.
        """
        async with self._unit_of_work() as work:
            writer = EntityWriter(self._resource, work, context, self._clock, self._policy)
            changed = await writer.update(command.key, command.patch, command.expected_version)
            return changed if isinstance(changed, Failure) else await settle(work, context, changed.unwrap())
