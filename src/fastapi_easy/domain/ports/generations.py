"""Generations of stored tables: marks that change in the transaction of every change."""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol, runtime_checkable

from fastapi_easy.domain.errors import Outcome
from fastapi_easy.domain.ports.unit_of_work import UnitOfWork
from fastapi_easy.domain.resources.resource import Relation, Resource


@runtime_checkable
class Generations(Protocol):
    """The generations of the tables of one database, by name.

    A raise gives a table a generation that it never had before, and becomes visible with the commit of its unit of
    work, neither sooner nor later. So whoever has read the same generation twice knows that nothing was committed in
    between that raised it.
    """

    def table_of(self, resource: Resource[Any]) -> str:
        """Return the name of the table that entities of *resource* are stored in, the same in every process."""
        ...

    def association_of(self, relation: Relation) -> str | None:
        """Return the name of the table that lies between both ends of *relation*; `None` without one."""
        ...

    async def prepare(self, names: Sequence[str]) -> Outcome[Sequence[str]]:
        """Make the store ready, and raise the generations *names*. Safe when many do so at once.

        Returns:
            Why the database cannot have generations, each a sentence with the way to mend it; empty when it can.

        Fails with:
            Unavailable: It did not answer.
        """
        ...

    async def read(self, names: Sequence[str]) -> Outcome[Mapping[str, str]]:
        """Return the committed generations of *names*, without those that were never raised.

        Fails with:
            Unavailable: The database did not answer.
        """
        ...

    async def raise_in(self, work: UnitOfWork, names: Sequence[str]) -> Outcome[None]:
        """Raise the generations *names* in the transaction of *work*, a unit of work of the store.

        It may wait for others that raise the same, until they have ended: nothing but the commit is to follow.

        Fails with:
            Unavailable: The database did not answer, or has ended the transaction.
        """
        ...
