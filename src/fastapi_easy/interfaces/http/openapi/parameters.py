"""The query grammar of one resource as OpenAPI parameters and as the schema of a search."""

from collections.abc import Iterable, Mapping
from typing import Any, Final

from fastapi_easy.application.queries.allowed_comparisons import Parameter
from fastapi_easy.application.queries.query_reader import QueryReader
from fastapi_easy.domain import Count, Field, Kind, Operator, Resource
from fastapi_easy.domain.values.formats import FORMATS
from fastapi_easy.domain.values.texts import WITHOUT_NUL
from fastapi_easy.interfaces.http.http_resource import HttpResource
from fastapi_easy.interfaces.http.openapi.documents import Document
from fastapi_easy.interfaces.http.openapi.history import as_of_parameters
from fastapi_easy.interfaces.http.openapi.relations import (
    related_fields,
    related_sorts,
    search_include_schema,
)

_MAX_COMPARISONS: Final = 10
"""Comparisons in one object of `where` as documented."""

_DOCUMENTED_DEPTH: Final = 2
"""Levels of `where` that are spelt out; the settings may allow more."""


def filter_parameters(http_resource: HttpResource) -> list[Document]:
    """Return references to the parameters that filter; the operations that filter share them."""
    return [{"$ref": f"#/components/parameters/{name}"} for name in shared_parameters(http_resource)]


def shared_parameters(http_resource: HttpResource) -> dict[str, Document]:
    """Return the shared parameters by name: one for each comparison, and those that combine them."""
    return {f"{http_resource.names.plural}.{each['name']}": each for each in _filters(http_resource)}


def _filters(http_resource: HttpResource) -> list[Document]:
    queries = http_resource.use_cases.queries
    parameters = [_comparison(each, queries) for each in queries.parameters.values()]
    if queries.parameters:
        where = {"$ref": f"#/components/schemas/{filter_name(http_resource)}"}
        parameters.append(
            {
                "name": "where",
                "in": "query",
                "description": "A tree of comparisons with `and`, `or` and `not`.",
                "content": {"application/json": {"schema": where}},
            }
        )
    if http_resource.resource.searchable:
        described = (
            f"Every word is contained in {' or '.join(http_resource.resource.searchable)}, whatever the case."
        )
        parameters.append(_query("q", described, _text(queries.limits.text)))
    return parameters


def page_parameters(http_resource: HttpResource) -> list[Document]:
    """Return the parameters for pagination, order and fields."""
    resource, limits = http_resource.resource, http_resource.use_cases.queries.limits
    rules = resource.query
    limit = {"type": "integer", "minimum": 1, "maximum": rules.max_limit, "default": rules.limit}
    offset = {"type": "integer", "minimum": 0, "maximum": limits.offset, "default": 0}
    return [
        *_sort(http_resource),
        fields_parameter(http_resource),
        _query("limit", "Entities on the page at most.", limit),
        _query("offset", "Entities to skip; slow when large, so prefer cursor.", offset),
        _query(
            "cursor",
            "Where to continue: next_cursor of the previous page. Not with offset.",
            {"type": "string"},
        ),
        _query("count", "Whether total is counted.", {"enum": [*Count], "default": Count.NONE}),
    ]


def fields_parameter(http_resource: HttpResource, *, related: bool = True) -> Document:
    """Return the parameter that selects fields, related ones too where entities can be included."""
    names = list(http_resource.resource.readable)
    if related:
        names += related_fields(http_resource)
    schema = {"type": "array", "items": {"enum": names}}
    return {**_query("fields", "The fields of the answer.", schema), "style": "form", "explode": False}


def filter_name(http_resource: HttpResource) -> str:
    """Return the name of the schema of `where`."""
    return f"{http_resource.names.schema}Filter"


def search_schemas(http_resource: HttpResource) -> dict[str, Document]:
    """Return the schema of the body of a search, and those it refers to.

    No schema can say how deep a tree may be, so the first levels have a schema each.
    """
    resource, queries = http_resource.resource, http_resource.use_cases.queries
    name = filter_name(http_resource)
    leaves = {each.name: _json_value(each, queries) for each in queries.parameters.values()}
    schemas: dict[str, Document] = {}
    for relation in queries.parameters.relations.values():
        there = {
            each.name: _json_value(each, queries)
            for each in queries.parameters.for_relation(relation.name).own.values()
        }
        name_there = f"{http_resource.all_names[relation.target.name].schema}Comparisons"
        schemas[name_there] = _tree(there, None, 0)
        leaves[relation.name] = {"$ref": f"#/components/schemas/{name_there}"}
    depth = min(queries.limits.depth, _DOCUMENTED_DEPTH)
    for level in range(depth + 1):
        above = depth - level
        schemas[name if not above else f"{name}{level}"] = _tree(
            leaves, f"{name}{level - 1}" if level else None, queries.limits.leaves
        )
    page = {
        each["name"]: {**each["schema"], "description": each["description"]}
        for each in (*page_parameters(http_resource), *as_of_parameters(http_resource))
    }
    members: dict[str, Document] = {**page, **search_include_schema(http_resource)}
    if leaves:
        members["where"] = {"$ref": f"#/components/schemas/{name}"}
    if resource.searchable:
        members["q"] = _text(queries.limits.text)
    schemas[f"{http_resource.names.schema}Search"] = {
        "type": "object",
        "title": f"{http_resource.names.schema}Search",
        "properties": members,
        "additionalProperties": False,
    }
    return schemas


