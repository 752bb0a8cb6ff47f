"""Exports, imports and aggregates of one resource in OpenAPI."""

from collections.abc import Iterator
from typing import Any, Final

from pydantic import TypeAdapter

from fastapi_easy.application.queries.aggregation_parser import GROUPS, groupable, measures
from fastapi_easy.domain import Field, Function, Kind, Operation
from fastapi_easy.interfaces.formats.encode import dumps
from fastapi_easy.interfaces.formats.output_types import output_type
from fastapi_easy.interfaces.http.http_resource import Surface
from fastapi_easy.interfaces.http.openapi.examples import example_of
from fastapi_easy.interfaces.http.openapi.parameters import (
    fields_parameter,
    filter_parameters,
    page_parameters,
)
from fastapi_easy.interfaces.http.openapi.problems import CORRELATION, problem_responses
from fastapi_easy.interfaces.http.operations.export_endpoint import CSV, FORMATS, NDJSON
from fastapi_easy.interfaces.http.operations.import_endpoint import FAILURES, MOST_FAILURES

Document = dict[str, Any]

_READ: Final = (400, 405, 414, 422, 500, 501, 503, 504)
_WRITTEN: Final = (400, 405, 408, 413, 415, 422, 500, 501, 503, 504)
_PREFER: Final = {
    "name": "Prefer",
    "in": "header",
    "description": "`tx=rollback` for a dry run, in which every line is tried and none is kept.",
    "schema": {"type": "string", "examples": ["tx=rollback"]},
}
_NUMBER: Final = {"type": "integer", "minimum": 0}


def stream_operations(surface: Surface) -> Iterator[tuple[Operation | None, str, str, Document]]:
    """Operation, path, method and document of each, whether or not the resource offers it."""
    yield Operation.EXPORT, f"{surface.path}/export", "get", _export(surface)
    yield Operation.IMPORT, f"{surface.path}/import", "post", _import(surface)
    yield Operation.AGGREGATE, f"{surface.path}/aggregate", "get", _aggregate(surface)


def stream_schemas(surface: Surface) -> dict[str, Document]:
    """The schemas that they refer to, by name."""
    offered, name = surface.resource.operations, surface.names.schema
    schemas: dict[str, Document] = {}
    if Operation.IMPORT in offered:
        schemas[f"{name}Import"] = {**_IMPORTED, "title": f"{name}Import"}
    if Operation.AGGREGATE in offered:
        schemas[f"{name}Aggregate"] = {**_aggregated(surface), "title": f"{name}Aggregate"}
    return schemas


def _export(surface: Surface) -> Document:
    names = surface.names
    sort = [each for each in page_parameters(surface) if each["name"] == "sort"]
    wished = {
        "name": "as",
        "in": "query",
        "description": "The format; without it Accept decides.",
        "schema": {"enum": [*FORMATS]},
    }
    headers = {"Content-Disposition": {"description": "A name for a file.", "schema": {"type": "string"}}}
    answer = {
        "description": "Every entity, sent while they are read. An answer that breaks off has no proper end.",
        "headers": {**CORRELATION, **headers},
        "content": {
            NDJSON: {"schema": _text(NDJSON, f"{names.schema}Part")},
            CSV: {"schema": _text(CSV)},
        },
    }
    return {
        "operationId": f"export_{names.many}",
        "summary": f"Export {surface.resource.name}",
        "parameters": [*filter_parameters(surface), *sort, fields_parameter(surface, related=False), wished],
        "responses": {"200": answer, **problem_responses((*_READ, 406))},
    }


