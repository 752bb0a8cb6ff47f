"""The use cases of one resource as methods, for one caller, with signatures that type checkers understand."""

import datetime
from collections.abc import AsyncIterable, AsyncIterator, Callable, Iterable, Mapping, Sequence
from typing import Final, Generic, Literal, TypeVar

from returns.result import Failure, Success

from fastapi_easy.application.calls.arguments import (
    Condition,
    CountOption,
    Includes,
    Measures,
    Names,
    RowVersion,
)
from fastapi_easy.application.calls.caller import Caller
from fastapi_easy.application.calls.keywords import without_none
from fastapi_easy.application.calls.numbered_lines import numbered
from fastapi_easy.application.calls.performable import Performable
from fastapi_easy.application.changes.items import Change
from fastapi_easy.application.changes_feed.change_feed import ChangeStream, Since
from fastapi_easy.application.pipeline.step import Handler
from fastapi_easy.application.queries.query_reader import FILTERS
from fastapi_easy.application.resources.aggregate_entities import AggregateEntities
from fastapi_easy.application.resources.apply_bulk import ApplyBulk
from fastapi_easy.application.resources.count_entities import CountEntities
from fastapi_easy.application.resources.create_entity import CreateEntity
from fastapi_easy.application.resources.delete_entity import DeleteEntity
from fastapi_easy.application.resources.get_entity import GetEntity
from fastapi_easy.application.resources.list_entities import ListEntities
from fastapi_easy.application.resources.perform_action import PerformAction
from fastapi_easy.application.resources.purge_entity import PurgeEntity
from fastapi_easy.application.resources.read_history import ReadHistory
from fastapi_easy.application.resources.replace_entity import ReplaceEntity
from fastapi_easy.application.resources.restore_entity import RestoreEntity
from fastapi_easy.application.resources.streams.export_entities import ExportEntities
from fastapi_easy.application.resources.streams.follow_changes import FollowChanges
from fastapi_easy.application.resources.streams.import_entities import (
    ImportEntities,
    ImportMode,
    ImportReport,
)
from fastapi_easy.application.resources.update_entity import UpdateEntity
from fastapi_easy.application.resources.upsert_entity import UpsertEntity
from fastapi_easy.application.use_cases import UseCases
from fastapi_easy.domain.changes.answers import BulkAnswer, Upserted
from fastapi_easy.domain.changes.patch import Patch, Values
from fastapi_easy.domain.changes.row import Row
from fastapi_easy.domain.errors import DeclarationError, Key, Outcome
from fastapi_easy.domain.history.history_entry import HistoryEntry
from fastapi_easy.domain.queries.aggregation import Group
from fastapi_easy.domain.queries.page import Cursor, Page
from fastapi_easy.domain.queries.query import Query

E = TypeVar("E")
C = TypeVar("C")
T = TypeVar("T")

_SINGLE_ENTITY_OPTIONS: Final = frozenset({"fields", "include"})
_FEED_OPTIONS: Final = FILTERS | {"fields"}
_EXPORT_OPTIONS: Final = FILTERS | {"sort", "fields"}


