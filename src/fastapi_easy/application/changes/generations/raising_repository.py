"""The entities that one caller changes, where answers are kept that depend on them."""

from collections.abc import Coroutine, Sequence
from typing import Any, TypeVar

from fastapi_easy.application.cached_tables import Effect
from fastapi_easy.application.changes.caller_repository import CallerRepository
from fastapi_easy.domain.changes.patch import Patch, Values
from fastapi_easy.domain.changes.row import Row
from fastapi_easy.domain.errors import Key, Outcome
from fastapi_easy.domain.ports.repository import EVERYTHING, Repository
from fastapi_easy.domain.queries.specification import Specification

E = TypeVar("E")


class RaisingRepository(CallerRepository[E]):
    """Implements `Repository`: the caller's view, whose every change raises the generations of the tables it concerns.

    A write that fails raises them as well, since a unit of work can go on after it.
    """

    @property
    def deleted(self) -> Repository[E]:
        """The entities that are marked as deleted."""
        return self._view_of_deleted(RaisingRepository)

    def add(self, values: Values) -> Coroutine[Any, Any, Outcome[Row]]:
        """Store a new entity."""
        self._recorder.raise_generations(self._resource, Effect.ADD)
        return super().add(values)

    async def add_all(self, many: Sequence[Values]) -> Outcome[Sequence[Row]]:
        """Store several new entities, all or none."""
        self._recorder.raise_generations(self._resource, Effect.ADD)
        return await super().add_all(many)

    async def add_stored(self, many: Sequence[Values]) -> Outcome[Sequence[Row]]:
        """Store several entities as a store held them before, all or none."""
        self._recorder.raise_generations(self._resource, Effect.ADD)
        return await super().add_stored(many)

    def update(
        self,
        key: Key,
        patch: Patch,
        *,
        expected_version: str | None = None,
        scope: Specification = EVERYTHING,
    ) -> Coroutine[Any, Any, Outcome[Row]]:
        """Set the fields of *patch* on the entity with *key*."""
        self._recorder.raise_generations(self._resource, Effect.CHANGE)
        return super().update(key, patch, expected_version=expected_version, scope=scope)

    async def remove(
        self, key: Key, *, expected_version: str | None = None, scope: Specification = EVERYTHING
    ) -> Outcome[None]:
        """Remove the entity with *key*."""
        self._recorder.raise_generations(self._resource, Effect.REMOVE)
        return await super().remove(key, expected_version=expected_version, scope=scope)

    async def update_where(
        self, specification: Specification, patch: Patch, *, max_affected: int
    ) -> Outcome[int]:
        """Set the fields of *patch* on every match of *specification*."""
        self._recorder.raise_generations(self._resource, Effect.CHANGE)
        return await super().update_where(specification, patch, max_affected=max_affected)

    async def remove_where(self, specification: Specification, *, max_affected: int) -> Outcome[int]:
        """Remove every entity that matches *specification*."""
        self._recorder.raise_generations(self._resource, Effect.REMOVE)
        return await super().remove_where(specification, max_affected=max_affected)
