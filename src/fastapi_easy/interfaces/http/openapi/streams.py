"""Exports, imports and aggregates of one resource in OpenAPI."""

from collections.abc import Mapping
from typing import Final

from pydantic import TypeAdapter

from fastapi_easy.application import ImportMode
from fastapi_easy.application.queries.aggregation_parser import DEFAULT_GROUP_LIMIT, groupable, measures
from fastapi_easy.domain import Field, Function, Kind, Operation
from fastapi_easy.interfaces.formats.output_types import output_type
from fastapi_easy.interfaces.http.http_resource import HttpResource
from fastapi_easy.interfaces.http.openapi.documents import Document, OperationDetails
from fastapi_easy.interfaces.http.openapi.queries.parameters import QueryDocs
from fastapi_easy.interfaces.http.openapi.request_headers import PREFER_OF_IMPORTS
from fastapi_easy.interfaces.http.openapi.responses import EXPORTED, IMPORTED, json_response
from fastapi_easy.interfaces.http.operations.export_endpoint import CSV, FORMATS, NDJSON
from fastapi_easy.interfaces.http.operations.import_endpoint import (
    BYTES,
    DEFAULT_FAILURES,
    MAX_FAILURES,
    MODES,
)

_NUMBER: Final = {"type": "integer", "minimum": 0}
_NUMBERS: Final[Document] = {"type": ["number", "string", "boolean", "null"]}
"""A total in JSON: that of decimals is a string, as they are themselves."""


def stream_schemas(http_resource: HttpResource) -> dict[str, Document]:
    """Return the schemas that imports and aggregates refer to, by name; that of imports is the same for all."""
    offered, name = http_resource.resource.operations, http_resource.names.schema
    schemas: dict[str, Document] = {}
    if Operation.IMPORT in offered:
        schemas["ImportReport"] = _IMPORT_REPORT
    if Operation.AGGREGATE in offered:
        schemas[f"{name}Aggregate"] = _aggregate_schema(http_resource)
    return schemas


def export_details(queries: QueryDocs) -> OperationDetails:
    """Return what is documented of exports alone."""
    members = {
        "description": "A line for each that the comparisons select.",
        "parameters": [*queries.selection, *queries.sort, queries.own_fields, _reference("as")],
    }
    return members, (EXPORTED,)


def import_details(http_resource: HttpResource) -> OperationDetails:
    """Return what is documented of imports alone."""
    resource = http_resource.resource
    parameters = [_reference(name) for name in ("as", "from_line", "max_failures", "mode")]
    if Operation.UPSERT in resource.operations:
        described = (
            f"Change the entity that has the same {' and '.join(resource.upsert_by)}, if there is one."
        )
        schema = {"type": "boolean", "default": False}
        parameters.append({"name": "upsert", "in": "query", "description": described, "schema": schema})
    members = {
        "description": "An entity in each line; it stays when later lines fail.",
        "parameters": [*parameters, PREFER_OF_IMPORTS],
        "requestBody": {"$ref": "#/components/requestBodies/Import"},
    }
    return members, (IMPORTED, IMPORTED)


def aggregate_details(http_resource: HttpResource, queries: QueryDocs) -> OperationDetails:
    """Return what is documented of aggregates alone."""
    resource, names = http_resource.resource, http_resource.names
    group_by = _list_parameter("group_by", _GROUPS, groupable(resource))
    if groupable(resource) == tuple(resource.readable):
        group_by["schema"] = queries.field_list
    total = _reference("total")
    if resource.query.document == "all":
        total = _list_parameter("total", _TOTALS, measures(resource))
    taken = {"group_by", "total", "limit", "offset"}
    members = {
        "description": "Numbers about those that the comparisons select.",
        "parameters": [
            *(each for each in queries.selection if queries.name_of(each) not in taken),
            group_by,
            total,
            _reference("groups.limit"),
            _reference("groups.offset"),
        ],
    }
    groups = {"$ref": f"#/components/schemas/{names.schema}Aggregate"}
    return members, (json_response("The groups, nulls last.", groups),)


def _aggregate_schema(http_resource: HttpResource) -> Document:
    resource = http_resource.resource
    totals: Document = {"type": "object", "additionalProperties": _NUMBERS}
    if resource.query.document == "all":
        each = {name: _total(name, resource.fields) for name in measures(resource)}
        totals = {"type": "object", "properties": each, "additionalProperties": False}
    group = {
        "type": "object",
        "required": ["by", "totals"],
        "properties": {
            "by": {"$ref": f"#/components/schemas/{http_resource.names.schema}Part"},
            "totals": totals,
        },
    }
    return {
        "type": "object",
        "required": ["items", "next_offset"],
        "properties": {"items": {"type": "array", "items": group}, "next_offset": _nullable(_NUMBER)},
    }


