"""The base of handlers that change entities: begin a unit of work, change, commit."""

from collections.abc import Awaitable, Callable
from typing import TypeVar

from fastapi_easy.application.access import Access
from fastapi_easy.application.changes.caller_unit_of_work import CallerUnitOfWork
from fastapi_easy.application.changes.commit import commit_if_successful
from fastapi_easy.application.changes.entity_writer import EntityWriter
from fastapi_easy.application.changes.rule_checking_repository import has_merges
from fastapi_easy.application.collaborators import Collaborators, ResourceHandler
from fastapi_easy.application.context import Context
from fastapi_easy.domain.changes.patch import Values
from fastapi_easy.domain.errors import Outcome
from fastapi_easy.domain.ports.unit_of_work import innermost

T = TypeVar("T")


class ChangeHandler(ResourceHandler):
    """A handler that changes entities of its resource in a unit of work."""

    def __init__(self, collaborators: Collaborators) -> None:
        super().__init__(collaborators)
        # Decided here, and not for each call: most resources have neither rules nor documents.
        self._only_sets = self._resource.rules is None and not self._resource.mergeable

    def _new_unit_of_work(self, access: Access) -> CallerUnitOfWork:
        """Return a new unit of work with the permissions of *access*."""
        made = self._collaborators.unit_of_work()
        if type(made) is CallerUnitOfWork:
            return made.bind_access(access)
        return CallerUnitOfWork(
            access.context, inner=innermost(made), ports=self._collaborators.ports, access=access
        )

    def _is_single_update(self, patch: Values) -> bool:
        """Return whether to set *patch* is one call of the store, and needs nothing of what is stored."""
        if self._only_sets:
            return True
        return self._resource.rules is None and not has_merges(self._resource, patch)

    async def _run_in_unit_of_work(
        self,
        change: Callable[[EntityWriter], Awaitable[Outcome[T]]],
        context: Context,
        action: str,
        *,
        single: bool = False,
    ) -> Outcome[T]:
        """Run *change* in a unit of work of its own, commit unless it failed, and return its outcome.

        Args:
            change: The change to make.

            context: The context of the call.

            action: The name of the operation.

            single: Whether it is one call of one repository, which may then commit by itself.

        Fails with:
            Forbidden: The caller may not do *action*.
        """
        access = await self._enter(context, action)
        if not isinstance(access, Access):
            return access
        async with self._new_unit_of_work(access) as work:
            writer = EntityWriter(self._resource, work, access, single=single)
            return await commit_if_successful(work, await change(writer))
