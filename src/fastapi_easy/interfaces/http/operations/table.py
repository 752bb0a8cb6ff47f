"""The built-in operations over HTTP: method, path, statuses, name and endpoint of each.

Routes and the OpenAPI document are made from it; what an operation is at every interface stands in
`application/operations.py` (ADR 38).
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from fastapi_easy.domain import Operation
from fastapi_easy.interfaces.http.http_resource import Endpoint, HttpResource
from fastapi_easy.interfaces.http.openapi_names import ResourceNames
from fastapi_easy.interfaces.http.operations.aggregate_endpoint import AggregateEndpoint
from fastapi_easy.interfaces.http.operations.bulk_endpoint import BulkEndpoint
from fastapi_easy.interfaces.http.operations.changes_endpoint import ChangesEndpoint
from fastapi_easy.interfaces.http.operations.export_endpoint import ExportEndpoint
from fastapi_easy.interfaces.http.operations.history_endpoint import HistoryEndpoint
from fastapi_easy.interfaces.http.operations.import_endpoint import ImportEndpoint
from fastapi_easy.interfaces.http.operations.read_endpoints import ReadEndpoints
from fastapi_easy.interfaces.http.operations.write_endpoints import WriteEndpoints

KEY: Final = "/{key}"
CHANGES: Final = "/changes"

_ALWAYS: Final = (400, 405, 422, 500, 501, 503, 504)
_NO_BODY: Final = (408, 413)
_BODY: Final = (*_NO_BODY, 415)
_CHANGE: Final = (403, 409)
_VERSION: Final = (412, 428)

ACTION_PROBLEMS: Final = frozenset({*_ALWAYS, 404, *_BODY, *_CHANGE, *_VERSION})
"""The statuses with which an action of the user's own fails."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OperationRoute:
    """One way to ask for a built-in operation. There are two for LIST, of which one takes the query in a body.

    Attributes:
        operation: The operation; a resource that does not offer it has no such route.

        method: The HTTP method, in upper case.

        path: The template below the path of the resource, like `/{key}/restore`; empty for the collection.

        id_pattern: The operation id, with the names of the resource in braces: `get_{singular}`.

        summary: The summary, with `{resource}` for its name, `{entity}` for `a book` and `{deleted}` for `a deleted
            book`.

        statuses: Those of success, in the order in which their responses are documented.

        problems: Those of failure; 428 only where the resource requires a version.

        endpoint: Makes the endpoint of one resource.
    """

    operation: Operation
    method: str
    path: str
    id_pattern: str
    summary: str
    statuses: tuple[int, ...]
    problems: frozenset[int]
    endpoint: Callable[[HttpResource], Endpoint]

    def operation_id(self, names: ResourceNames) -> str:
        """Return the operation id for the resource that is called *names*."""
        return self.id_pattern.format(singular=names.singular, plural=names.plural)


