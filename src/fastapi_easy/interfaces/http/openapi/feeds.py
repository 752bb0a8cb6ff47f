"""The change feed of one resource in OpenAPI."""

from collections.abc import Mapping
from typing import Final

from fastapi_easy.application import Since
from fastapi_easy.application.changes_feed.caller_view import published_fields
from fastapi_easy.domain import Operation
from fastapi_easy.interfaces.http.feeds.event_stream import EVENT_STREAM
from fastapi_easy.interfaces.http.http_resource import HttpResource
from fastapi_easy.interfaces.http.openapi.documents import Document, OperationDetails
from fastapi_easy.interfaces.http.openapi.queries.parameters import QueryDocs
from fastapi_easy.interfaces.http.openapi.queries.values import key_schema

_POSITION: Final[Document] = {"type": "string", "pattern": "^[0-9a-f]{1,16}$"}
_AFTER: Final[Document] = {
    "name": "after",
    "in": "query",
    "description": "The `id` of the last message that was dealt with; the feed goes on behind it. 410 when it does not "
    "go back that far: read the entities anew.",
    "schema": _POSITION,
}
_LAST_EVENT_ID: Final[Document] = {
    "name": "Last-Event-ID",
    "in": "header",
    "description": "The same, as clients of server-sent events send it when they connect again.",
    "schema": _POSITION,
}
_SINCE: Final[Document] = {
    "name": "since",
    "in": "query",
    "description": "Where the feed begins without a position: now, or with the oldest change that is still there.",
    "schema": {"type": "string", "enum": [each.value for each in Since], "default": Since.NOW.value},
}

FEED_PARAMETERS: Final[Mapping[str, Document]] = {
    "after": _AFTER,
    "since": _SINCE,
    "LastEventId": _LAST_EVENT_ID,
}
"""The parameters that are the same for all resources, by the names of their components."""


def feed_details(http_resource: HttpResource, queries: QueryDocs) -> OperationDetails:
    """Return what is documented of change feeds alone."""
    name = f"{http_resource.names.schema}Change"
    described = (
        "Server-sent events, until either side ends the connection. `event` is `created`, `updated`, `restored` or "
        f"`deleted`; `data` is a JSON object of the schema {name}."
    )
    data = {
        "type": "string",
        "contentMediaType": "application/json",
        "contentSchema": {"$ref": f"#/components/schemas/{name}"},
    }
    stream = {
        "type": "string",
        "description": described,
        "contentMediaType": EVENT_STREAM,
        "contentSchema": {"type": "object", "properties": {"data": data}},
    }
    answer = {
        "description": "Changes, from now on or after a position, while they happen.",
        "content": {EVENT_STREAM: {"schema": stream}},
    }
    members = {
        "description": "The same feed is on a WebSocket at this path: each message is the JSON of `data`, with its "
        "`id`; one without `verb` tells only where to resume.",
        "parameters": [
            *queries.published(published_fields(http_resource.resource)),
            queries.own_fields,
            *({"$ref": f"#/components/parameters/{name}"} for name in FEED_PARAMETERS),
        ],
    }
    return members, (answer,)


def feed_schemas(http_resource: HttpResource) -> dict[str, Document]:
    """Return the schemas that change feeds refer to, by name."""
    resource, name = http_resource.resource, http_resource.names.schema
    if Operation.CHANGES not in resource.operations:
        return {}
    text = {"type": "string"}
    described = "What happened; `deleted` also where an entity is out of the caller's sight, or of the filter, by now."
    return {
        f"{name}Change": {
            "type": "object",
            "required": ["verb", "key", "time"],
            "properties": {
                "id": {**_POSITION, "description": "On a WebSocket only."},
                "verb": {
                    "type": "string",
                    "enum": ["created", "updated", "restored", "deleted"],
                    "description": described,
                },
                "key": _json_key(http_resource),
                "time": {**text, "format": "date-time"},
                "version": {
                    "anyOf": [text, {"type": "null"}],
                    "description": "As in the ETag; null where it cannot be told from what is published.",
                },
                "values": {"$ref": f"#/components/schemas/{name}Part"},
            },
        }
    }


def _json_key(http_resource: HttpResource) -> Document:
    resource = http_resource.resource
    return {"type": "array", "items": {}} if len(resource.key) > 1 else key_schema(resource)
