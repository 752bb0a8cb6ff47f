"""Bring back a deleted entity."""

from dataclasses import dataclass

from fastapi_easy.application.changes.change_handler import ChangeHandler
from fastapi_easy.application.context import Context
from fastapi_easy.domain.changes.row import Row
from fastapi_easy.domain.errors import Key, Outcome
from fastapi_easy.domain.resources.options import Operation


@dataclass(frozen=True, slots=True)
class RestoreEntity:
    """Bring back the deleted entity with *key*. The resource has `soft_delete`.

    Attributes:
        expected_version: The version it has, as a deleted one; `None` restores whatever is there, also where versions
            are required, since the version of a deleted entity cannot be read.
    """

    key: Key
    expected_version: str | None = None


class RestoreEntityHandler(ChangeHandler):
    """Carries out `RestoreEntity`."""

    async def __call__(self, command: RestoreEntity, context: Context, /) -> Outcome[Row]:
        """Return its readable fields.

        Fails with:
            NotFound: No deleted entity has the key, or none that the caller may see.

            Stale: It has another version than the expected one.

            AlreadyExists: Meanwhile another has its values in unique fields.
        """
        return await self._run_in_unit_of_work(
            lambda writer: writer.restore(command.key, command.expected_version),
            command,
            context,
            Operation.RESTORE,
        )
