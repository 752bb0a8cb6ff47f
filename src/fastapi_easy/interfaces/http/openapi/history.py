"""What OpenAPI says of the past of one resource's entities."""

from collections.abc import Mapping
from typing import Final

from fastapi_easy.domain import Operation
from fastapi_easy.interfaces.http.http_resource import HttpResource
from fastapi_easy.interfaces.http.openapi.documents import Document, OperationDetails
from fastapi_easy.interfaces.http.openapi.responses import json_response

_TIME: Final[Document] = {"type": "string", "format": "date-time", "examples": ["2026-11-23T08:30:00Z"]}
_AS_OF: Final[Document] = {
    "name": "as_of",
    "in": "query",
    "description": "The state of this time, rebuilt from the audit trail, without what that does not tell; not in the "
    "future, with a UTC offset. Needs the permission for `history`. 400 when the trail does not go back that far.",
    "schema": _TIME,
}


HISTORY_PARAMETERS: Final[Mapping[str, Document]] = {"as_of": _AS_OF}
"""The parameters that are the same for all resources, by the names of their components."""


def as_of_parameters(http_resource: HttpResource) -> list[Document]:
    """Return a reference to the parameter for a time in the past, where the resource offers its history."""
    return (
        [{"$ref": "#/components/parameters/as_of"}]
        if Operation.HISTORY in http_resource.resource.operations
        else []
    )


def history_details(http_resource: HttpResource, key: Document) -> OperationDetails:
    """Return what is documented of histories alone.

    Args:
        http_resource: Whose history.

        key: The parameter of the path.
    """
    rules = http_resource.resource.query
    limit = {"type": "integer", "minimum": 1, "maximum": rules.max_limit, "default": rules.limit}
    members = {
        "description": "Entries of the audit trail, the newest first, as far as the caller may see the entity as it "
        "was. Reads, and what others were refused, are there for those who may read the history of every entity.",
        "parameters": [
            key,
            {"name": "limit", "in": "query", "description": "Entries at most.", "schema": limit},
            {
                "name": "cursor",
                "in": "query",
                "description": "Where to continue: next_cursor of the previous page.",
                "schema": {"type": "string"},
            },
        ],
    }
    reference = {"$ref": f"#/components/schemas/{http_resource.names.schema}History"}
    return members, (json_response("What happened.", reference, "Link"),)


def history_schemas(http_resource: HttpResource) -> dict[str, Document]:
    """Return the schemas that histories refer to, by name."""
    if Operation.HISTORY not in http_resource.resource.operations:
        return {}
    name = http_resource.names.schema
    text = {"type": "string"}
    entry: Document = {
        "title": f"{name}HistoryEntry",
        "type": "object",
        "required": ["stream", "number", "time", "actor", "by_system", "action", "outcome", "changes"],
        "properties": {
            "stream": {**text, "description": "The chain of the audit trail."},
            "number": {"type": "integer", "minimum": 1, "description": "The place in that chain."},
            "time": _TIME,
            "actor": {
                **text,
                "description": "The id of the caller; empty when anonymous, or of another tenant.",
            },
            "by_system": {"type": "boolean", "description": "Done beyond what the actor may do."},
            "action": text,
            "outcome": {**text, "description": "`ok`, or the code of the problem."},
            "changes": {
                "type": "object",
                "description": "The values before and after, by field; null where there was no entity. "
                '`{"erased": true}` stands for a value that was erased.',
                "additionalProperties": {"type": "array", "items": {}, "minItems": 2, "maxItems": 2},
            },
        },
    }
    page: Document = {
        "title": f"{name}History",
        "type": "object",
        "required": ["items", "next_cursor"],
        "properties": {
            "items": {
                "type": "array",
                "items": {"$ref": f"#/components/schemas/{name}HistoryEntry"},
            },
            "next_cursor": {"anyOf": [text, {"type": "null"}]},
        },
    }
    return {f"{name}HistoryEntry": entry, f"{name}History": page}
