"""A bulk in OpenAPI: the document, one schema for each kind of item, and the results."""

from typing import Final

from fastapi_easy.domain import Kind, Operation
from fastapi_easy.interfaces.http.http_resource import HttpResource
from fastapi_easy.interfaces.http.openapi.documents import Document
from fastapi_easy.interfaces.http.openapi.examples import example_of
from fastapi_easy.interfaces.http.openapi.merge_patch import merge_patch_name
from fastapi_easy.interfaces.http.openapi.parameters import filter_name, text_schema
from fastapi_easy.interfaces.http.openapi.problems import NESTED_PROBLEM
from fastapi_easy.interfaces.http.operations.bulk_document import BULK_OPERATIONS

_TAG: Final[Document] = {"type": "string", "description": "The ETag of the version the change is based on."}


def bulk_schemas(http_resource: HttpResource) -> dict[str, Document]:
    """Return the schemas of a bulk of one resource by name; none where it is not offered."""
    if Operation.BULK not in http_resource.resource.operations:
        return {}
    name = http_resource.names.schema
    items = _items(http_resource)
    references = [_reference(f"{name}Bulk{kind.capitalize()}") for kind in items]
    members: dict[str, Document] = {
        "items": {
            "type": "array",
            "items": {"oneOf": references},
            "maxItems": http_resource.options.bulk_limit,
        },
        "atomic": {
            "type": "boolean",
            "default": True,
            "description": "All or none; otherwise each item is applied on its own.",
        },
    }
    return {
        **{
            f"{name}Bulk{kind.capitalize()}": {
                **_object({kind: said}, kind),
                "title": f"{name}Bulk{kind.capitalize()}",
            }
            for kind, said in items.items()
        },
        f"{name}Bulk": {**_object(members, "items"), "title": f"{name}Bulk"},
        f"{name}BulkResults": _results(http_resource),
    }


def bulk_example(http_resource: HttpResource) -> Document | None:
    """Return an example of a bulk, where the declaration alone is enough to make one."""
    created = (
        example_of(http_resource.resource, "Create")
        if Operation.CREATE in http_resource.resource.operations
        else None
    )
    return None if created is None else {"items": [{"create": created}]}


def _items(http_resource: HttpResource) -> dict[str, Document]:
    """Return the schema of each kind of item that is offered."""
    name = http_resource.names.schema
    changes = {"set": _reference(f"{name}Update")}
    updates = _one_or_many(http_resource, changes)
    if http_resource.resource.mergeable:
        updates += _one_or_many(http_resource, {"merge": _reference(merge_patch_name(http_resource))})
    every: dict[str, Document] = {
        Operation.CREATE: _reference(f"{name}Create"),
        Operation.UPSERT: _reference(f"{name}Create"),
        Operation.UPDATE: {"oneOf": updates},
        Operation.DELETE: {"oneOf": _one_or_many(http_resource, {})},
    }
    return {kind.value: every[kind] for kind in BULK_OPERATIONS if kind in http_resource.resource.operations}


def _one_or_many(http_resource: HttpResource, more: dict[str, Document]) -> list[Document]:
    """Return the schemas of an item for one entity by key, and for those that meet a condition."""
    version = ("if_match",) if http_resource.resource.requires_version else ()
    one = _object({"key": _key(http_resource), "if_match": _TAG, **more}, "key", *version, *more)
    if version or not http_resource.use_cases.queries.parameters:
        # What a condition means cannot name the version of each, or there is nothing to compare.
        return [one]
    largest = http_resource.options.max_affected
    most: Document = {"type": "integer", "minimum": 1, "maximum": largest, "default": largest}
    many: dict[str, Document] = {
        "where": {**_reference(filter_name(http_resource)), "description": "Must not match every entity."},
        "max_affected": {**most, "description": "When more entities match, nothing is changed."},
    }
    return [one, _object({**many, **more}, "where", *more)]


def _results(http_resource: HttpResource) -> Document:
    result: Document = {
        "type": "object",
        "required": ["status"],
        "properties": {
            "status": {
                "type": "integer",
                "description": "As for a single change; 424 when another item failed and this one was not applied.",
            },
            "key": _key(http_resource),
            "entity": _reference(http_resource.names.schema),
            "etag": {"type": "string", "description": "The version of the entity, for if_match."},
            "affected": {
                "type": "integer",
                "minimum": 0,
                "description": "Entities that matched the condition.",
            },
            "problem": NESTED_PROBLEM,
        },
    }
    return {
        "type": "object",
        "title": f"{http_resource.names.schema}BulkResults",
        "required": ["results"],
        "properties": {"results": {"type": "array", "items": result, "description": "One for each item."}},
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
    return {"type": "array", "prefixItems": parts, "minItems": len(parts), "maxItems": len(parts)}


def _object(members: dict[str, Document], *required: str) -> Document:
    return {
        "type": "object",
        "properties": members,
        "required": list(required),
        "additionalProperties": False,
    }


def _reference(schema: str) -> Document:
    return {"$ref": f"#/components/schemas/{schema}"}
