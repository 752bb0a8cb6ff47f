"""Many changes of one resource in one call."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from returns.result import Success

from fastapi_easy.application.changes.batch import Batch, BulkAnswer
from fastapi_easy.application.changes.items import Change
from fastapi_easy.application.context import Context
from fastapi_easy.domain.errors import Outcome
from fastapi_easy.domain.ports.clock import Clock
from fastapi_easy.domain.ports.policy import Policy
from fastapi_easy.domain.ports.unit_of_work import UnitOfWork
from fastapi_easy.domain.resource import Resource


@dataclass(frozen=True, slots=True)
class ApplyBulk:
    """Make the changes of *items*, one after the other.

    Attributes:
        atomic: All or none; otherwise each stands alone.
    """

    items: Sequence[Change]
    atomic: bool = True


class ApplyBulkHandler:
    """Carries out `ApplyBulk`."""

    def __init__(
        self,
        resource: Resource[Any],
        unit_of_work: Callable[[], UnitOfWork],
        clock: Clock,
        policy: Policy | None = None,
    ) -> None:
        self._batch = Batch(resource, unit_of_work, clock, policy)

    async def __call__(self, command: ApplyBulk, context: Context, /) -> Outcome[BulkAnswer]:
        """Answer what became of each item; that one failed is part of the answer.

        Fails with: what `UnitOfWork.commit` fails with, when the call is atomic.
        """
        if command.atomic:
            return await self._batch.all_or_none(command.items, context)
        return Success(await self._batch.each(command.items, context))
