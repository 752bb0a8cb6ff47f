"""One way to change something: a unit of work, what is done in it, and its end."""

from collections.abc import Awaitable, Callable
from typing import TypeVar

from fastapi_easy.application.changes.entity_writer import EntityWriter
from fastapi_easy.application.changes.settling import settle
from fastapi_easy.application.collaborators import ResourceHandler
from fastapi_easy.application.context import Context
from fastapi_easy.domain.errors import Outcome
from fastapi_easy.domain.ports.unit_of_work import UnitOfWork

T = TypeVar("T")


class Changing(ResourceHandler):
    """Changes entities of its resource, for whoever asks."""

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
        async with self._with.unit_of_work() as work:
            return await settle(work, context, await change(self._writer(work, context, single=single)))

    def _writer(self, work: UnitOfWork, context: Context, *, single: bool = False) -> EntityWriter:
        return EntityWriter(self._resource, work, context, self._with.clock, self._with.policy, single=single)