def _import(surface: Surface) -> Document:
    resource, names = surface.resource, surface.names
    answer = {
        "headers": {**CORRELATION, "Preference-Applied": {"$ref": "#/components/headers/Preference-Applied"}},
        "content": {"application/json": {"schema": {"$ref": f"#/components/schemas/{names.schema}Import"}}},
    }
    parameters = [
        _whole("from_line", "Lines before this one are skipped.", 1, None, 1),
        _whole("max_failures", "Lines that may fail before the import stops.", 0, MOST_FAILURES, FAILURES),
    ]
    parameters.append(_PREFER)
    if Operation.UPSERT in resource.operations:
        described = (
            f"Change the entity that has the same {' and '.join(resource.upsert_by)}, if there is one."
        )
        schema = {"type": "boolean", "default": False}
        parameters.append({"name": "upsert", "in": "query", "description": described, "schema": schema})
    return {
        "operationId": f"import_{names.many}",
        "summary": f"Import {resource.name}",
        "description": "Each line is an entity. What was taken in stays, also when later lines fail.",
        "parameters": parameters,
        "requestBody": {
            "required": True,
            "content": {
                NDJSON: {"schema": _text(NDJSON, f"{names.schema}Create"), **_example(surface)},
                CSV: {"schema": _text(CSV)},
            },
        },
        "responses": {
            "200": {"description": "Every line was taken in.", **answer},
            "207": {"description": "Some lines failed; the others were taken in.", **answer},
            **problem_responses(_WRITTEN),
        },
    }


def _example(surface: Surface) -> Document:
    example = example_of(surface.resource, "Create")
    return {} if example is None else {"example": dumps(example).decode() + "\n"}


def _aggregate(surface: Surface) -> Document:
    resource, names = surface.resource, surface.names
    limits = surface.use_cases.queries.limits
    answer = {
        "description": "The groups, nulls last.",
        "headers": dict(CORRELATION),
        "content": {
            "application/json": {"schema": {"$ref": f"#/components/schemas/{names.schema}Aggregate"}}
        },
    }
    return {
        "operationId": f"aggregate_{names.many}",
        "summary": f"Numbers about {resource.name}",
        "parameters": [
            *filter_parameters(surface),
            _chosen("group_by", "The fields whose equal values make a group.", groupable(resource)),
            _chosen("total", "The numbers; `count` unless others are named.", measures(resource)),
            _whole("limit", "Groups at most.", 1, limits.groups, min(GROUPS, limits.groups)),
            _whole("offset", "Groups to skip.", 0, limits.offset, 0),
        ],
        "responses": {"200": answer, **problem_responses(_READ)},
    }


def _aggregated(surface: Surface) -> Document:
    fields = surface.resource.fields
    by = {name: _nullable(_schema_of(fields[name])) for name in groupable(surface.resource)}
    totals = {name: _total(name, fields) for name in measures(surface.resource)}
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


def _total(name: str, fields: Any) -> Document:
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
    """The JSON Schema of a value of *field* in an answer, leaving null aside."""
    if field.enumeration is not None:
        return {"enum": [each.value for each in field.enumeration]}
    bare = Field(name=field.name, kind=field.kind)
    return TypeAdapter(output_type(bare)).json_schema(mode="serialization")


def _nullable(schema: Document) -> Document:
    return {"anyOf": [schema, {"type": "null"}]}


def _text(media_type: str, line: str | None = None) -> Document:
    """The schema of text whose every line is a JSON object of the schema *line*, if given."""
    if line is None:
        return {"type": "string", "description": "The first record names the fields."}
    each = f"Each line is a JSON object of the schema {line}."
    return {"type": "string", "contentMediaType": media_type, "description": each}


def _chosen(name: str, described: str, choices: tuple[str, ...]) -> Document:
    schema = {"type": "array", "items": {"enum": [*choices]}}
    parameter = {"name": name, "in": "query", "description": described, "schema": schema}
    return {**parameter, "style": "form", "explode": False}


def _whole(name: str, described: str, low: int, high: int | None, default: int) -> Document:
    schema = {"type": "integer", "minimum": low, "default": default}
    if high is not None:
        schema["maximum"] = high
    return {"name": name, "in": "query", "description": described, "schema": schema}


_IMPORTED: Final[Document] = {
    "type": "object",
    "required": ["created", "updated", "failed", "next_line", "errors"],
    "properties": {
        "created": {**_NUMBER, "description": "Entities made."},
        "updated": {**_NUMBER, "description": "Entities changed."},
        "failed": {**_NUMBER, "description": "Lines that were left out."},
        "next_line": {
            "type": "integer",
            "minimum": 1,
            "description": "The first line that was not looked at.",
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
