"""Change the entity that is known by its unique fields, or make it."""

from dataclasses import dataclass
from typing import Final

from returns.result import Failure

from fastapi_easy.application.changes.change_handler import Changing
from fastapi_easy.application.changes.entity_writer import Upserted
from fastapi_easy.application.context import Context
from fastapi_easy.domain.changes.patch import Values
from fastapi_easy.domain.errors import AlreadyExists, Outcome
from fastapi_easy.domain.resources.options import Operation

ATTEMPTS: Final = 3
"""Times an upsert is tried when others make the same entity meanwhile."""


@dataclass(frozen=True, slots=True)
class UpsertEntity:
    """Give the entity that has the values of `Resource.upsert_by` the other *values*, or make it.

    Attributes:
        values: Writable fields, or `Json`. Of an entity that is there, those that cannot change stay as they are.
    """

    values: Values


class UpsertEntityHandler(Changing):
    """Carries out `UpsertEntity`."""

    async def __call__(self, command: UpsertEntity, context: Context, /) -> Outcome[Upserted]:
        """Answer its readable fields as they are now. Of two callers at once one makes it, the other changes it.

        Fails with:
            Invalid: A field is missing, not what it has to be, or not for callers to write; or one of
                `Resource.upsert_by` is missing or null.

            Forbidden: The caller could not see it.

            AlreadyExists: Values of other unique fields are taken, or those of an entity the caller may not see.

            ReferenceBroken, CheckFailed: The store refused the values.
        """
        upserted = await self._try(command, context)
        for _ in range(1, ATTEMPTS):
            if not self._was_overtaken(upserted):
                break
            upserted = await self._try(command, context)
        return upserted

    async def _try(self, command: UpsertEntity, context: Context) -> Outcome[Upserted]:
        return await self._alone(lambda writer: writer.upsert(command.values), context, Operation.UPSERT)

    def _was_overtaken(self, upserted: Outcome[Upserted]) -> bool:
        if not isinstance(upserted, Failure):
            return False
        error = upserted.failure()
        return isinstance(error, AlreadyExists) and set(error.fields) == set(self._resource.upsert_by)
