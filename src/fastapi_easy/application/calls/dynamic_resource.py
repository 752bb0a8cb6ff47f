"""The use cases of one resource as methods that take fields and comparisons as keywords, and its actions by name."""

import datetime
from collections.abc import AsyncIterator, Iterable, Sequence
from typing import Any, Literal

from fastapi_easy.application.calls.arguments import (
    Condition,
    CountOption,
    Includes,
    Measures,
    Names,
    RowVersion,
)
from fastapi_easy.application.calls.bound_action import BoundAction
from fastapi_easy.application.calls.bound_resource import BoundResource
from fastapi_easy.application.calls.caller import Caller
from fastapi_easy.application.calls.keywords import merge_fields, without_none
from fastapi_easy.application.calls.unknown_names import unknown_name_message
from fastapi_easy.application.changes_feed.change_feed import ChangeStream, Since
from fastapi_easy.application.use_cases import UseCases
from fastapi_easy.domain.changes.answers import Upserted
from fastapi_easy.domain.changes.patch import Values
from fastapi_easy.domain.changes.row import Row
from fastapi_easy.domain.errors import Key, Outcome
from fastapi_easy.domain.queries.aggregation import Group
from fastapi_easy.domain.queries.page import Cursor, Page


class DynamicResource(BoundResource[Any]):
    """The type of `kernel.books`: `create(title="Emma")`, `list(price__lt=8)`, and actions as methods, `cancel(7)`.

    A field that is called like an option of a method has to be given in a mapping. An action that is called like a
    method is reached with `perform`.
    """

    __slots__ = ("_actions",)

    def __init__(self, use_cases: UseCases, caller: Caller) -> None:
        super().__init__(use_cases, caller)
        self._actions: dict[str, BoundAction] = {}

    async def create(self, values: Values | None = None, /, **fields: object) -> Outcome[Row]:
        """Store a new entity, whose fields are given as one mapping or as keywords."""
        return await super().create(merge_fields("create", values, fields))

    async def list(  # noqa: PLR0913 (every option of a page is one of this method)
        self,
        where: Condition | None = None,
        *,
        q: str | None = None,
        sort: Names | None = None,
        fields: Names | None = None,
        include: Includes | None = None,
        limit: int | None = None,
        offset: int | None = None,
        cursor: Cursor | str | None = None,
        count: CountOption | None = None,
        as_of: datetime.datetime | None = None,
        **comparisons: object,
    ) -> Outcome[Page[Row]]:
        """Read a page of the entities for which all *comparisons* hold, `price__lt=8`."""
        options = without_none(where=where, q=q, sort=sort, fields=fields, include=include, limit=limit)
        return await self._list(
            {**options, **without_none(offset=offset, cursor=cursor, count=count, as_of=as_of), **comparisons}
        )

    async def count(
        self, where: Condition | None = None, *, q: str | None = None, **comparisons: object
    ) -> Outcome[int]:
        """Count the entities for which all *comparisons* hold."""
        return await self._count({**without_none(where=where, q=q), **comparisons})

    async def aggregate(
        self,
        where: Condition | None = None,
        *,
        q: str | None = None,
        group_by: Names | None = None,
        total: Measures | None = None,
        limit: int | None = None,
        offset: int | None = None,
        **comparisons: object,
    ) -> Outcome[Sequence[Group]]:
        """Aggregate the entities for which all *comparisons* hold."""
        options = without_none(where=where, q=q, group_by=group_by, total=total, limit=limit, offset=offset)
        return await self._aggregate({**options, **comparisons})

    async def export(
        self,
        where: Condition | None = None,
        *,
        q: str | None = None,
        sort: Names | None = None,
        fields: Names | None = None,
        **comparisons: object,
    ) -> Outcome[AsyncIterator[Sequence[Row]]]:
        """Read every entity for which all *comparisons* hold, a batch at a time."""
        return await self._export({**without_none(where=where, q=q, sort=sort, fields=fields), **comparisons})

    async def changes(
        self,
        where: Condition | None = None,
        *,
        q: str | None = None,
        fields: Names | None = None,
        after: str | None = None,
        since: Since | Literal["now", "beginning"] = Since.NOW,
        **comparisons: object,
    ) -> Outcome[ChangeStream]:
        """Follow what happens to the entities for which all *comparisons* hold."""
        options = without_none(where=where, q=q, fields=fields)
        return await self._changes({**options, **comparisons}, after, since)

    async def update(
        self,
        key: Key,
        values: Values | None = None,
        /,
        *,
        expected_version: RowVersion | None = None,
        **fields: object,
    ) -> Outcome[Row]:
        """Update some fields of an entity, given as one mapping or as keywords."""
        changes = self._fields("update", values, fields, expected_version)
        return await super().update(key, changes, expected_version=expected_version)

    async def replace(
        self,
        key: Key,
        values: Values | None = None,
        /,
        *,
        expected_version: RowVersion | None = None,
        **fields: object,
    ) -> Outcome[Row]:
        """Replace every field of an entity, given as one mapping or as keywords."""
        whole = self._fields("replace", values, fields, expected_version)
        return await super().replace(key, whole, expected_version=expected_version)

    async def upsert(self, values: Values | None = None, /, **fields: object) -> Outcome[Upserted]:
        """Update the entity with the same unique fields, or create it; fields are one mapping, or keywords."""
        return await super().upsert(merge_fields("upsert", values, fields))

    def __getattr__(self, name: str) -> BoundAction:
        # `copy`, `pickle` and debuggers look up special names that are no actions.
        if name.startswith("_"):
            raise AttributeError(name, name=name, obj=self)
        action = self._actions.get(name)
        if action is None:
            action = self._actions[name] = self._action(name)
        return action

    def __dir__(self) -> Iterable[str]:
        return [*super().__dir__(), *(self._resource.actions or {})]

    def _action(self, name: str) -> BoundAction:
        declared = (self._resource.actions or {}).get(name)
        if declared is None:
            complaint = f"{self._resource.name} has no method or action"
            raise AttributeError(unknown_name_message(complaint, name, dir(self)), name=name, obj=self)
        return BoundAction(name, declared, self)

    def _fields(
        self, method: str, values: Values | None, fields: Values, version: RowVersion | None
    ) -> Values:
        options = {} if version is None else {"expected_version": version}
        return merge_fields(method, values, fields, options, self._resource.fields)
