"""The table of one resource: every operation it offers, under its path."""

from collections.abc import Iterator, Mapping
from typing import Final, TypeAlias
from urllib.parse import quote

from starlette.routing import Router

from fastapi_easy.domain import Operation
from fastapi_easy.interfaces.http.dependencies.guard import Guard
from fastapi_easy.interfaces.http.http_resource import Endpoint, Surface
from fastapi_easy.interfaces.http.operations.aggregate_endpoint import Aggregating
from fastapi_easy.interfaces.http.operations.bulk_endpoint import Bulk
from fastapi_easy.interfaces.http.operations.export_endpoint import Exporting
from fastapi_easy.interfaces.http.operations.import_endpoint import Importing
from fastapi_easy.interfaces.http.operations.read_endpoints import Reading
from fastapi_easy.interfaces.http.operations.write_endpoints import Writing
from fastapi_easy.interfaces.http.routing.paths import Methods, Paths
from fastapi_easy.interfaces.http.routing.resource_route import NamedEndpoint, ResourceRoute

_KEY: Final = "/{key}"

_Declared: TypeAlias = dict[str, tuple[Operation | None, str, Endpoint]]
"""By method: the operation that has to be on offer, the operation id, and what answers."""


def paths_of(surface: Surface, guard: Guard | None, router: Router) -> Paths:
    """Return the routes of one resource, those of its operations only.

    Args:
        surface: The resource.

        guard: What runs before every operation, where something does.

        router: The app's own.
    """
    table = _Table(surface, guard, router)
    one, many = surface.names.one, surface.names.many
    reading, writing = Reading(surface), Writing(surface)
    entity: _Declared = {
        "GET": (Operation.GET, f"get_{one}", reading.get),
        "PUT": (Operation.REPLACE, f"replace_{one}", writing.replace),
        "PATCH": (Operation.UPDATE, f"update_{one}", writing.update),
        "DELETE": (Operation.DELETE, f"delete_{one}", writing.delete),
    }
    collection: _Declared = {
        "GET": (Operation.LIST, f"list_{many}", reading.list),
        "POST": (Operation.CREATE, f"create_{one}", writing.create),
    }
    fixed: dict[str, _Declared] = {
        "search": {"POST": (Operation.LIST, f"search_{many}", reading.search)},
        "count": {"GET": (Operation.COUNT, f"count_{many}", reading.count)},
        "upsert": {"POST": (Operation.UPSERT, f"upsert_{one}", writing.upsert)},
        "bulk": {"POST": (Operation.BULK, f"bulk_{many}", Bulk(surface).apply)},
        "export": {"GET": (Operation.EXPORT, f"export_{many}", Exporting(surface).export)},
        "import": {"POST": (Operation.IMPORT, f"import_{many}", Importing(surface).import_)},
        "aggregate": {"GET": (Operation.AGGREGATE, f"aggregate_{many}", Aggregating(surface).aggregate)},
    }
    actions: dict[str, _Declared] = {
        "restore": {"POST": (Operation.RESTORE, f"restore_{one}", writing.restore)},
        "purge": {"POST": (Operation.PURGE, f"purge_{one}", writing.purge)},
        **{
            name: {"POST": (None, f"{name}_{one}", writing.action(name, action))}
            for name, action in (surface.resource.actions or {}).items()
        },
    }
    return Paths(
        collection=table.methods("", collection),
        fixed=dict(table.several("/", fixed)),
        entity=table.methods(_KEY, entity),
        actions=dict(table.several(f"{_KEY}/", actions)),
    )


class _Table:
    """Makes the routes of one resource."""

    def __init__(self, surface: Surface, guard: Guard | None, router: Router) -> None:
        self._surface = surface
        self._guard = guard
        self._router = router

    def methods(self, below: str, declared: _Declared) -> Methods:
        """Return the routes of one path; *below* is what follows the resource in it."""
        offered = self._surface.resource.operations
        return Methods(
            {
                method: self._route(below, method, name, answer)
                for method, (operation, name, answer) in declared.items()
                if operation is None or operation in offered
            }
        )

    def several(self, below: str, declared: Mapping[str, _Declared]) -> Iterator[tuple[bytes, Methods]]:
        """Yield the routes of several paths by their last segment, those without any left out."""
        for name, each in declared.items():
            segment = quote(name)
            methods = self.methods(f"{below}{segment}", each)
            if methods.routes:
                yield segment.encode("ascii"), methods

    def _route(self, below: str, method: str, name: str, answer: Endpoint) -> ResourceRoute:
        resource, keyed = self._surface.resource, below.startswith(_KEY)
        if self._guard is not None:
            answer = self._guard.around(answer, resource, keyed=keyed)
        endpoint = NamedEndpoint(name, resource.entity.__module__, answer)
        path = f"{self._surface.path}{below}"
        return ResourceRoute(answer, path, method, endpoint, keyed=keyed, router=self._router)
