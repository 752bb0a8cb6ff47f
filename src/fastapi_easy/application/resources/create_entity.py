"""Store a new entity."""

from collections.abc import Awaitable
from dataclasses import dataclass

from fastapi_easy.application.changes.change_handler import ChangeHandler
from fastapi_easy.application.changes.writes import CREATE
from fastapi_easy.application.context import Context
from fastapi_easy.domain.changes.patch import Values
from fastapi_easy.domain.changes.row import Row
from fastapi_easy.domain.errors import Outcome
from fastapi_easy.domain.resources.options import Operation


@dataclass(frozen=True, slots=True)
class CreateEntity:
    """Store a new entity.

    Attributes:
        values: Its writable fields, or `Json`; those left out take their default, or null.
    """

    values: Values


class CreateEntityHandler(ChangeHandler):
    """Carries out `CreateEntity`."""

    def __call__(self, command: CreateEntity, context: Context, /) -> Awaitable[Outcome[Row]]:
        """Return its readable fields as stored.

        Fails with:
            Invalid: A field is missing, not what it has to be, or not for callers to write.

            Forbidden: The caller could not see it.

            AlreadyExists: The key, or values of other unique fields, are taken.

            ReferenceBroken, CheckFailed: The store's own rules refused it.
        """
        return self._run_in_unit_of_work(
            lambda writer: writer.create(command.values), command, context, Operation.CREATE, single=CREATE
        )
