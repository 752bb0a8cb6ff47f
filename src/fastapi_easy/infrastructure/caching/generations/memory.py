"""Generations of a database in memory."""

from collections.abc import Mapping, Sequence
from typing import Any

from returns.result import Success

from fastapi_easy.domain.errors import Outcome
from fastapi_easy.domain.resources.resource import Relation, Resource
from fastapi_easy.infrastructure.persistence.memory.connection import MemoryDatabase


class MemoryGenerations:
    """Implements `Generations` in *database*."""

    def __init__(self, database: MemoryDatabase) -> None:
        self._database = database

    def table_of(self, resource: Resource[Any]) -> str:
        """Return the name of the class that entities of *resource* are stored as."""
        return resource.stored.__name__

    def association_of(self, relation: Relation) -> str | None:
        """Return the name of the class that the links of *relation* are stored as; `None` without one."""
        return None if relation.association is None else self.table_of(relation.association.resource)

    async def prepare(self, names: Sequence[str]) -> Outcome[Sequence[str]]:
        """Raise the generations *names*."""
        self._database.raise_generations(names)
        return Success(())

    async def read(self, names: Sequence[str]) -> Outcome[Mapping[str, str]]:
        """Return the generations of *names*."""
        known = self._database.generations
        return Success({name: known[name] for name in names if name in known})

    async def raise_in(self, work: Any, names: Sequence[str]) -> Outcome[None]:
        """Raise the generations *names* when *work*, a unit of work in memory, commits."""
        work.after_commit(lambda: self._database.raise_generations(names))
        return Success(None)