def _routes(operation: Operation) -> tuple[OperationRoute, ...]:  # noqa: C901, PLR0911, PLR0912 (a row per operation)
    # A match and no dict: a type checker names this function while an operation is missing from it.
    match operation:
        case Operation.CREATE:
            return (
                OperationRoute(
                    operation=operation,
                    method="POST",
                    path="",
                    id_pattern="create_{singular}",
                    summary="Create {entity}",
                    statuses=(201,),
                    problems=frozenset({*_ALWAYS, *_BODY, *_CHANGE}),
                    endpoint=lambda shown: WriteEndpoints(shown).create,
                ),
            )
        case Operation.GET:
            return (
                OperationRoute(
                    operation=operation,
                    method="GET",
                    path=KEY,
                    id_pattern="get_{singular}",
                    summary="Get {entity}",
                    statuses=(200, 304),
                    problems=frozenset({*_ALWAYS, 404, 414}),
                    endpoint=lambda shown: ReadEndpoints(shown).get,
                ),
            )
        case Operation.LIST:
            return (
                OperationRoute(
                    operation=operation,
                    method="GET",
                    path="",
                    id_pattern="list_{plural}",
                    summary="List {resource}",
                    statuses=(200,),
                    problems=frozenset({*_ALWAYS, 403, 414}),
                    endpoint=lambda shown: ReadEndpoints(shown).list,
                ),
                OperationRoute(
                    operation=operation,
                    method="POST",
                    path="/search",
                    id_pattern="search_{plural}",
                    summary="Search {resource}",
                    statuses=(200,),
                    problems=frozenset({*_ALWAYS, *_BODY, 403}),
                    endpoint=lambda shown: ReadEndpoints(shown).search,
                ),
            )
        case Operation.COUNT:
            return (
                OperationRoute(
                    operation=operation,
                    method="GET",
                    path="/count",
                    id_pattern="count_{plural}",
                    summary="Count {resource}",
                    statuses=(200,),
                    problems=frozenset({*_ALWAYS, 414}),
                    endpoint=lambda shown: ReadEndpoints(shown).count,
                ),
            )
        case Operation.REPLACE:
            return (
                OperationRoute(
                    operation=operation,
                    method="PUT",
                    path=KEY,
                    id_pattern="replace_{singular}",
                    summary="Replace {entity}",
                    statuses=(200, 204),
                    problems=frozenset({*_ALWAYS, 404, *_BODY, *_CHANGE, *_VERSION}),
                    endpoint=lambda shown: WriteEndpoints(shown).replace,
                ),
            )
        case Operation.UPDATE:
            return (
                OperationRoute(
                    operation=operation,
                    method="PATCH",
                    path=KEY,
                    id_pattern="update_{singular}",
                    summary="Change {entity}",
                    statuses=(200, 204),
                    problems=frozenset({*_ALWAYS, 404, *_BODY, *_CHANGE, *_VERSION}),
                    endpoint=lambda shown: WriteEndpoints(shown).update,
                ),
            )
        case Operation.DELETE:
            return (
                OperationRoute(
                    operation=operation,
                    method="DELETE",
                    path=KEY,
                    id_pattern="delete_{singular}",
                    summary="Delete {entity}",
                    statuses=(204,),
                    problems=frozenset({*_ALWAYS, 404, *_CHANGE, *_VERSION}),
                    endpoint=lambda shown: WriteEndpoints(shown).delete,
                ),
            )
        case Operation.RESTORE:
            return (
                OperationRoute(
                    operation=operation,
                    method="POST",
                    path=f"{KEY}/restore",
                    id_pattern="restore_{singular}",
                    summary="Bring back {deleted}",
                    statuses=(200, 204),
                    problems=frozenset({*_ALWAYS, 404, *_NO_BODY, *_CHANGE, 412}),
                    endpoint=lambda shown: WriteEndpoints(shown).restore,
                ),
            )
        case Operation.PURGE:
            return (
                OperationRoute(
                    operation=operation,
                    method="POST",
                    path=f"{KEY}/purge",
                    id_pattern="purge_{singular}",
                    summary="Remove {deleted} for good",
                    statuses=(204,),
                    problems=frozenset({*_ALWAYS, 404, *_NO_BODY, *_CHANGE, 412}),
                    endpoint=lambda shown: WriteEndpoints(shown).purge,
                ),
            )
        case Operation.UPSERT:
            return (
                OperationRoute(
                    operation=operation,
                    method="POST",
                    path="/upsert",
                    id_pattern="upsert_{singular}",
                    summary="Change or create {entity}",
                    statuses=(200, 201, 204),
                    problems=frozenset({*_ALWAYS, *_BODY, *_CHANGE}),
                    endpoint=lambda shown: WriteEndpoints(shown).upsert,
                ),
            )
        case Operation.BULK:
            return (
                OperationRoute(
                    operation=operation,
                    method="POST",
                    path="/bulk",
                    id_pattern="bulk_{plural}",
                    summary="Change many {resource}",
                    statuses=(200, 207),
                    problems=frozenset({*_ALWAYS, 404, *_BODY, *_CHANGE, *_VERSION}),
                    endpoint=lambda shown: BulkEndpoint(shown).apply,
                ),
            )
        case Operation.AGGREGATE:
            return (
                OperationRoute(
                    operation=operation,
                    method="GET",
                    path="/aggregate",
                    id_pattern="aggregate_{plural}",
                    summary="Numbers about {resource}",
                    statuses=(200,),
                    problems=frozenset({*_ALWAYS, 414}),
                    endpoint=lambda shown: AggregateEndpoint(shown).aggregate,
                ),
            )
        case Operation.EXPORT:
            return (
                OperationRoute(
                    operation=operation,
                    method="GET",
                    path="/export",
                    id_pattern="export_{plural}",
                    summary="Export {resource}",
                    statuses=(200,),
                    problems=frozenset({*_ALWAYS, 406, 414}),
                    endpoint=lambda shown: ExportEndpoint(shown).export,
                ),
            )
        case Operation.IMPORT:
            return (
                OperationRoute(
                    operation=operation,
                    method="POST",
                    path="/import",
                    id_pattern="import_{plural}",
                    summary="Import {resource}",
                    statuses=(200, 207),
                    problems=frozenset({*_ALWAYS, *_BODY}),
                    endpoint=lambda shown: ImportEndpoint(shown).import_,
                ),
            )
        case Operation.CHANGES:
            return (
                OperationRoute(
                    operation=operation,
                    method="GET",
                    path=CHANGES,
                    id_pattern="follow_{plural}",
                    summary="Follow changes of {resource}",
                    statuses=(200,),
                    problems=frozenset({*_ALWAYS, 403, 410, 414}),
                    endpoint=lambda shown: ChangesEndpoint(shown).follow,
                ),
            )
        case Operation.HISTORY:
            return (
                OperationRoute(
                    operation=operation,
                    method="GET",
                    path=f"{KEY}/history",
                    id_pattern="read_{singular}_history",
                    summary="Read what happened to {entity}",
                    statuses=(200,),
                    problems=frozenset({*_ALWAYS, 403, 404, 414}),
                    endpoint=lambda shown: HistoryEndpoint(shown).read,
                ),
            )


_FIRST: Final = (
    *(Operation.LIST, Operation.CREATE, Operation.COUNT),
    *(Operation.EXPORT, Operation.IMPORT, Operation.AGGREGATE, Operation.CHANGES),
)
"""The operations that documentation shows first, in this order; the others follow as the enumeration has them."""


def _position(route: OperationRoute) -> tuple[bool, int, int]:
    rank = _FIRST.index(route.operation) if route.operation in _FIRST else len(_FIRST)
    return route.path.startswith(KEY), route.path.count("/"), rank


ROUTES: Final = tuple(sorted((route for each in Operation for route in _routes(each)), key=_position))
"""Every route of a built-in operation, as documentation shows them: the collection, what is beside it, one entity."""

RESERVED_SEGMENTS: Final = frozenset(
    route.path.removeprefix("/") for route in ROUTES if route.path and not route.path.startswith(KEY)
)
"""Paths below a resource that are not keys. A key spelt like one is reached with its first letter percent-encoded."""
