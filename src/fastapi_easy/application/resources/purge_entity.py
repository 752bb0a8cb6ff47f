"""Remove a deleted entity for good."""

from dataclasses import dataclass

from fastapi_easy.application.changes.change_handler import ChangeHandler
from fastapi_easy.application.context import Context
from fastapi_easy.domain.errors import Key, Outcome
from fastapi_easy.domain.resources.options import Operation


@dataclass(frozen=True, slots=True)
class PurgeEntity:
    """Remove the deleted entity with *key* for good. The resource has `soft_delete`.

    Attributes:
        expected_version: The version it has, as a deleted one; `None` removes whatever is there, also where versions
            are required, since the version of a deleted entity cannot be read.
    """

    key: Key
    expected_version: str | None = None


class PurgeEntityHandler(ChangeHandler):
    """Carries out `PurgeEntity`."""

    async def __call__(self, command: PurgeEntity, context: Context, /) -> Outcome[None]:
        """Remove the deleted entity for good.

        Fails with:
            NotFound: No deleted entity has the key, or none that the caller may see.

            Stale: It has another version than the expected one.

            ReferenceBroken: Others refer to it.
        """
        return await self._run_in_unit_of_work(
            lambda writer: writer.purge(command.key, command.expected_version),
            command,
            context,
            Operation.PURGE,
        )
