"""Update the entity identified by its unique fields, or create it."""

from dataclasses import dataclass
from typing import Final

from returns.result import Failure

from fastapi_easy.application.changes.change_handler import ChangeHandler
from fastapi_easy.application.context import Context
from fastapi_easy.domain.changes.answers import Upserted
from fastapi_easy.domain.changes.patch import Values
from fastapi_easy.domain.errors import AlreadyExists, Outcome
from fastapi_easy.domain.resources.options import Operation

ATTEMPTS: Final = 3
"""Times an upsert is tried when others make the same entity meanwhile."""


@dataclass(frozen=True, slots=True)
class UpsertEntity:
    """Set *values* on the entity that has their values of `Resource.upsert_by`, or create it.

    Attributes:
        values: Writable fields, or `Json`. Of an entity that is there, those that cannot change stay as they are.
    """

    values: Values


class UpsertEntityHandler(ChangeHandler):
    """Carries out `UpsertEntity`."""

    async def __call__(self, command: UpsertEntity, context: Context, /) -> Outcome[Upserted]:
        """Return its readable fields as they are now. Of two concurrent callers one creates it, the other updates it.

        Fails with:
            Invalid: A field is missing, not what it has to be, or not for callers to write; or one of
                `Resource.upsert_by` is missing or null.

            Forbidden: The caller could not see it.

            AlreadyExists: Values of other unique fields are taken, or those of an entity the caller may not see.

            ReferenceBroken, CheckFailed: The store refused the values.
        """
        upserted = await self._try(command, context)
        for _ in range(1, ATTEMPTS):
            if not self._lost_race(upserted):
                break
            upserted = await self._try(command, context)
        return upserted

    async def _try(self, command: UpsertEntity, context: Context) -> Outcome[Upserted]:
        return await self._run_in_unit_of_work(
            lambda writer: writer.upsert(command.values), command, context, Operation.UPSERT
        )

    def _lost_race(self, upserted: Outcome[Upserted]) -> bool:
        if not isinstance(upserted, Failure):
            return False
        error = upserted.failure()
        return isinstance(error, AlreadyExists) and set(error.fields) == set(self._resource.upsert_by)
