"""Repositories that show only some entities: those in a scope, or those that are not soft-deleted."""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, Generic, TypeVar

from returns.result import Failure, Success

from fastapi_easy.domain.changes.journal import JournalRow
from fastapi_easy.domain.changes.patch import Patch, Values
from fastapi_easy.domain.changes.row import Row
from fastapi_easy.domain.errors import Key, Outcome
from fastapi_easy.domain.ports.repository import EVERYTHING, Repository
from fastapi_easy.domain.queries.aggregation import Aggregation, Group
from fastapi_easy.domain.queries.page import Page
from fastapi_easy.domain.queries.query import Query
from fastapi_easy.domain.queries.specification import Specification, all_of
from fastapi_easy.domain.resources.resource import Relation, Resource

E = TypeVar("E")


class ScopedRepository(Generic[E]):
    """Implements `Repository`: the entities of *inner* that *visible* means; no others can be read or changed.

    New entities are stored whether or not *visible* means them.
    """

    def __init__(self, inner: Repository[E], visible: Specification) -> None:
        self._inner = inner
        self._visible = visible

    def in_transaction(self, connection: object) -> Repository[E]:
        """Return the same, as narrow, inside *connection*."""
        return ScopedRepository(_in_transaction(self._inner, connection), self._visible)

    async def read(
        self, key: Key, fields: Sequence[str] | None = None, *, scope: Specification = EVERYTHING
    ) -> Outcome[Row]:
        """Return the row with *key*."""
        return await self._inner.read(key, fields, scope=all_of(scope, self._visible))

    async def select(self, query: Query) -> Outcome[Page[Row]]:
        """Return a page of rows."""
        return await self._inner.select(self._scope_query(query))

    def select_held(self, query: Query) -> Awaitable[Outcome[Page[Row]]] | None:
        """Return a page of rows that stay as they are until the transaction ends; `None` where none can be held."""
        return select_held(self._inner, self._scope_query(query))

    async def select_each(
        self, relation: Relation, sources: Sequence[tuple[Any, ...]], query: Query
    ) -> Outcome[Sequence[Sequence[Row]]]:
        """Return the rows that *relation* leads to, from each of *sources*."""
        return await self._inner.select_each(relation, sources, self._scope_query(query))

    async def aggregate(self, aggregation: Aggregation) -> Outcome[Sequence[Group]]:
        """Return the numbers that *aggregation* asks for."""
        narrowed = replace(aggregation, specification=self._scope(aggregation.specification))
        return await self._inner.aggregate(narrowed)

    def stream(self, query: Query, *, chunk: int = 500) -> AsyncIterator[Sequence[Row]]:
        """Yield every row of the query, some at a time."""
        return self._inner.stream(self._scope_query(query), chunk=chunk)

    async def count(self, specification: Specification) -> Outcome[int]:
        """Return how many entities *specification* means."""
        return await self._inner.count(self._scope(specification))

    async def add(self, values: Values) -> Outcome[Row]:
        """Store a new entity."""
        return await self._inner.add(values)

    async def add_all(self, many: Sequence[Values]) -> Outcome[Sequence[Row]]:
        """Store several new entities, all or none."""
        return await self._inner.add_all(many)

    async def add_stored(self, many: Sequence[Values]) -> Outcome[Sequence[Row]]:
        """Store several entities as a store held them before, all or none."""
        return await self._inner.add_stored(many)

    async def update(
        self,
        key: Key,
        patch: Patch,
        *,
        expected_version: str | None = None,
        scope: Specification = EVERYTHING,
    ) -> Outcome[Row]:
        """Set the fields of *patch* on the entity with *key*."""
        return await self._inner.update(
            key, patch, expected_version=expected_version, scope=all_of(scope, self._visible)
        )

    async def remove(
        self, key: Key, *, expected_version: str | None = None, scope: Specification = EVERYTHING
    ) -> Outcome[None]:
        """Remove the entity with *key*."""
        return await self._inner.remove(
            key, expected_version=expected_version, scope=all_of(scope, self._visible)
        )

    async def update_where(
        self, specification: Specification, patch: Patch, *, max_affected: int
    ) -> Outcome[int]:
        """Set the fields of *patch* on every entity that *specification* means."""
        return await self._inner.update_where(self._scope(specification), patch, max_affected=max_affected)

    async def remove_where(self, specification: Specification, *, max_affected: int) -> Outcome[int]:
        """Remove every entity that *specification* means."""
        return await self._inner.remove_where(self._scope(specification), max_affected=max_affected)

    def entity_from(self, row: Row) -> E:
        """Return an instance of the user's class that holds *row*."""
        return self._inner.entity_from(row)

    def values_of(self, entity: E) -> Values:
        """Return the values that *entity* holds."""
        return self._inner.values_of(entity)

    def _scope_query(self, query: Query) -> Query:
        return replace(query, specification=self._scope(query.specification))

    def _scope(self, specification: Specification) -> Specification:
        """Return the visible ones of the entities that *specification* means."""
        return all_of(specification, self._visible)


