"""One way to change something: a unit of work, what is done in it, and its end."""

from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from fastapi_easy.application.changes.entity_writer import EntityWriter
from fastapi_easy.application.changes.settling import settle
from fastapi_easy.application.context import Context
from fastapi_easy.domain.errors import Outcome
from fastapi_easy.domain.ports.clock import Clock
from fastapi_easy.domain.ports.policy import Policy
from fastapi_easy.domain.ports.unit_of_work import UnitOfWork
from fastapi_easy.domain.resource import Resource

T = TypeVar("T")


class Changing:
    """Changes entities of *resource*, for whoever asks.

    Args:
        resource: Whose entities.

        unit_of_work: Makes one; every change gets its own.

        clock: When it happened.

        policy: What callers may see; everything when there is none.
    """

    def __init__(
        self,
        resource: Resource[Any],
        unit_of_work: Callable[[], UnitOfWork],
        clock: Clock,
        policy: Policy | None = None,
    ) -> None:
        self._resource = resource
        self._unit_of_work = unit_of_work
        self._clock = clock
        self._policy = policy

    async def _alone(
        self,
        change: Callable[[EntityWriter], Awaitable[Outcome[T]]],
        context: Context,
        *,
        single: bool = False,
    ) -> Outcome[T]:
        """What *change* came to in a unit of work of its own, which is committed unless it failed.

        Args:
            change: What is done.

            context: For whom.

            single: It is one call of one repository.
        """
        async with self._unit_of_work() as work:
            return await settle(work, context, await change(self._writer(work, context, single=single)))

    def _writer(self, work: UnitOfWork, context: Context, *, single: bool = False) -> EntityWriter:
        return EntityWriter(self._resource, work, context, self._clock, self._policy, single=single)