def text_schema(field: Field) -> Document:
    """Return the JSON Schema of a value of *field* in a path or a query string."""
    return FORMATS[field.kind].query_schema(field)


def key_schema(resource: Resource[Any]) -> Document:
    """Return the JSON Schema of a key as one segment of a path."""
    fields = [resource.fields[name] for name in resource.key]
    if len(fields) > 1:
        parts = (_PARTS.get(field.kind, r"[^,~/\u0000]+") for field in fields)
        return {"type": "string", "pattern": f"^{','.join(parts)}$"}
    schema = text_schema(fields[0])
    return {**schema, "minLength": 1} if fields[0].kind is Kind.TEXT else schema


def _tree(leaves: Mapping[str, Document], inner: str | None, most: int) -> Document:
    properties: dict[str, Document] = dict(leaves)
    if inner is not None:
        reference = {"$ref": f"#/components/schemas/{inner}"}
        several = {"type": "array", "items": reference, "maxItems": most}
        properties |= {"and": several, "or": several, "not": reference}
    return {
        "type": "object",
        "properties": properties,
        "additionalProperties": False,
        "maxProperties": _MAX_COMPARISONS,
    }


def _comparison(parameter: Parameter, queries: QueryReader) -> Document:
    described = _described(parameter)
    value = _bounded_text(parameter.value, queries)
    if not parameter.takes_list:
        return _query(parameter.name, described, value)
    return {
        **_query(parameter.name, described, _list_schema(parameter, value, queries)),
        "style": "form",
        "explode": True,
    }


def _described(parameter: Parameter) -> str:
    name = parameter.name.partition("__")[0]
    if parameter.relation is None:
        described = _operator_description(parameter.operator, f"`{name}`")
    else:
        described = f"`{name}` has no related entity (true) or has one (false)."
    several = any(relation.many for relation in parameter.path)
    return f"{described.removesuffix('.')}, of at least one of them." if several else described


def _operator_description(operator: Operator, name: str) -> str:  # noqa: C901, PLR0911, PLR0912 (a row per operator)
    match operator:
        case Operator.EQUALS:
            return f"{name} equals this."
        case Operator.NOT_EQUALS:
            return f"{name} differs from this, or is null."
        case Operator.IN:
            return f"{name} is one of these."
        case Operator.NOT_IN:
            return f"{name} is not one of these, or is null."
        case Operator.IS_NULL:
            return f"{name} is null (true) or is not (false)."
        case Operator.GREATER:
            return f"{name} is greater than this."
        case Operator.GREATER_OR_EQUAL:
            return f"{name} is this or greater."
        case Operator.LESS:
            return f"{name} is less than this."
        case Operator.LESS_OR_EQUAL:
            return f"{name} is this or less."
        case Operator.BETWEEN:
            return f"{name} is between these two, or one of them."
        case Operator.EQUALS_ANY_CASE:
            return f"{name} equals this, whatever the case."
        case Operator.CONTAINS:
            return f"{name} contains this."
        case Operator.CONTAINS_ANY_CASE:
            return f"{name} contains this, whatever the case."
        case Operator.STARTS_WITH:
            return f"{name} starts with this."
        case Operator.STARTS_WITH_ANY_CASE:
            return f"{name} starts with this, whatever the case."
        case Operator.ENDS_WITH:
            return f"{name} ends with this."
        case Operator.ENDS_WITH_ANY_CASE:
            return f"{name} ends with this, whatever the case."
        case Operator.HAS:
            return f"{name} has this item."
        case Operator.HAS_ANY:
            return f"{name} has one of these items."
        case Operator.HAS_ALL:
            return f"{name} has all of these items."


def _json_value(parameter: Parameter, queries: QueryReader) -> Document:
    field = parameter.value
    value = _bounded_text(field, queries)
    if field.kind is Kind.DECIMAL:
        value = {"anyOf": [value, {"type": "integer"}]}
    return _list_schema(parameter, value, queries) if parameter.takes_list else value


def _list_schema(parameter: Parameter, value: Document, queries: QueryReader) -> Document:
    if parameter.operator is Operator.BETWEEN:
        return {"type": "array", "items": value, "minItems": 2, "maxItems": 2}
    return {"type": "array", "items": value, "maxItems": queries.limits.items}


def _bounded_text(field: Field, queries: QueryReader) -> Document:
    return _text(queries.limits.text) if field.kind is Kind.TEXT else text_schema(field)


def _text(max_length: int) -> Document:
    return {"type": "string", "maxLength": max_length, "pattern": WITHOUT_NUL}


def _query(name: str, description: str, schema: Document) -> Document:
    return {"name": name, "in": "query", "description": description, "schema": schema}


def _sort(http_resource: HttpResource) -> Iterable[Document]:
    sortable = [*http_resource.resource.sortable, *related_sorts(http_resource)]
    if not sortable:
        return
    choices = [choice for name in sortable for choice in (name, f"-{name}")]
    schema = {"type": "array", "items": {"enum": choices}, "maxItems": len(sortable)}
    described = "The order; a leading minus means the largest first. Nulls come last."
    yield {**_query("sort", described, schema), "style": "form", "explode": False, "example": choices[:1]}


_PARTS: Final[Mapping[Kind, str]] = {
    Kind.INTEGER: "(?:0|-?[1-9][0-9]{0,8})",
    Kind.UUID: "[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}",
    Kind.DATE: "[0-9]{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|1[0-9]|2[0-8])",
}
"""The pattern of each part of a composite key: narrower than what is read, so that generated examples are valid."""
