"""The use cases of one resource."""

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from fastapi_easy.application.changes_feed.change_feed import ChangeStream
from fastapi_easy.application.history.history_request import HistoryRequests
from fastapi_easy.application.pipeline.step import Handler
from fastapi_easy.application.queries.query_reader import QueryReader
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
from fastapi_easy.application.resources.streams.import_entities import ImportEntities, ImportReport
from fastapi_easy.application.resources.update_entity import UpdateEntity
from fastapi_easy.application.resources.upsert_entity import UpsertEntity
from fastapi_easy.application.secrets.password_verifier import PasswordVerifier
from fastapi_easy.domain.changes.answers import BulkAnswer, Upserted
from fastapi_easy.domain.changes.row import Row
from fastapi_easy.domain.history.history_entry import HistoryEntry
from fastapi_easy.domain.ports.validator import Validator
from fastapi_easy.domain.queries.aggregation import Group
from fastapi_easy.domain.queries.page import Page
from fastapi_easy.domain.resources.resource import Resource


@dataclass(frozen=True, slots=True, kw_only=True)
class UseCases:
    """The use cases of one resource, each wrapped in its steps.

    Every operation is there, whatever the resource offers: `Resource.operations` says what interfaces may show. Their
    table is `application.operations`.

    Attributes:
        resource: The resource they work on.

        queries: Parses queries, in the one grammar of all interfaces.

        histories: Reads requests for the history of entities.

        validator: Returns the validator; use cases that write call it themselves, in the step `validate`.

        actions: The user's own use cases, by name.

        passwords: Verifies passwords; `None` for a resource without.
    """

    resource: Resource[Any]
    queries: QueryReader
    histories: HistoryRequests
    validator: Callable[[], Validator]
    create: Handler[CreateEntity, Row]
    get: Handler[GetEntity, Row]
    list: Handler[ListEntities, Page[Row]]
    count: Handler[CountEntities, int]
    replace: Handler[ReplaceEntity, Row]
    update: Handler[UpdateEntity, Row]
    delete: Handler[DeleteEntity, None]
    restore: Handler[RestoreEntity, Row]
    purge: Handler[PurgeEntity, None]
    upsert: Handler[UpsertEntity, Upserted]
    bulk: Handler[ApplyBulk, BulkAnswer]
    aggregate: Handler[AggregateEntities, Sequence[Group]]
    export: Handler[ExportEntities, AsyncIterator[Sequence[Row]]]
    import_: Handler[ImportEntities, ImportReport]
    changes: Handler[FollowChanges, ChangeStream]
    history: Handler[ReadHistory, Page[HistoryEntry]]
    actions: Mapping[str, Handler[PerformAction, Any]]
    passwords: PasswordVerifier | None = None