class SoftDeletingRepository(ScopedRepository[E]):
    """Implements `Repository` with soft deletion: removing an entity of *inner* marks it, which hides it from then on.

    Args:
        inner: Where the entities are, deleted or not.

        resource: Declared with `soft_delete`.

        now: Returns the time of a deletion.
    """

    def __init__(self, inner: Repository[E], resource: Resource[E], now: Callable[[], datetime]) -> None:
        super().__init__(inner, resource.alive)
        self._resource = resource
        self._now = now

    @property
    def deleted(self) -> Repository[E]:
        """The entities that are marked, and no others. What is removed from these is gone."""
        return ScopedRepository(self._inner, self._resource.deleted)

    def in_transaction(self, connection: object) -> Repository[E]:
        """Return the same inside *connection*."""
        return SoftDeletingRepository(_in_transaction(self._inner, connection), self._resource, self._now)

    def with_journal_rows(self, rows: Sequence[JournalRow]) -> Repository[E] | None:
        """Return the same, whose next write inserts *rows* too; `None` when it cannot."""
        inner = with_journal_rows(self._inner, rows)
        return None if inner is None else SoftDeletingRepository(inner, self._resource, self._now)

    async def remove(
        self, key: Key, *, expected_version: str | None = None, scope: Specification = EVERYTHING
    ) -> Outcome[None]:
        """Mark the entity with *key* as deleted."""
        marked = await self.update(key, self._mark(), expected_version=expected_version, scope=scope)
        return marked if isinstance(marked, Failure) else Success(None)

    async def remove_where(self, specification: Specification, *, max_affected: int) -> Outcome[int]:
        """Mark every entity that *specification* means as deleted."""
        return await self.update_where(specification, self._mark(), max_affected=max_affected)

    def _mark(self) -> Patch:
        return Patch({str(self._resource.soft_delete): self._now()})


def deleted_entities(repository: Repository[E]) -> Repository[E]:
    """Return the deleted entities of *repository*; a stand-in that knows nothing of deletion stays as it is."""
    deleted: Repository[E] = getattr(repository, "deleted", repository)
    return deleted


def with_journal_rows(repository: Repository[E], rows: Sequence[JournalRow]) -> Repository[E] | None:
    """Return *repository*, whose next write inserts *rows* in the same statement; `None` when it cannot."""
    with_rows: Callable[[Sequence[JournalRow]], Repository[E] | None] | None = getattr(
        repository, "with_journal_rows", None
    )
    return None if with_rows is None else with_rows(rows)


def select_held(repository: Repository[E], query: Query) -> Awaitable[Outcome[Page[Row]]] | None:
    """Return a page of rows of *repository*, which stay as they are until the transaction ends; `None` if none do."""
    held: Callable[[Query], Awaitable[Outcome[Page[Row]]] | None] | None = getattr(
        repository, "select_held", None
    )
    return None if held is None else held(query)


def _in_transaction(repository: Repository[E], connection: object) -> Repository[E]:
    in_transaction: Callable[[object], Repository[E]] | None = getattr(repository, "in_transaction", None)
    return repository if in_transaction is None else in_transaction(connection)