class BoundResource(Generic[E]):
    """The use cases of one resource as methods. Each returns an outcome, and passes through every step.

    Entities are mappings of field names to Python values; a `DynamicResource` takes keywords as well. Queries are
    written in the grammar of HTTP, with Python values. What takes an `expected_version` is done only to an entity that
    still has that version.

    Args:
        use_cases: Those of the resource.

        caller: The caller, and how calls are made.
    """

    __slots__ = ("_caller", "_queries", "_resource", "_use_cases")

    def __init__(self, use_cases: UseCases, caller: Caller) -> None:
        self._use_cases = use_cases
        self._queries = use_cases.queries
        self._resource = use_cases.resource
        self._caller = caller

    async def create(self, values: Values, /) -> Outcome[Row]:
        """Store a new entity and return its readable fields.

        Fails with: what `CreateEntityHandler` fails with.
        """
        return await self._use_cases.create(CreateEntity(values), self._caller.context())

    async def get(
        self,
        key: Key,
        /,
        *,
        include: Includes | None = None,
        fields: Names | None = None,
        as_of: datetime.datetime | None = None,
    ) -> Outcome[Row]:
        """Read the entity with *key*, and related ones beside it; or as it was at a time in the past.

        Fails with: what `QueryReader.from_values` and `GetEntityHandler` fail with.
        """
        query = self._queries.from_values(
            without_none(include=include, fields=fields, as_of=as_of),
            options=_SINGLE_ENTITY_OPTIONS,
            takes_as_of=True,
        )
        if isinstance(query, Failure):
            return query
        request = query.unwrap()
        found = await self._call_with_key(
            self._use_cases.get, key, lambda key: GetEntity(key, request.includes, request.as_of)
        )
        return found if isinstance(found, Failure) else Success(_select_fields(found.unwrap(), request))

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
    ) -> Outcome[Page[Row]]:
        """Read a page of entities, or of what they were at a time in the past; go on with `cursor=page.next`.

        Fails with: what `QueryReader.from_values` and `ListEntitiesHandler` fail with.
        """
        options = without_none(where=where, q=q, sort=sort, fields=fields, include=include, limit=limit)
        return await self._list(
            options | without_none(offset=offset, cursor=cursor, count=count, as_of=as_of)
        )

    async def count(self, where: Condition | None = None, *, q: str | None = None) -> Outcome[int]:
        """Count entities.

        Fails with: what `QueryReader.from_values` and `CountEntitiesHandler` fail with.
        """
        return await self._count(without_none(where=where, q=q))

    async def aggregate(
        self,
        where: Condition | None = None,
        *,
        q: str | None = None,
        group_by: Names | None = None,
        total: Measures | None = None,
        limit: int | None = None,
        offset: int | None = None,
    ) -> Outcome[Sequence[Group]]:
        """Aggregate entities: counts, sums, averages, smallest and largest values, by group.

        Fails with: what `QueryReader.from_values` and `AggregateEntitiesHandler` fail with.
        """
        options = without_none(where=where, q=q, group_by=group_by, total=total, limit=limit, offset=offset)
        return await self._aggregate(options)

    async def export(
        self,
        where: Condition | None = None,
        *,
        q: str | None = None,
        sort: Names | None = None,
        fields: Names | None = None,
    ) -> Outcome[AsyncIterator[Sequence[Row]]]:
        """Read every entity, a batch at a time; asking for the next batch may raise `StreamBroken`.

        Fails with: what `QueryReader.from_values` and `ExportEntitiesHandler` fail with.
        """
        return await self._export(without_none(where=where, q=q, sort=sort, fields=fields))

    async def changes(
        self,
        where: Condition | None = None,
        *,
        q: str | None = None,
        fields: Names | None = None,
        after: str | None = None,
        since: Since | Literal["now", "beginning"] = Since.NOW,
    ) -> Outcome[ChangeStream]:
        """Follow what happens to entities, from now on or after the `position` of an earlier stream.

        The stream is an asynchronous iterator of messages, and is to be closed; its `end` says why it has ended.

        Fails with: what `QueryReader.from_values` and `FollowChangesHandler` fail with.
        """
        return await self._changes(without_none(where=where, q=q, fields=fields), after, since)

    async def history(
        self, key: Key, /, *, limit: int | None = None, cursor: Cursor | str | None = None
    ) -> Outcome[Page[HistoryEntry]]:
        """Read what happened to the entity with *key*, the newest first; go on with `cursor=page.next`.

        Fails with: what `HistoryRequests.from_values` and `ReadHistoryHandler` fail with.
        """
        request = self._use_cases.histories.from_values(
            without_none(limit=limit, cursor=cursor), key, tenant=self._caller.context().tenant
        )
        if isinstance(request, Failure):
            return request
        wanted = request.unwrap()
        return await self._call_with_key(self._use_cases.history, key, lambda key: ReadHistory(key, wanted))

    async def update(
        self, key: Key, values: Values, /, *, expected_version: RowVersion | None = None
    ) -> Outcome[Row]:
        """Update the fields in *values* and no others.

        Fails with: what `UpdateEntityHandler` fails with.
        """
        version, patch = _version_text(expected_version), Patch(values)
        return await self._call_with_key(
            self._use_cases.update, key, lambda key: UpdateEntity(key, patch, version)
        )

    async def replace(
        self, key: Key, values: Values, /, *, expected_version: RowVersion | None = None
    ) -> Outcome[Row]:
        """Replace the fields of the entity with *key* by *values*; the others get their defaults.

        Fails with: what `ReplaceEntityHandler` fails with.
        """
        version = _version_text(expected_version)
        return await self._call_with_key(
            self._use_cases.replace, key, lambda key: ReplaceEntity(key, values, version)
        )

    async def upsert(self, values: Values, /) -> Outcome[Upserted]:
        """Update the entity with the same unique fields, or create it.

        Fails with: what `UpsertEntityHandler` fails with.
        """
        return await self._use_cases.upsert(UpsertEntity(values), self._caller.context())

    async def delete(self, key: Key, /, *, expected_version: RowVersion | None = None) -> Outcome[None]:
        """Delete an entity; where the resource has `soft_delete` it is marked, and can be restored.

        Fails with: what `DeleteEntityHandler` fails with.
        """
        version = _version_text(expected_version)
        return await self._call_with_key(self._use_cases.delete, key, lambda key: DeleteEntity(key, version))

    async def restore(self, key: Key, /, *, expected_version: RowVersion | None = None) -> Outcome[Row]:
        """Restore a deleted entity.

        Fails with: what `RestoreEntityHandler` fails with.
        """
        version = _version_text(expected_version)
        return await self._call_with_key(
            self._use_cases.restore, key, lambda key: RestoreEntity(key, version)
        )

    async def purge(self, key: Key, /, *, expected_version: RowVersion | None = None) -> Outcome[None]:
        """Remove a deleted entity for good.

        Fails with: what `PurgeEntityHandler` fails with.
        """
        version = _version_text(expected_version)
        return await self._call_with_key(self._use_cases.purge, key, lambda key: PurgeEntity(key, version))

    async def bulk(self, items: Sequence[Change], /, *, atomic: bool = True) -> Outcome[BulkAnswer]:
        """Make many changes: all or none, or each on its own. A failed item is part of the answer.

        Fails with: what `ApplyBulkHandler` fails with.
        """
        return await self._use_cases.bulk(ApplyBulk(items, atomic), self._caller.context())

    async def import_(
        self,
        lines: Iterable[Values] | AsyncIterable[Values],
        /,
        *,
        upsert: bool = False,
        max_failures: int = 100,
        mode: ImportMode | Literal["auto", "create", "restore"] = ImportMode.AUTO,
    ) -> Outcome[ImportReport]:
        """Create an entity from each of *lines*, which are read as needed. Failed lines are part of the answer.

        A line with fields that `create` does not take, such as a generated key, restores an entity; *mode* says whether
        that is refused, or required.

        Fails with: what `ImportEntitiesHandler` fails with.
        """
        command = ImportEntities(numbered(lines), upsert, max_failures, ImportMode(mode))
        return await self._use_cases.import_(command, self._caller.context())

    async def perform(
        self, key: Key, action: Performable[T], /, *, expected_version: RowVersion | None = None
    ) -> Outcome[T]:
        """Perform *action*, an instance of one of the classes in the declaration's `actions`.

        Fails with: what `PerformActionHandler` fails with.

        Raises:
            TypeError: The resource was declared without it.
        """
        actions, version = self._resource.actions or {}, _version_text(expected_version)
        name = next((name for name, each in actions.items() if each is type(action)), None)
        if name is None:
            raise TypeError(
                f"{type(action).__name__} is not an action of {self._resource.name}: declare it in actions=[…]"
            )
        return await self._call_with_key(
            self._use_cases.actions[name], key, lambda key: PerformAction(key, action, version)
        )

    def version_of(self, row: Row, /) -> str:
        """Return which version *row* is, for `expected_version`; it holds at least the readable fields."""
        return self._resource.version_of(row)

    def __repr__(self) -> str:
        """Return the name by which the kernel knows it."""
        return f"<{type(self).__name__} {self._resource.name}>"

    async def verify_password(
        self, by: Values, password: str, /, *, field: str | None = None
    ) -> Outcome[Row | None]:
        """Return the readable fields of the entity whose password it is; `None` when it is nobody's.

        Asks no policy: the caller is not known yet. Takes the same work whether there is such an entity or not.

        Args:
            by: The key, or the values of unique fields: `{"email": "ann@example.org"}`.

            password: What the caller gave.

            field: The password field, where there are several.

        Fails with: what `PasswordVerifier.verify` fails with.

        Raises:
            DeclarationError: The resource has no such field, or *by* could mean several entities.
        """
        verifier = self._use_cases.passwords
        if verifier is None:
            raise DeclarationError([f"{self._resource.name} has no passwords: name one in fields.password"])
        return await verifier.verify(by, password, field)

    async def _call_with_key(self, handle: Handler[C, T], key: Key, make: Callable[[Key], C]) -> Outcome[T]:
        """Call *handle* with the command that *make* returns for *key*, once the key is checked."""
        checked = self._queries.check_key(key)
        if isinstance(checked, Failure):
            return checked
        return await handle(make(checked.unwrap()), self._caller.context())

    async def _list(self, values: Mapping[str, object]) -> Outcome[Page[Row]]:
        context = self._caller.context()
        query = self._queries.from_values(values, tenant=context.tenant, takes_as_of=True)
        if isinstance(query, Failure):
            return query
        return await self._use_cases.list(ListEntities(query.unwrap()), context)

    async def _count(self, values: Mapping[str, object]) -> Outcome[int]:
        query = self._queries.from_values(values, options=FILTERS)
        if isinstance(query, Failure):
            return query
        command = CountEntities(query.unwrap().specification)
        return await self._use_cases.count(command, self._caller.context())

    async def _aggregate(self, values: Mapping[str, object]) -> Outcome[Sequence[Group]]:
        request = self._queries.aggregation_from_values(values)
        if isinstance(request, Failure):
            return request
        return await self._use_cases.aggregate(AggregateEntities(request.unwrap()), self._caller.context())

    async def _changes(
        self, values: Mapping[str, object], after: str | None, since: Since | str
    ) -> Outcome[ChangeStream]:
        query = self._queries.from_values(values, options=_FEED_OPTIONS)
        if isinstance(query, Failure):
            return query
        command = FollowChanges(query.unwrap(), after, Since(since))
        return await self._use_cases.changes(command, self._caller.context())

    async def _export(self, values: Mapping[str, object]) -> Outcome[AsyncIterator[Sequence[Row]]]:
        query = self._queries.from_values(values, options=_EXPORT_OPTIONS)
        if isinstance(query, Failure):
            return query
        return await self._use_cases.export(ExportEntities(query.unwrap()), self._caller.context())


def _version_text(version: RowVersion | None) -> str | None:
    return None if version is None else str(version)


def _select_fields(row: Row, request: Query) -> Row:
    """Return *row* with the fields that were asked for, and what is included."""
    if request.fields is None:
        return row
    names = (*request.fields, *(include.relation.name for include in request.includes))
    return Row({name: row[name] for name in names if name in row})
