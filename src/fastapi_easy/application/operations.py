"""The table of built-in operations: name, command, handler and use case of each.

The providers of a resource, the kernel, and every interface are made from it (ADR 38). What only one interface knows,
such as an HTTP method, stands in a table of that interface, which is keyed by `Operation` too.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from keyword import iskeyword
from types import MappingProxyType
from typing import Any, Final, TypeVar

from fastapi_easy.application.collaborators import Collaborators
from fastapi_easy.application.pipeline.step import Handler
from fastapi_easy.application.resources.aggregate_entities import AggregateEntities, AggregateEntitiesHandler
from fastapi_easy.application.resources.apply_bulk import ApplyBulk, ApplyBulkHandler
from fastapi_easy.application.resources.count_entities import CountEntities, CountEntitiesHandler
from fastapi_easy.application.resources.create_entity import CreateEntity, CreateEntityHandler
from fastapi_easy.application.resources.delete_entity import DeleteEntity, DeleteEntityHandler
from fastapi_easy.application.resources.get_entity import GetEntity, GetEntityHandler
from fastapi_easy.application.resources.list_entities import ListEntities, ListEntitiesHandler
from fastapi_easy.application.resources.purge_entity import PurgeEntity, PurgeEntityHandler
from fastapi_easy.application.resources.read_history import ReadHistory, ReadHistoryHandler
from fastapi_easy.application.resources.replace_entity import ReplaceEntity, ReplaceEntityHandler
from fastapi_easy.application.resources.restore_entity import RestoreEntity, RestoreEntityHandler
from fastapi_easy.application.resources.streams.export_entities import ExportEntities, ExportEntitiesHandler
from fastapi_easy.application.resources.streams.follow_changes import FollowChanges, FollowChangesHandler
from fastapi_easy.application.resources.streams.import_entities import ImportEntities, ImportEntitiesHandler
from fastapi_easy.application.resources.update_entity import UpdateEntity, UpdateEntityHandler
from fastapi_easy.application.resources.upsert_entity import UpsertEntity, UpsertEntityHandler
from fastapi_easy.application.use_cases import UseCases
from fastapi_easy.domain.resources.options import Operation

C = TypeVar("C")
R = TypeVar("R")


@dataclass(frozen=True, slots=True, kw_only=True)
class OperationDefinition:
    """A built-in operation, as far as every interface has it in common.

    Attributes:
        operation: Its name.

        command: The class of its command.

        handler: Makes its handler.

        select: Returns its handler, wrapped in the steps, from the use cases of a resource.

        has_key: It is about one entity; the command has its `key`.

        writes: It may change what is stored.

        attribute: The name in Python, in `UseCases` and among the providers of a resource: `import_` for `import`.
    """

    operation: Operation
    command: type[object]
    handler: Callable[[Collaborators], Handler[Any, Any]]
    select: Callable[[UseCases], Handler[Any, Any]]
    has_key: bool
    writes: bool
    attribute: str


def _define(
    operation: Operation,
    command: type[C],
    handler: Callable[[Collaborators], Handler[C, R]],
    select: Callable[[UseCases], Handler[C, R]],
    *,
    has_key: bool = False,
    writes: bool = False,
) -> OperationDefinition:
    """Return the entry of *operation*, whose parts type checkers compare with one another."""
    return OperationDefinition(
        operation=operation,
        command=command,
        handler=handler,
        select=select,
        has_key=has_key,
        writes=writes,
        attribute=f"{operation}_" if iskeyword(operation) else operation.value,
    )


def _definition(operation: Operation) -> OperationDefinition:  # noqa: C901, PLR0911, PLR0912 (a row per operation)
    # A match and no dict: a type checker names this function while an operation is missing from it.
    match operation:
        case Operation.CREATE:
            return _define(
                operation, CreateEntity, CreateEntityHandler, lambda cases: cases.create, writes=True
            )
        case Operation.GET:
            return _define(operation, GetEntity, GetEntityHandler, lambda cases: cases.get, has_key=True)
        case Operation.LIST:
            return _define(operation, ListEntities, ListEntitiesHandler, lambda cases: cases.list)
        case Operation.COUNT:
            return _define(operation, CountEntities, CountEntitiesHandler, lambda cases: cases.count)
        case Operation.REPLACE:
            return _define(
                operation,
                ReplaceEntity,
                ReplaceEntityHandler,
                lambda cases: cases.replace,
                has_key=True,
                writes=True,
            )
        case Operation.UPDATE:
            return _define(
                operation,
                UpdateEntity,
                UpdateEntityHandler,
                lambda cases: cases.update,
                has_key=True,
                writes=True,
            )
        case Operation.DELETE:
            return _define(
                operation,
                DeleteEntity,
                DeleteEntityHandler,
                lambda cases: cases.delete,
                has_key=True,
                writes=True,
            )
        case Operation.RESTORE:
            return _define(
                operation,
                RestoreEntity,
                RestoreEntityHandler,
                lambda cases: cases.restore,
                has_key=True,
                writes=True,
            )
        case Operation.PURGE:
            return _define(
                operation,
                PurgeEntity,
                PurgeEntityHandler,
                lambda cases: cases.purge,
                has_key=True,
                writes=True,
            )
        case Operation.UPSERT:
            return _define(
                operation, UpsertEntity, UpsertEntityHandler, lambda cases: cases.upsert, writes=True
            )
        case Operation.BULK:
            return _define(operation, ApplyBulk, ApplyBulkHandler, lambda cases: cases.bulk, writes=True)
        case Operation.AGGREGATE:
            return _define(
                operation, AggregateEntities, AggregateEntitiesHandler, lambda cases: cases.aggregate
            )
        case Operation.EXPORT:
            return _define(operation, ExportEntities, ExportEntitiesHandler, lambda cases: cases.export)
        case Operation.IMPORT:
            return _define(
                operation, ImportEntities, ImportEntitiesHandler, lambda cases: cases.import_, writes=True
            )
        case Operation.CHANGES:
            return _define(operation, FollowChanges, FollowChangesHandler, lambda cases: cases.changes)
        case Operation.HISTORY:
            return _define(
                operation, ReadHistory, ReadHistoryHandler, lambda cases: cases.history, has_key=True
            )


OPERATIONS: Final[Mapping[Operation, OperationDefinition]] = MappingProxyType(
    {operation: _definition(operation) for operation in Operation}
)
"""Every built-in operation."""
