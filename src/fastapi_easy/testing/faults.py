"""Repositories that fail or are slow, for tests."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from types import SimpleNamespace
from typing import Any, get_args

from returns.result import Failure

from fastapi_easy.domain.changes.patch import Patch, Values
from fastapi_easy.domain.changes.row import Row
from fastapi_easy.domain.errors import Error, Key, Outcome, Unavailable
from fastapi_easy.domain.ports.repository import EVERYTHING, Repository, StreamBroken
from fastapi_easy.domain.queries.aggregation import Aggregation, Group
from fastapi_easy.domain.queries.page import Page
from fastapi_easy.domain.queries.query import Query
from fastapi_easy.domain.queries.specification import Specification
from fastapi_easy.domain.resources.resource import Relation


class FailingRepository:
    """A `Repository` whose every method fails with the same error.

    Takes the place of any repository, so whatever that one is made from is accepted and ignored.

    Args:
        arguments: The first that is an `Error` is the one to fail with; `Unavailable` when there is none.

        error: The same by name.
    """

    def __init__(self, *arguments: object, error: Error | None = None, **_: object) -> None:
        given: list[Any] = [each for each in (error, *arguments) if isinstance(each, get_args(Error))]
        self._error: Error = given[0] if given else Unavailable("repository")

    async def read(
        self, key: Key, fields: Sequence[str] | None = None, *, scope: Specification = EVERYTHING
    ) -> Outcome[Row]:
        """Fail."""
        return Failure(self._error)

    async def select(self, query: Query) -> Outcome[Page[Row]]:
        """Fail."""
        return Failure(self._error)

    async def select_each(
        self, relation: Relation, sources: Sequence[tuple[Any, ...]], query: Query
    ) -> Outcome[Sequence[Sequence[Row]]]:
        """Fail."""
        return Failure(self._error)

    async def aggregate(self, aggregation: Aggregation) -> Outcome[Sequence[Group]]:
        """Fail."""
        return Failure(self._error)

    async def stream(self, query: Query, *, chunk: int = 500) -> AsyncIterator[Sequence[Row]]:
        """Raise before the first row."""
        raise StreamBroken(getattr(self._error, "dependency", "repository"), self._error)
        yield ()

    async def count(self, specification: Specification) -> Outcome[int]:
        """Fail."""
        return Failure(self._error)

    async def add(self, values: Values) -> Outcome[Row]:
        """Fail."""
        return Failure(self._error)

    async def add_all(self, many: Sequence[Values]) -> Outcome[Sequence[Row]]:
        """Fail."""
        return Failure(self._error)

    async def add_stored(self, many: Sequence[Values]) -> Outcome[Sequence[Row]]:
        """Fail."""
        return Failure(self._error)

    async def update(
        self,
        key: Key,
        patch: Patch,
        *,
        expected_version: str | None = None,
        scope: Specification = EVERYTHING,
    ) -> Outcome[Row]:
        """Fail."""
        return Failure(self._error)

    async def remove(
        self, key: Key, *, expected_version: str | None = None, scope: Specification = EVERYTHING
    ) -> Outcome[None]:
        """Fail."""
        return Failure(self._error)

    async def update_where(
        self, specification: Specification, patch: Patch, *, max_affected: int
    ) -> Outcome[int]:
        """Fail."""
        return Failure(self._error)

    async def remove_where(self, specification: Specification, *, max_affected: int) -> Outcome[int]:
        """Fail."""
        return Failure(self._error)

    def entity_from(self, row: Row) -> SimpleNamespace:
        """Return the values of *row* as attributes."""
        return SimpleNamespace(**row)

    def values_of(self, entity: object) -> Values:
        """Return nothing: no entity gets as far as being stored."""
        return {}


class SlowRepository:
    """A `Repository` that delays every call of *inner* by *seconds*."""

    def __init__(self, inner: Repository[Any], seconds: float) -> None:
        self._inner = inner
        self._seconds = seconds

    def in_transaction(self, connection: object) -> "SlowRepository":
        """Return *inner* inside *connection*, with the same delay."""
        inside = getattr(self._inner, "in_transaction", None)
        return self if inside is None else SlowRepository(inside(connection), self._seconds)

    async def read(
        self, key: Key, fields: Sequence[str] | None = None, *, scope: Specification = EVERYTHING
    ) -> Outcome[Row]:
        """Call *inner* after the delay."""
        await asyncio.sleep(self._seconds)
        return await self._inner.read(key, fields, scope=scope)

    async def select(self, query: Query) -> Outcome[Page[Row]]:
        """Call *inner* after the delay."""
        await asyncio.sleep(self._seconds)
        return await self._inner.select(query)

    async def select_each(
        self, relation: Relation, sources: Sequence[tuple[Any, ...]], query: Query
    ) -> Outcome[Sequence[Sequence[Row]]]:
        """Call *inner* after the delay."""
        await asyncio.sleep(self._seconds)
        return await self._inner.select_each(relation, sources, query)

    async def aggregate(self, aggregation: Aggregation) -> Outcome[Sequence[Group]]:
        """Call *inner* after the delay."""
        await asyncio.sleep(self._seconds)
        return await self._inner.aggregate(aggregation)

    async def stream(self, query: Query, *, chunk: int = 500) -> AsyncIterator[Sequence[Row]]:
        """Stream as *inner* does, after the delay."""
        await asyncio.sleep(self._seconds)
        async for rows in self._inner.stream(query, chunk=chunk):
            yield rows

    async def count(self, specification: Specification) -> Outcome[int]:
        """Call *inner* after the delay."""
        await asyncio.sleep(self._seconds)
        return await self._inner.count(specification)

    async def add(self, values: Values) -> Outcome[Row]:
        """Call *inner* after the delay."""
        await asyncio.sleep(self._seconds)
        return await self._inner.add(values)

    async def add_all(self, many: Sequence[Values]) -> Outcome[Sequence[Row]]:
        """Call *inner* after the delay."""
        await asyncio.sleep(self._seconds)
        return await self._inner.add_all(many)

    async def add_stored(self, many: Sequence[Values]) -> Outcome[Sequence[Row]]:
        """Call *inner* after the delay."""
        await asyncio.sleep(self._seconds)
        return await self._inner.add_stored(many)

    async def update(
        self,
        key: Key,
        patch: Patch,
        *,
        expected_version: str | None = None,
        scope: Specification = EVERYTHING,
    ) -> Outcome[Row]:
        """Call *inner* after the delay."""
        await asyncio.sleep(self._seconds)
        return await self._inner.update(key, patch, expected_version=expected_version, scope=scope)

    async def remove(
        self, key: Key, *, expected_version: str | None = None, scope: Specification = EVERYTHING
    ) -> Outcome[None]:
        """Call *inner* after the delay."""
        await asyncio.sleep(self._seconds)
        return await self._inner.remove(key, expected_version=expected_version, scope=scope)

    async def update_where(
        self, specification: Specification, patch: Patch, *, max_affected: int
    ) -> Outcome[int]:
        """Call *inner* after the delay."""
        await asyncio.sleep(self._seconds)
        return await self._inner.update_where(specification, patch, max_affected=max_affected)

    async def remove_where(self, specification: Specification, *, max_affected: int) -> Outcome[int]:
        """Call *inner* after the delay."""
        await asyncio.sleep(self._seconds)
        return await self._inner.remove_where(specification, max_affected=max_affected)

    def entity_from(self, row: Row) -> Any:
        """Call *inner* at once: no store takes part."""
        return self._inner.entity_from(row)

    def values_of(self, entity: Any) -> Values:
        """Call *inner* at once: no store takes part."""
        return self._inner.values_of(entity)
