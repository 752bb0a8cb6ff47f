"""Exports, imports and aggregates of one resource in OpenAPI."""

from collections.abc import Mapping
from typing import Final

from pydantic import TypeAdapter

from fastapi_easy.application import ImportMode
from fastapi_easy.application.queries.aggregation_parser import DEFAULT_GROUP_LIMIT, groupable, measures
from fastapi_easy.domain import Field, Function, Kind, Operation
from fastapi_easy.interfaces.formats.encode import dumps
from fastapi_easy.interfaces.formats.output_types import output_type
from fastapi_easy.interfaces.http.http_resource import HttpResource
from fastapi_easy.interfaces.http.openapi.documents import Document, OperationDetails
from fastapi_easy.interfaces.http.openapi.examples import example_of
from fastapi_easy.interfaces.http.openapi.parameters import (
    fields_parameter,
    filter_parameters,
    page_parameters,
)
from fastapi_easy.interfaces.http.openapi.problems import CORRELATION
from fastapi_easy.interfaces.http.operations.export_endpoint import CSV, FORMATS, NDJSON
from fastapi_easy.interfaces.http.operations.import_endpoint import DEFAULT_FAILURES, MAX_FAILURES, MODES

_PREFER: Final = {
    "name": "Prefer",
    "in": "header",
    "description": "`tx=rollback` for a dry run, in which every line is validated and written, then rolled back.",
    "schema": {"type": "string", "examples": ["tx=rollback"]},
}
_NUMBER: Final = {"type": "integer", "minimum": 0}


def stream_schemas(http_resource: HttpResource) -> dict[str, Document]:
    """Return the schemas that imports and aggregates refer to, by name."""
    offered, name = http_resource.resource.operations, http_resource.names.schema
    schemas: dict[str, Document] = {}
    if Operation.IMPORT in offered:
        schemas[f"{name}Import"] = {**_IMPORT_REPORT, "title": f"{name}Import"}
    if Operation.AGGREGATE in offered:
        schemas[f"{name}Aggregate"] = {**_aggregate_schema(http_resource), "title": f"{name}Aggregate"}
    return schemas


def export_details(http_resource: HttpResource) -> OperationDetails:
    """Return what is documented of exports alone."""
    names = http_resource.names
    sort = [each for each in page_parameters(http_resource) if each["name"] == "sort"]
    wished = {
        "name": "as",
        "in": "query",
        "description": "The format; without it Accept decides.",
        "schema": {"enum": [*FORMATS]},
    }
    headers = {"Content-Disposition": {"description": "A name for a file.", "schema": {"type": "string"}}}
    answer = {
        "description": "Every entity, sent while they are read. A response that is cut off has no final chunk.",
        "headers": {**CORRELATION, **headers},
        "content": {
            NDJSON: {"schema": _text(NDJSON, f"{names.schema}Part")},
            CSV: {"schema": _text(CSV)},
        },
    }
    fields = fields_parameter(http_resource, related=False)
    return {"parameters": [*filter_parameters(http_resource), *sort, fields, wished]}, (answer,)


def import_details(http_resource: HttpResource) -> OperationDetails:
    """Return what is documented of imports alone."""
    resource, names = http_resource.resource, http_resource.names
    answer = {
        "headers": {**CORRELATION, "Preference-Applied": {"$ref": "#/components/headers/Preference-Applied"}},
        "content": {"application/json": {"schema": {"$ref": f"#/components/schemas/{names.schema}Import"}}},
    }
    parameters = [
        _integer_parameter("from_line", "Lines before this one are skipped.", 1, None, 1),
        _integer_parameter(
            "max_failures", "Lines that may fail before the import stops.", 0, MAX_FAILURES, DEFAULT_FAILURES
        ),
    ]
    parameters.append(_mode_parameter(http_resource))
    parameters.append(_PREFER)
    if Operation.UPSERT in resource.operations:
        described = (
            f"Change the entity that has the same {' and '.join(resource.upsert_by)}, if there is one."
        )
        schema = {"type": "boolean", "default": False}
        parameters.append({"name": "upsert", "in": "query", "description": described, "schema": schema})
    members = {
        "description": "Each line is an entity. Imported entities stay, also when later lines fail.",
        "parameters": parameters,
        "requestBody": {
            "required": True,
            "content": {
                NDJSON: {"schema": _text(NDJSON, f"{names.schema}Create"), **_example(http_resource)},
                CSV: {"schema": _text(CSV)},
            },
        },
    }
    return members, (
        {"description": "Every line was taken in.", **answer},
        {"description": "Some lines failed; the others were taken in.", **answer},
    )


def _mode_parameter(http_resource: HttpResource) -> Document:
    names = http_resource.resource.restorable
    restored = f" ({', '.join(names)})" if names else ""
    described = (
        f"`auto`: a line with fields that create does not take{restored} restores an entity, others create one. "
        "`create`: such a line fails. `restore`: every line restores an entity, and must have its key."
    )
    schema = {"enum": [*MODES], "default": ImportMode.AUTO.value}
    return {"name": "mode", "in": "query", "description": described, "schema": schema}


def _example(http_resource: HttpResource) -> Document:
    example = example_of(http_resource.resource, "Create")
    return {} if example is None else {"example": dumps(example).decode() + "\n"}


def aggregate_details(http_resource: HttpResource) -> OperationDetails:
    """Return what is documented of aggregates alone."""
    resource, names = http_resource.resource, http_resource.names
    limits = http_resource.use_cases.queries.limits
    answer = {
        "description": "The groups, nulls last.",
        "headers": dict(CORRELATION),
        "content": {
            "application/json": {"schema": {"$ref": f"#/components/schemas/{names.schema}Aggregate"}}
        },
    }
    parameters = [
        *filter_parameters(http_resource),
        _choice_parameter("group_by", "The fields whose equal values make a group.", groupable(resource)),
        _choice_parameter("total", "The numbers; `count` unless others are named.", measures(resource)),
        _integer_parameter(
            "limit", "Groups at most.", 1, limits.groups, min(DEFAULT_GROUP_LIMIT, limits.groups)
        ),
        _integer_parameter("offset", "Groups to skip.", 0, limits.offset, 0),
    ]
    return {"parameters": parameters}, (answer,)


def _aggregate_schema(http_resource: HttpResource) -> Document:
    fields = http_resource.resource.fields
    by = {name: _nullable(_schema_of(fields[name])) for name in groupable(http_resource.resource)}
    totals = {name: _total(name, fields) for name in measures(http_resource.resource)}
    group = {
        "type": "object",
        "required": ["by", "totals"],
        "properties": {
            "by": {"type": "object", "properties": by, "additionalProperties": False},
            "totals": {"type": "object", "properties": totals, "additionalProperties": False},
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


def _text(media_type: str, line: str | None = None) -> Document:
    """Return the schema of text; each line is a JSON object of the schema *line*, if that is given."""
    if line is None:
        return {"type": "string", "description": "The first record names the fields."}
    each = f"Each line is a JSON object of the schema {line}."
    return {"type": "string", "contentMediaType": media_type, "description": each}


def _choice_parameter(name: str, described: str, choices: tuple[str, ...]) -> Document:
    schema = {"type": "array", "items": {"enum": [*choices]}}
    parameter = {"name": name, "in": "query", "description": described, "schema": schema}
    return {**parameter, "style": "form", "explode": False}


def _integer_parameter(name: str, described: str, low: int, high: int | None, default: int) -> Document:
    schema = {"type": "integer", "minimum": low, "default": default}
    if high is not None:
        schema["maximum"] = high
    return {"name": name, "in": "query", "description": described, "schema": schema}


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
