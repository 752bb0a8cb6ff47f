"""Remove one entity."""

from dataclasses import dataclass

from fastapi_easy.application.changes.change_handler import ChangeHandler
from fastapi_easy.application.changes.writes import DELETE
from fastapi_easy.application.context import Context
from fastapi_easy.domain.errors import Key, Outcome
from fastapi_easy.domain.resources.options import Operation


@dataclass(frozen=True, slots=True)
class DeleteEntity:
    """Remove the entity with *key*.

    Attributes:
        expected_version: The version the removal is based on; `None` removes whatever is there.
    """

    key: Key
    expected_version: str | None = None


class DeleteEntityHandler(ChangeHandler):
    """Carries out `DeleteEntity`."""

    async def __call__(self, command: DeleteEntity, context: Context, /) -> Outcome[None]:
        """Remove the entity; with `soft_delete` it is only marked and can be restored.

        Fails with:
            NotFound: There is none that the caller may see, or not any more.

            Stale: It has another version than the expected one.

            PreconditionRequired: The resource requires an expected version.

            ReferenceBroken: Others refer to it.
        """
        return await self._run_in_unit_of_work(
            lambda writer: writer.delete(command.key, command.expected_version),
            command,
            context,
            Operation.DELETE,
            single=DELETE,
        )
