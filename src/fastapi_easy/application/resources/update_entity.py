"""Change some fields of one entity."""

from collections.abc import Awaitable
from dataclasses import dataclass

from fastapi_easy.application.changes.change_handler import ChangeHandler
from fastapi_easy.application.changes.writes import UPDATE
from fastapi_easy.application.context import Context
from fastapi_easy.domain.changes.patch import Values
from fastapi_easy.domain.changes.row import Row
from fastapi_easy.domain.errors import Key, Outcome
from fastapi_easy.domain.resources.options import Operation


@dataclass(frozen=True, slots=True)
class UpdateEntity:
    """Set the fields of *patch* on the entity with *key*.

    Attributes:
        patch: The fields to set, or `Json`.

        expected_version: The version the change is based on; `None` changes whatever is there.
    """

    key: Key
    patch: Values
    expected_version: str | None = None


class UpdateEntityHandler(ChangeHandler):
    """Carries out `UpdateEntity`."""

    def __call__(self, command: UpdateEntity, context: Context, /) -> Awaitable[Outcome[Row]]:
        """Return its readable fields as they are now.

        Fails with:
            Invalid: A field is not what it has to be, or not for callers to change.

            Forbidden: The caller could not see it any more.

            NotFound: There is none that the caller may see.

            Stale: It has another version than the expected one.

            PreconditionRequired: The resource requires an expected version.

            AlreadyExists, ReferenceBroken, CheckFailed: The store refused the new values.
        """
        return self._run_in_unit_of_work(
            lambda writer: writer.update(command.key, command.patch, command.expected_version),
            command,
            context,
            Operation.UPDATE,
            single=UPDATE if self._is_single_update(command.patch) else None,
        )
