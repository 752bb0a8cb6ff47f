"""Give one entity a whole new set of values."""

from dataclasses import dataclass

from returns.result import Failure, Success

from fastapi_easy.application.changes.change_handler import ChangeHandler
from fastapi_easy.application.context import Context
from fastapi_easy.domain.changes.patch import Patch, Values, reject_unknown_fields
from fastapi_easy.domain.changes.replacement import replacement_of
from fastapi_easy.domain.changes.row import Row
from fastapi_easy.domain.errors import Fault, Invalid, Key, Outcome
from fastapi_easy.domain.field import UNSET
from fastapi_easy.domain.resources.options import Operation


@dataclass(frozen=True, slots=True)
class ReplaceEntity:
    """Give the entity with *key* the fields of *values*, and its defaults in all other changeable fields.

    Attributes:
        values: The fields to keep, or `Json`.

        expected_version: The version the change is based on; `None` changes whatever is there.
    """

    key: Key
    values: Values
    expected_version: str | None = None


class ReplaceEntityHandler(ChangeHandler):
    """Carries out `ReplaceEntity`."""

    async def __call__(self, command: ReplaceEntity, context: Context, /) -> Outcome[Row]:
        """Return its readable fields as they are now. Never creates.

        Fails with:
            Invalid: A field without a default was left out, is not what it has to be, or is not for callers to change.

            Forbidden: The caller could not see it any more.

            NotFound: There is none that the caller may see.

            Stale: It has another version than the expected one.

            PreconditionRequired: The resource requires an expected version.

            AlreadyExists, ReferenceBroken, CheckFailed: The store refused the new values.
        """
        whole = self._complete(command.values)
        if isinstance(whole, Failure):
            return whole
        return await self._run_in_unit_of_work(
            lambda writer: writer.update(command.key, whole.unwrap(), command.expected_version),
            context,
            Operation.REPLACE,
            single=self._is_single_update(command.values),
        )

    def _complete(self, values: Values) -> Outcome[Patch]:
        if (unknown := reject_unknown_fields(values, self._resource.fields.keys())) is not None:
            return unknown
        complete = dict(values)
        missing: list[Fault] = []
        for name in self._resource.changeable:
            if name in complete:
                continue
            value = replacement_of(self._resource.fields[name])
            if value is UNSET:
                missing.append(Fault(f"/{name}", "Field required", "missing"))
            else:
                complete[name] = value
        return Failure(Invalid(tuple(missing))) if missing else Success(Patch(complete))
