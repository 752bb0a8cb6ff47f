"""A bulk in OpenAPI: the document, one schema for each kind of item, and the results."""

from typing import Any, Final

from fastapi_easy.domain import Kind, Operation
from fastapi_easy.interfaces.http.http_resource import Surface
from fastapi_easy.interfaces.http.openapi.examples import example_of
from fastapi_easy.interfaces.http.openapi.parameters import filter_name, text_schema
from fastapi_easy.interfaces.http.openapi.problems import INNER_PROBLEM
from fastapi_easy.interfaces.http.operations.bulk_document import KINDS

Schema = dict[str, Any]

_TAG: Final[Schema] = {"type": "string", "description": "The ETag of the version the change is based on."}


def bulk_schemas(surface: Surface) -> dict[str, Schema]:
    """The schemas of a bulk of one resource, by name; none where it is not offered."""
    if Operation.BULK not in surface.resource.operations:
        return {}
    name = surface.names.schema
    items = _items(surface)
    references = [_reference(f"{name}Bulk{kind.capitalize()}") for kind in items]
    members: dict[str, Schema] = {
        "items": {"type": "array", "items": {"oneOf": references}, "maxItems": surface.options.bulk_limit},
        "atomic": {
            "type": "boolean",
            "default": True,
            "description": "All or none; otherwise each item stands alone.",
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
        f"{name}BulkResults": _results(surface),
    }


def bulk_example(surface: Surface) -> Schema | None:
    """A bulk to show, where one can be made from the declaration alone."""
    created = (
        example_of(surface.resource, "Create") if Operation.CREATE in surface.resource.operations else None
    )
    return None if created is None else {"items": [{"create": created}]}


def _items(surface: Surface) -> dict[str, Schema]:
    """What each kind of item on offer says."""
    name = surface.names.schema
    changes = {"set": _reference(f"{name}Update")}
    every: dict[str, Schema] = {
        Operation.CREATE: _reference(f"{name}Create"),
        Operation.UPSERT: _reference(f"{name}Create"),
        Operation.UPDATE: {"oneOf": _either(surface, changes)},
        Operation.DELETE: {"oneOf": _either(surface, {})},
    }
    return {kind.value: every[kind] for kind in KINDS if kind in surface.resource.operations}


def _either(surface: Surface, more: dict[str, Schema]) -> list[Schema]:
    """What is said of the one with a key, and of those that a condition means."""
    version = ("if_match",) if surface.resource.requires_version else ()
    one = _object({"key": _key(surface), "if_match": _TAG, **more}, "key", *version, *more)
    if version or not surface.use_cases.queries.parameters:
        # What a condition means cannot name the version of each, or there is nothing to compare.
        return [one]
    largest = surface.options.max_affected
    most: Schema = {"type": "integer", "minimum": 1, "maximum": largest, "default": largest}
    many: dict[str, Schema] = {
        "where": {**_reference(filter_name(surface)), "description": "Must not mean all there are."},
        "max_affected": {**most, "description": "When more are meant, nothing is changed."},
    }
    return [one, _object({**many, **more}, "where", *more)]


def _results(surface: Surface) -> Schema:
    result: Schema = {
        "type": "object",
        "required": ["status"],
        "properties": {
            "status": {
                "type": "integer",
                "description": "As for a single change; 424 when another item failed and this one was not applied.",
            },
            "key": _key(surface),
            "entity": _reference(surface.names.schema),
            "etag": {"type": "string", "description": "The version of the entity, for if_match."},
            "affected": {"type": "integer", "minimum": 0, "description": "Entities that a condition meant."},
            "problem": INNER_PROBLEM,
        },
    }
    return {
        "type": "object",
        "title": f"{surface.names.schema}BulkResults",
        "required": ["results"],
        "properties": {"results": {"type": "array", "items": result, "description": "One for each item."}},
    }


def _key(surface: Surface) -> Schema:
    """The schema of a key in JSON."""
    fields = [surface.resource.fields[name] for name in surface.resource.key]
    parts: list[Schema] = []
    for field in fields:
        part = text_schema(field)
        if field.kind is Kind.DECIMAL:
            part = {"anyOf": [part, {"type": "number"}]}
        parts.append(part)
    if len(parts) == 1:
        return parts[0]
    return {"type": "array", "prefixItems": parts, "minItems": len(parts), "maxItems": len(parts)}


def _object(members: dict[str, Schema], *required: str) -> Schema:
    return {
        "type": "object",
        "properties": members,
        "required": list(required),
        "additionalProperties": False,
    }


def _reference(schema: str) -> Schema:
    return {"$ref": f"#/components/schemas/{schema}"}
