"""Many changes of one resource in one call."""

from collections.abc import Sequence
from dataclasses import dataclass

from returns.result import Success

from fastapi_easy.application.access import Access
from fastapi_easy.application.changes.bulk_changes import BulkHandler
from fastapi_easy.application.changes.items import Change
from fastapi_easy.application.context import Context
from fastapi_easy.application.idempotency.fingerprint import refuse_idempotency_key
from fastapi_easy.domain.changes.answers import BulkAnswer
from fastapi_easy.domain.errors import Outcome
from fastapi_easy.domain.resources.options import Operation


@dataclass(frozen=True, slots=True)
class ApplyBulk:
    """Make the changes of *items*, one after the other.

    Attributes:
        atomic: All or none; otherwise each stands alone.
    """

    items: Sequence[Change]
    atomic: bool = True


class ApplyBulkHandler(BulkHandler):
    """Carries out `ApplyBulk`."""

    operation = Operation.BULK

    async def __call__(self, command: ApplyBulk, context: Context, /) -> Outcome[BulkAnswer]:
        """Return the outcome of each item; a failed item is part of the answer.

        Fails with: what `UnitOfWork.commit` fails with, when the call is atomic, also when an item does already.

            Invalid: There is an idempotency key, and the call is not atomic.

            Forbidden, Unauthenticated: The caller may change nothing in bulk, whatever the items are.
        """
        if command.atomic:
            return await self.apply_atomically(command.items, command, context)
        if context.idempotency_key is not None and context.dry_run is None:
            return refuse_idempotency_key(
                "Cannot be used with a bulk that is not atomic, which a retry could not continue: make it atomic"
            )
        access = await self._enter(context, self.operation)
        if not isinstance(access, Access):
            return access
        return Success(await self.apply_separately(command.items, context))
