"""An OpenAPI document of an app's own routes → the same with its resources."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, Final

from fastapi_easy.domain import Operation, Reading
from fastapi_easy.interfaces.http.dependencies.guards import Guards
from fastapi_easy.interfaces.http.dependencies.openapi import DependencyDocs
from fastapi_easy.interfaces.http.http_resource import HttpResource
from fastapi_easy.interfaces.http.openapi.bodies.bulk import bulk_schemas
from fastapi_easy.interfaces.http.openapi.bodies.merge_patch import merge_patch_schemas
from fastapi_easy.interfaces.http.openapi.bodies.schemas import BodySchemas
from fastapi_easy.interfaces.http.openapi.documents import Document
from fastapi_easy.interfaces.http.openapi.feeds import FEED_PARAMETERS, feed_schemas
from fastapi_easy.interfaces.http.openapi.history import HISTORY_PARAMETERS, history_schemas
from fastapi_easy.interfaces.http.openapi.operations import Operations
from fastapi_easy.interfaces.http.openapi.problems import HEADERS, ITEM_PROBLEM, PROBLEM, shared_responses
from fastapi_easy.interfaces.http.openapi.queries.filters import filter_name, filter_schema
from fastapi_easy.interfaces.http.openapi.queries.parameters import PAGE_SCHEMAS, QueryDocs
from fastapi_easy.interfaces.http.openapi.queries.relations import option_schemas, related_properties
from fastapi_easy.interfaces.http.openapi.queries.values import value_schemas
from fastapi_easy.interfaces.http.openapi.request_headers import REQUEST_HEADERS
from fastapi_easy.interfaces.http.openapi.responses import RESPONSES
from fastapi_easy.interfaces.http.openapi.security import SecurityDocs
from fastapi_easy.interfaces.http.openapi.streams import (
    LINE_SCHEMAS,
    STREAM_BODIES,
    STREAM_PARAMETERS,
    stream_schemas,
)
from fastapi_easy.interfaces.http.openapi.used import used_components

_WITH_FILTERS: Final = frozenset(
    {Operation.LIST, Operation.COUNT, Operation.EXPORT, Operation.AGGREGATE, Operation.CHANGES}
)


def add_resources(
    base: Document,
    http_resources: Sequence[HttpResource],
    guards: Guards,
    own_operations: Iterable[tuple[str, str]] = (),
) -> Document:
    """Return *base* with *http_resources*. What it has itself under the same path and method stays.

    Args:
        base: The document of the app's own routes, as FastAPI makes it.

        http_resources: The resources of the app.

        guards: The dependencies that run before their operations.

        own_operations: The path and method of the app's own operations that identify their caller.
    """
    given = base.get("components", {})
    taken: Document = given.get("schemas", {})
    identification = guards.identification
    security = SecurityDocs(
        () if identification is None else identification.schemes(),
        None if identification is None else identification.public(),
    )
    added = _Added([each.as_documented for each in http_resources], guards, security)
    added.rename({name for name, each in added.schemas.items() if name in taken and taken[name] != each})
    own_paths: Document = {
        path: _with_deep_object_style(each) for path, each in base.get("paths", {}).items()
    }
    if security.schemes:
        for path, method in own_operations:
            if method in own_paths.get(path, {}):
                security.add(own_paths[path][method])
    paths = {
        path: {**added.paths.get(path, {}), **own_paths.get(path, {})} for path in (*added.paths, *own_paths)
    }
    shared = {
        "parameters": added.parameters,
        "requestBodies": STREAM_BODIES,
        "responses": added.responses,
        "headers": HEADERS,
    }
    components = {
        **given,
        "schemas": {**added.schemas, **taken},
        **{
            kind: {**each, **given.get(kind, {})}
            for kind, each in used_components(paths, shared).items()
            if each or kind in given
        },
    }
    if schemes := {**security.schemes, **added.security_schemes, **given.get("securitySchemes", {})}:
        components["securitySchemes"] = schemes
    tags = [*base.get("tags", []), *added.tags]
    return {**base, "paths": paths, "components": components, "tags": tags}


class _Added:
    """What resources add to a document.

    Attributes:
        tags: One for each resource.

        paths: Their operations.

        parameters, responses, schemas: The components there are for them, by name.

        security_schemes: What the dependencies before them ask of callers.
    """

    def __init__(
        self, http_resources: Sequence[HttpResource], guards: Guards, security: SecurityDocs
    ) -> None:
        queries = [QueryDocs(each) for each in http_resources]
        bodies = BodySchemas(http_resources)
        described = [
            Operations(each, asked, bodies.names[each.resource.name])
            for each, asked in zip(http_resources, queries, strict=True)
        ]
        self.tags = [_tag(each) for each in http_resources]
        self.paths: Document = {}
        self.parameters: Document = {
            **REQUEST_HEADERS,
            **STREAM_PARAMETERS,
            **FEED_PARAMETERS,
            **HISTORY_PARAMETERS,
        }
        self.responses: Document = {**RESPONSES, **shared_responses()}
        for each in described:
            self.parameters |= each.parameters()
            self.responses |= each.responses()
        dependency_docs = DependencyDocs(self.parameters)
        for http_resource, each in zip(http_resources, described, strict=True):
            operations = each.paths()
            dependency_docs.add(operations, guards.openapi_dependencies(http_resource.resource))
            self.paths |= operations
            if security.schemes:
                security.add_to(operations, each.names(), http_resource.resource.name)
        self.security_schemes = dependency_docs.security_schemes
        self.schemas = {**dependency_docs.schemas, **_schemas(http_resources, queries, bodies)}

    def rename(self, names: Collection[str]) -> None:
        """Call the schemas that are called *names* otherwise, wherever they are referred to."""
        if not names:
            return
        renamed = {name: f"{name}Resource" for name in names}
        self.schemas = {
            renamed.get(name, name): _rename_references(each, renamed) for name, each in self.schemas.items()
        }
        self.paths, self.parameters, self.responses = (
            _rename_references(each, renamed) for each in (self.paths, self.parameters, self.responses)
        )


def _with_deep_object_style(path: Document) -> Document:
    """Move the style of deep objects from the schemas of *path* to its parameters; see `query_params.plan`."""
    for operation in path.values():
        for parameter in operation.get("parameters", ()) if isinstance(operation, dict) else ():
            if parameter.get("schema", {}).pop("x-style", None) == "deepObject":
                parameter |= {"style": "deepObject", "explode": True}
    return path


def _tag(http_resource: HttpResource) -> Document:
    name = http_resource.resource.name
    return {"name": name, "description": http_resource.resource.description or f"The resource {name}."}


def _schemas(
    http_resources: Sequence[HttpResource], queries: Sequence[QueryDocs], bodies: BodySchemas
) -> dict[str, Document]:
    """Return every schema of the resources by its name."""
    filtered = _filtered(http_resources)
    schemas: dict[str, Document] = {"Problem": PROBLEM, **bodies.schemas}
    for http_resource, asked in zip(http_resources, queries, strict=True):
        resource, name = http_resource.resource, http_resource.names.schema
        has_filter = resource.name in filtered
        schemas |= _answers(http_resource, bodies.schemas[bodies.names[resource.name][""]])
        schemas |= merge_patch_schemas(http_resource, bodies.schemas, bodies.names[resource.name])
        if has_filter:
            schemas[filter_name(http_resource)] = filter_schema(http_resource, asked.values)
        if Operation.LIST in resource.operations:
            schemas[f"{name}Search"] = asked.search_schema(has_filter=has_filter)
        schemas |= asked.schemas
        schemas |= bulk_schemas(http_resource, bodies.names[resource.name])
        schemas |= stream_schemas(http_resource)
        schemas |= feed_schemas(http_resource)
        schemas |= history_schemas(http_resource)
    if any(each.values.has_decimals for each in queries):
        schemas |= value_schemas()
    return {**schemas, **_shared_schemas(http_resources)}


def _shared_schemas(http_resources: Sequence[HttpResource]) -> dict[str, Document]:
    """Return the schemas that belong to no resource, those only that one of the others refers to."""
    resources = [each.resource for each in http_resources]
    schemas: dict[str, Document] = {}
    if any(each.operations & {Operation.BULK, Operation.IMPORT} for each in resources) or any(
        each.reading is Reading.STRICT for each in resources
    ):
        schemas["ItemProblem"] = ITEM_PROBLEM
    if any(each.operations & {Operation.IMPORT, Operation.EXPORT} for each in resources):
        schemas |= LINE_SCHEMAS
    if any(Operation.LIST in each.operations for each in resources):
        schemas |= PAGE_SCHEMAS
    if any(related_properties(each) for each in http_resources):
        schemas |= option_schemas()
    return schemas


def _filtered(http_resources: Sequence[HttpResource]) -> frozenset[str]:
    """Return the resources whose `where` is documented: because callers use it, or that of one that leads there."""
    found: set[str] = set()
    parameters = {each.resource.name: each.use_cases.queries.parameters for each in http_resources}
    waiting = [
        each.resource.name
        for each in http_resources
        if each.resource.operations & {*_WITH_FILTERS, Operation.BULK} and parameters[each.resource.name]
    ]
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            waiting += [each.target.name for each in parameters[name].relations.values()]
    return frozenset(found)


def _answers(http_resource: HttpResource, whole: Document) -> dict[str, Document]:
    """Return the schemas of a page, and of an entity with some of its fields."""
    name = http_resource.names.schema
    part = f"{name}Part"
    page: Document = {
        "type": "object",
        "required": ["items", "total", "next_cursor"],
        "properties": {
            "items": {"type": "array", "items": {"$ref": f"#/components/schemas/{part}"}},
            "total": _TOTAL,
            "next_cursor": _NEXT_CURSOR,
        },
    }
    if http_resource.resource.reading is Reading.STRICT:
        page["properties"]["problems"] = {
            "type": "array",
            "items": {"$ref": "#/components/schemas/ItemProblem"},
            "description": "The entities of this page whose stored values do not fit; absent when there are none.",
        }
    beside = related_properties(http_resource)
    partial = {
        **{key: value for key, value in whole.items() if key not in {"required", "title"}},
        "properties": {**whole.get("properties", {}), **beside},
        "description": f"All fields, or some{'; relations where included' if beside else ''}.",
    }
    return {part: partial, f"{name}Page": page}


_TOTAL: Final[Document] = {"type": ["integer", "null"], "minimum": 0}
_NEXT_CURSOR: Final[Document] = {"type": ["string", "null"]}


def _rename_references(value: Any, renamed: Mapping[str, str]) -> Any:
    if isinstance(value, dict):
        return {
            key: _rename_reference(each, renamed)
            if key == "$ref" and isinstance(each, str)
            else _rename_references(each, renamed)
            for key, each in value.items()
        }
    return [_rename_references(each, renamed) for each in value] if isinstance(value, list) else value


def _rename_reference(reference: str, renamed: Mapping[str, str]) -> str:
    prefix, _, name = reference.rpartition("/")
    return f"{prefix}/{renamed.get(name, name)}"