def _total(name: str, fields: Mapping[str, Field]) -> Document:
    function, _, field_name = name.partition(":")
    if function == Function.COUNT:
        return _NUMBER
    field: Field = fields[field_name]
    if function == Function.AVERAGE and field.kind is Kind.INTEGER:
        field = Field(name=field.name, kind=Kind.DECIMAL)
    if function == Function.SUM:
        # A sum may be larger than any value of its field.
        field = Field(name=field.name, kind=field.kind)
    return _nullable(_schema_of(field))


def _schema_of(field: Field) -> Document:
    """Return the JSON Schema of a value of *field* in a response, leaving null aside."""
    if field.enumeration is not None:
        return {"enum": [each.value for each in field.enumeration]}
    bare = Field(name=field.name, kind=field.kind)
    return TypeAdapter(output_type(bare)).json_schema(mode="serialization")


def _nullable(schema: Document) -> Document:
    return {"anyOf": [schema, {"type": "null"}]}


def _list_parameter(name: str, described: str, choices: tuple[str, ...] | None = None) -> Document:
    items: Document = {"type": "string"} if choices is None else {"type": "string", "enum": [*choices]}
    schema = {"type": "array", "items": items}
    parameter = {"name": name, "in": "query", "description": described, "schema": schema}
    return {**parameter, "explode": False}


def _integer_parameter(name: str, described: str, low: int, high: int | None, default: int) -> Document:
    schema = {"type": "integer", "minimum": low, "default": default}
    if high is not None:
        schema["maximum"] = high
    return {"name": name, "in": "query", "description": described, "schema": schema}


def _reference(name: str) -> Document:
    return {"$ref": f"#/components/parameters/{name}"}


_LINES: Final[Document] = {"$ref": "#/components/schemas/Lines"}
_RECORDS: Final[Document] = {"$ref": "#/components/schemas/Records"}
_GROUPS: Final = "The fields whose equal values make a group."
_TOTALS: Final = (
    "The numbers: `count`, or one of `count`, `sum`, `avg`, `min` and `max` with a colon and a field. `count` unless "
    "others are named."
)

STREAM_BODIES: Final[Mapping[str, Document]] = {
    "Import": {
        "required": True,
        "content": {
            # First, because generators of clients take the first, and make JSON of a text.
            BYTES: {"schema": {"type": "string", "format": "binary"}},
            NDJSON: {"schema": _LINES},
            CSV: {"schema": _RECORDS},
        },
    }
}
"""The bodies that are the same for all resources, by the names of their components."""

LINE_SCHEMAS: Final[Mapping[str, Document]] = {
    "Lines": {"type": "string", "description": "NDJSON: each line is a JSON object, an entity."},
    "Records": {"type": "string", "description": "CSV: the first record names the fields."},
}
"""The schemas of the bodies of exports and imports, by name."""

STREAM_PARAMETERS: Final[Mapping[str, Document]] = {
    "as": {
        "name": "as",
        "in": "query",
        "description": "The format of an export, in place of Accept, or of an import that was sent as "
        "application/octet-stream, which is NDJSON without it.",
        "schema": {"type": "string", "enum": [*FORMATS]},
    },
    "from_line": _integer_parameter("from_line", "Lines before this one are skipped.", 1, None, 1),
    "max_failures": _integer_parameter(
        "max_failures", "Lines that may fail before the import stops.", 0, MAX_FAILURES, DEFAULT_FAILURES
    ),
    "mode": {
        "name": "mode",
        "in": "query",
        "description": "`auto`: a line with fields that create does not take, but an export shows, restores an entity, "
        "others create one. `create`: such a line fails. `restore`: every line restores an entity, and must have its "
        "key.",
        "schema": {"type": "string", "enum": [*MODES], "default": ImportMode.AUTO.value},
    },
    "total": _list_parameter("total", _TOTALS),
    "groups.limit": _integer_parameter("limit", "Groups at most.", 1, None, DEFAULT_GROUP_LIMIT),
    "groups.offset": _integer_parameter("offset", "Groups to skip.", 0, None, 0),
}
"""The parameters of exports and imports that are the same for all resources, by the names of their components."""

_IMPORT_REPORT: Final[Document] = {
    "type": "object",
    "required": ["created", "updated", "failed", "next_line", "errors"],
    "properties": {
        "created": {**_NUMBER, "description": "Entities made."},
        "updated": {**_NUMBER, "description": "Entities changed."},
        "failed": {**_NUMBER, "description": "Lines that failed."},
        "next_line": {
            "type": "integer",
            "minimum": 1,
            "description": "The first line that was not processed.",
        },
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["line", "problem"],
                "properties": {
                    "line": {"type": "integer", "minimum": 1},
                    "problem": {"$ref": "#/components/schemas/ItemProblem"},
                },
            },
        },
    },
}
