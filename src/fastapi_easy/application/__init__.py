"""The use cases, independent of any interface. Imports the standard library, the domain and `returns`."""

from fastapi_easy.application.calls.bound_action import BoundAction
from fastapi_easy.application.calls.bound_resource import BoundResource
from fastapi_easy.application.calls.caller import Caller
from fastapi_easy.application.calls.declared import Declared
from fastapi_easy.application.calls.dynamic_resource import DynamicResource
from fastapi_easy.application.changes.items import (
    Change,
    Create,
    CreateStored,
    Delete,
    DeleteWhere,
    Malformed,
    Update,
    UpdateWhere,
    Upsert,
)
from fastapi_easy.application.changes_feed.change_feed import Since
from fastapi_easy.application.context import NOBODY, Context, DryRun, Replay
from fastapi_easy.application.history.history_request import HistoryRequest
from fastapi_easy.application.kernel import Kernel
from fastapi_easy.application.pipeline.step import Handler, Step, Target
from fastapi_easy.application.resources.aggregate_entities import AggregateEntities
from fastapi_easy.application.resources.apply_bulk import ApplyBulk
from fastapi_easy.application.resources.count_entities import CountEntities
from fastapi_easy.application.resources.create_entity import CreateEntity
from fastapi_easy.application.resources.delete_entity import DeleteEntity
from fastapi_easy.application.resources.get_entity import GetEntity
from fastapi_easy.application.resources.list_entities import ListEntities
from fastapi_easy.application.resources.perform_action import Action, PerformAction
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
    Line,
)
from fastapi_easy.application.resources.update_entity import UpdateEntity
from fastapi_easy.application.resources.upsert_entity import UpsertEntity
from fastapi_easy.application.use_cases import UseCases
from fastapi_easy.domain.changes.answers import BulkAnswer, Upserted

__all__ = [
    "NOBODY",
    "Action",
    "AggregateEntities",
    "ApplyBulk",
    "BoundAction",
    "BoundResource",
    "BulkAnswer",
    "Caller",
    "Change",
    "Context",
    "CountEntities",
    "Create",
    "CreateEntity",
    "CreateStored",
    "Declared",
    "Delete",
    "DeleteEntity",
    "DeleteWhere",
    "DryRun",
    "DynamicResource",
    "ExportEntities",
    "FollowChanges",
    "GetEntity",
    "Handler",
    "HistoryRequest",
    "ImportEntities",
    "ImportMode",
    "ImportReport",
    "Kernel",
    "Line",
    "ListEntities",
    "Malformed",
    "PerformAction",
    "PurgeEntity",
    "ReadHistory",
    "ReplaceEntity",
    "Replay",
    "RestoreEntity",
    "Since",
    "Step",
    "Target",
    "Update",
    "UpdateEntity",
    "UpdateWhere",
    "Upsert",
    "UpsertEntity",
    "Upserted",
    "UseCases",
]
