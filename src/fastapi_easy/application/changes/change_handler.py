"""One way to change something: a unit of work, what is done in it, and its end."""

from collections.abc import Awaitable, Callable
from typing import TypeVar

from fastapi_easy.application.access import Access
from fastapi_easy.application.changes.caller_unit_of_work import CallersWork
from fastapi_easy.application.changes.commit import settle
from fastapi_easy.application.changes.entity_writer import EntityWriter
from fastapi_easy.application.collaborators import ResourceHandler
from fastapi_easy.application.context import Context
from fastapi_easy.domain.errors import Outcome
from fastapi_easy.domain.ports.unit_of_work import innermost

T = TypeVar("T")


class Changing(ResourceHandler):
    """Changes entities of its resource, for whoever asks."""

    def _work(self, access: Access) -> CallersWork:
        """Return a new unit of work, as the caller of *access* sees it."""
        made = self._with.unit_of_work()
        if type(made) is CallersWork:
            return made.made_for(access)
        return CallersWork(access.context, inner=innermost(made), rules=self._with.rules, access=access)

    async def _alone(
        self,
        change: Callable[[EntityWriter], Awaitable[Outcome[T]]],
        context: Context,
        action: str,
        *,
        single: bool = False,
    ) -> Outcome[T]:
        """What *change* came to in a unit of work of its own, which is committed unless it failed.

        Args:
            change: What is done.

            context: For whom.

            action: What it is called.

            single: It is one call of one repository.

        Fails with:
            Forbidden: The caller may not do *action*.
        """
        access = await self._enter(context, action)
        if not isinstance(access, Access):
            return access
        async with self._work(access) as work:
            writer = EntityWriter(self._resource, work, access, single=single)
            return await settle(work, await change(writer))
