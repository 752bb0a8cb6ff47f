"""Give one entity a whole new set of values."""

from collections.abc import Awaitable
from dataclasses import dataclass

from fastapi_easy.application.changes.change_handler import ChangeHandler
from fastapi_easy.application.changes.writes import UPDATE
from fastapi_easy.application.context import Context
from fastapi_easy.domain.changes.patch import Values
from fastapi_easy.domain.changes.row import Row
from fastapi_easy.domain.errors import Fault, Key, Outcome
from fastapi_easy.domain.resources.options import Operation


@dataclass(frozen=True, slots=True)
class ReplaceEntity:
    """Give the entity with *key* the fields of *values*, and its defaults in all other fields the caller may change.

    Attributes:
        values: The fields to keep, or `Json`.

        expected_version: The version the change is based on; `None` changes whatever is there.

        missing: The fields without a default that were left out, as the step `validate` found them: only who may
            change them has to give them.
    """

    key: Key
    values: Values
    expected_version: str | None = None
    missing: tuple[Fault, ...] = ()


class ReplaceEntityHandler(ChangeHandler):
    """Carries out `ReplaceEntity`."""

    def __call__(self, command: ReplaceEntity, context: Context, /) -> Awaitable[Outcome[Row]]:
        """Return its readable fields as they are now. What the caller may not change stays as it is. Never creates.

        Fails with:
            Invalid: A field without a default was left out, is not what it has to be, or is not for callers to change.

            Forbidden: A field is not for this caller to change, or they could not see the entity any more.

            NotFound: There is none that the caller may see.

            Stale: It has another version than the expected one.

            PreconditionRequired: The resource requires an expected version.

            AlreadyExists, ReferenceBroken, CheckFailed: The store refused the new values.
        """
        return self._run_in_unit_of_work(
            lambda writer: writer.replace(
                command.key, command.values, command.expected_version, command.missing
            ),
            command,
            context,
            Operation.REPLACE,
            single=UPDATE if self._is_single_update(command.values) else None,
        )
