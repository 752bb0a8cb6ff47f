"""Relations in OpenAPI: what can be included, how that is asked for, and where it is in answers."""

from collections.abc import Iterator
from typing import Any, Final

from fastapi_easy.domain import Relation, Resource
from fastapi_easy.interfaces.http.http_resource import HttpResource
from fastapi_easy.interfaces.http.openapi.documents import Document

_DOCUMENTED_DEPTH: Final = 2
"""Relations one after the other that are spelt out; deeper ones are understood where the settings allow them."""

_OPTIONS_NAME: Final = "IncludeOptions"
_NAMES: Final[Document] = {"type": "array", "items": {"type": "string"}}
_OPTION: Final[Document] = {
    "type": "object",
    "properties": {"fields": _NAMES, "sort": _NAMES, "limit": {"type": "integer", "minimum": 1}},
    "additionalProperties": False,
}
_OPTIONS: Final[Document] = {
    "type": "object",
    "description": "The relations that are included, with options for the entities there: `limit` and `sort` where "
    "there may be several.",
    "additionalProperties": _OPTION,
}


def option_schemas() -> dict[str, Document]:
    """Return the schemas that the searches of all resources share, by name."""
    return {_OPTIONS_NAME: _OPTIONS}


def related_properties(http_resource: HttpResource) -> dict[str, Document]:
    """Return the members of a response that hold included entities; each is there only when asked for."""
    properties: dict[str, Document] = {}
    for relation in _relations(http_resource).values():
        there = {"$ref": f"#/components/schemas/{http_resource.all_names[relation.target.name].schema}Part"}
        properties[relation.name] = (
            {"type": "array", "items": there} if relation.many else {"anyOf": [there, {"type": "null"}]}
        )
    return properties


def include_schema(http_resource: HttpResource) -> Document | None:
    """Return the schema of the names that can be included; `None` where there are none."""
    if not _relations(http_resource):
        return None
    limits = http_resource.use_cases.queries.limits
    paths = list(_paths(http_resource.resource, min(limits.relations, _DOCUMENTED_DEPTH)))
    return {"type": "array", "items": {"type": "string", "enum": paths}, "maxItems": limits.includes}


def include_options(http_resource: HttpResource, *, is_whole: bool) -> Document:
    """Return the schema of an object with options for each relation that is included.

    Args:
        http_resource: The resource that has the relations.

        is_whole: Every field that an option takes is named.
    """
    if not is_whole:
        return {"$ref": f"#/components/schemas/{_OPTIONS_NAME}"}
    each = {name: _include_options(relation) for name, relation in _relations(http_resource).items()}
    return {"type": "object", "properties": each, "additionalProperties": False}


def related_fields(http_resource: HttpResource) -> list[str]:
    """Return the fields of related entities as `fields` names them."""
    return [
        f"{name}.{each}" for name, one in _relations(http_resource).items() for each in one.target.readable
    ]


def related_sorts(http_resource: HttpResource) -> list[str]:
    """Return the fields of related entities that `sort` takes: those of to-one relations."""
    return [
        f"{relation.name}.{field}"
        for relation in http_resource.resource.relations.values()
        if http_resource.use_cases.queries.parameters.relations and not relation.many
        for field in relation.target.sortable
    ]


def _relations(http_resource: HttpResource) -> dict[str, Relation]:
    limits = http_resource.use_cases.queries.limits
    return http_resource.resource.relations if limits.relations and limits.includes else {}


def _paths(resource: Resource[Any], depth: int) -> Iterator[str]:
    for relation in resource.relations.values() if depth else ():
        yield relation.name
        yield from (f"{relation.name}.{path}" for path in _paths(relation.target, depth - 1))


def _include_options(relation: Relation) -> Document:
    target = relation.target
    options: Document = {"fields": _enumerated(list(target.readable))}
    if target.sortable:
        choices = [choice for name in target.sortable for choice in (name, f"-{name}")]
        options["sort"] = {**_enumerated(choices), "maxItems": len(target.sortable)}
    if relation.many:
        options["limit"] = {"type": "integer", "minimum": 1, "maximum": target.query.max_limit}
    return {"type": "object", "properties": options, "additionalProperties": False}


def _enumerated(names: list[str]) -> Document:
    return {"type": "array", "items": {"type": "string", "enum": names}}
