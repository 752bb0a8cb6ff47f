"""The database in the process."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

from returns.result import Failure, Success

from fastapi_easy.domain.changes.generation import new_generation
from fastapi_easy.domain.changes.journal import JournalRow, SystemTable
from fastapi_easy.domain.changes.patch import Values
from fastapi_easy.domain.errors import Outcome, Unavailable
from fastapi_easy.domain.ports.database import Pool, SchemaMode
from fastapi_easy.domain.resources.capability import EVERY_CAPABILITY, Capability
from fastapi_easy.domain.resources.resource import Resource, Shape
from fastapi_easy.domain.resources.tables.omitted import without_search
from fastapi_easy.domain.values.plain_json import to_plain_json
from fastapi_easy.infrastructure.persistence.memory.tables import Table
from fastapi_easy.infrastructure.persistence.memory.transaction import MemoryTransaction


class MemoryDatabase:
    """Implements `Database` in the process. What it holds lives as long as the object."""

    technology = "memory"
    capabilities: frozenset[Capability] = EVERY_CAPABILITY
    pool: Pool | None = None

    def __init__(self, name: str = "default") -> None:
        self.name = name
        self._tables: dict[type[Any], Table] = {}
        self.generations: dict[str, str] = {}
        self._system_rows: dict[str, list[dict[str, Any]]] = {}
        self._numbers: Counter[str] = Counter()
        self._is_open = False

    def narrow_shape(self, name: str, shape: Shape) -> tuple[Shape, list[str]]:
        """Return *shape* as it is: whatever Python can hold can be stored."""
        return replace(shape, omitted=without_search(shape.omitted)) if shape.omitted else shape, []

    async def open(self) -> None:
        """Answer `check` from now on."""
        self._is_open = True

    async def close(self) -> None:
        """Answer `check` no longer."""
        self._is_open = False

    async def check(self) -> Outcome[None]:
        """Ask whether it is open."""
        return Success(None) if self._is_open else Failure(Unavailable(self.name))

    async def prepare(self, resources: Sequence[Resource[Any]], mode: SchemaMode) -> Outcome[Sequence[str]]:
        """Refuse association tables that no class can be mapped to; others are made when they are first asked for.

        One of which no resource is declared is empty: nobody could write into it.
        """
        return Success(
            [
                f"{relation!r} uses an association table that no class is mapped to, which is not stored in memory: "
                "leave it out of the relations of the resource"
                for resource in resources
                for relation in resource.relations.values()
                if relation.through is not None and relation.through.name is None
            ]
        )

    def begin(self) -> MemoryTransaction:
        """Return a new transaction."""
        return MemoryTransaction()

    def keep(self, rows: Sequence[JournalRow]) -> None:
        """Append *rows* to the system's own tables."""
        for row in rows:
            table = row.table
            values = {
                each.name: to_plain_json(row.values.get(each.name))
                if each.name in table.documents
                else row.values.get(each.name)
                for each in table.fields
            }
            if table.number is not None:
                self._numbers[table.name] += 1
                values[table.number] = self._numbers[table.name]
            self.system_table(table).append(values)

    def system_table(self, table: SystemTable) -> list[dict[str, Any]]:
        """Return the rows of *table* themselves, for the adapter that it belongs to."""
        return self._system_rows.setdefault(table.name, [])

    def raise_generations(self, names: Iterable[str]) -> None:
        """Give each of the generations *names* a value that it never had."""
        self.generations.update((name, new_generation()) for name in names)

    def system_rows(self, table: SystemTable) -> Sequence[Values]:
        """Return the rows of *table*, in the order they were committed."""
        return tuple(self._system_rows.get(table.name, ()))

    def table(self, resource: Resource[Any]) -> Table:
        """Return the table of *resource*. Resources stored as the same class share one, as they do in a database."""
        table = self._tables.get(resource.stored)
        if table is None:
            table = self._tables[resource.stored] = Table(resource)
            table.enforce_references(self.table)
        return table
