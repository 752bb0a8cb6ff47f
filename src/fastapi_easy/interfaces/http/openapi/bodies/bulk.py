"""A bulk in OpenAPI: the document, the items, of which each has one member that says what to do, and the results."""

from collections.abc import Mapping
from typing import Final

from fastapi_easy.domain import Kind, Operation
from fastapi_easy.interfaces.http.http_resource import HttpResource
from fastapi_easy.interfaces.http.openapi.bodies.merge_patch import merge_patch_name
from fastapi_easy.interfaces.http.openapi.documents import Document
from fastapi_easy.interfaces.http.openapi.queries.filters import filter_name
from fastapi_easy.interfaces.http.openapi.queries.values import text_schema
from fastapi_easy.interfaces.http.operations.bulk_document import BULK_OPERATIONS

_TAG: Final[Document] = {"type": "string"}


def bulk_schemas(http_resource: HttpResource, bodies: Mapping[str, str]) -> dict[str, Document]:
    """Return the schemas of a bulk of one resource by name; none where it is not offered.

    Args:
        http_resource: The resource.

        bodies: The names of the schemas of its bodies, by purpose.
    """
    if Operation.BULK not in http_resource.resource.operations:
        return {}
    name = http_resource.names.schema
    item = {**_object(_items(http_resource, bodies)), "minProperties": 1, "maxProperties": 1}
    items = {
        "type": "array",
        "items": _reference(f"{name}BulkItem"),
        "maxItems": http_resource.options.bulk_limit,
    }
    atomic: Document = {"type": "boolean", "default": True}
    return {
        f"{name}BulkItem": item,
        f"{name}Bulk": _object({"items": items, "atomic": atomic}, "items"),
        f"{name}BulkResults": _results(http_resource, bodies[""]),
    }


def _items(http_resource: HttpResource, bodies: Mapping[str, str]) -> dict[str, Document]:
    """Return the schema of each kind of item that is offered."""
    changes = {"set": _reference(bodies.get("Update", ""))}
    if http_resource.resource.mergeable:
        changes["merge"] = _reference(merge_patch_name(http_resource, bodies))
    every: dict[str, Document] = {
        Operation.CREATE: _reference(bodies.get("Create", "")),
        Operation.UPSERT: _reference(bodies.get("Create", "")),
        Operation.UPDATE: _target(http_resource, changes),
        Operation.DELETE: _target(http_resource, {}),
    }
    return {kind.value: every[kind] for kind in BULK_OPERATIONS if kind in http_resource.resource.operations}


def _target(http_resource: HttpResource, changes: dict[str, Document]) -> Document:
    """Return the schema of an item for one entity by key, or for those that meet a condition.

    One object with what excludes each other, and no choice of objects: generators of clients make one class of it.
    """
    members: dict[str, Document] = {"key": _key(http_resource), "if_match": _TAG}
    required = ["key"]
    conditions: Document = {}
    if http_resource.resource.requires_version:
        required.append("if_match")
    elif http_resource.use_cases.queries.parameters:
        # A condition cannot name the version of each that meets it.
        required = []
        largest = http_resource.options.max_affected
        members["where"] = _reference(filter_name(http_resource))
        members["max_affected"] = {"type": "integer", "minimum": 1, "maximum": largest}
        conditions = {
            "dependentRequired": {"if_match": ["key"], "max_affected": ["where"]},
            "minProperties": 1 + bool(changes),
            "dependentSchemas": {"where": _without("key")},
        }
    if len(changes) > 1:
        one, other = changes
        conditions["dependentSchemas"] = {**conditions.get("dependentSchemas", {}), one: _without(other)}
        conditions.setdefault("minProperties", len(required) + 1)
    else:
        required += changes
    return {**_object({**members, **changes}, *required), **conditions}


def _without(name: str) -> Document:
    return {"properties": {name: False}}


def _results(http_resource: HttpResource, entity: str) -> Document:
    result: Document = {
        "type": "object",
        "required": ["status"],
        "properties": {
            "status": {"type": "integer"},
            "key": _key(http_resource),
            "entity": _reference(entity),
            "etag": _TAG,
            "affected": {"type": "integer", "minimum": 0},
            "problem": {"$ref": "#/components/schemas/ItemProblem"},
        },
    }
    return {
        "type": "object",
        "required": ["results"],
        "properties": {"results": {"type": "array", "items": result}},
    }


def _key(http_resource: HttpResource) -> Document:
    """Return the schema of a key in JSON."""
    fields = [http_resource.resource.fields[name] for name in http_resource.resource.key]
    parts: list[Document] = []
    for field in fields:
        part = text_schema(field)
        if field.kind is Kind.DECIMAL:
            part = {"anyOf": [part, {"type": "number"}]}
        parts.append(part)
    if len(parts) == 1:
        return parts[0]
    # The items are said twice: linters want `items`, and it can only say what all of them are.
    return {
        "type": "array",
        "prefixItems": parts,
        "items": {"anyOf": parts},
        "minItems": len(parts),
        "maxItems": len(parts),
    }


def _object(members: dict[str, Document], *required: str) -> Document:
    return {
        "type": "object",
        "properties": members,
        **({"required": list(required)} if required else {}),
        "additionalProperties": False,
    }


def _reference(schema: str) -> Document:
    return {"$ref": f"#/components/schemas/{schema}"}
