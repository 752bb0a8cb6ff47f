"""Relations in OpenAPI: what can be included, how that is asked for, and where it is in answers."""

from collections.abc import Iterator
from typing import Any, Final

from fastapi_easy.domain import Relation, Resource
from fastapi_easy.interfaces.http.http_resource import HttpResource
from fastapi_easy.interfaces.http.openapi.documents import Document

_DOCUMENTED_DEPTH: Final = 2
"""Relations one after the other that are spelt out; deeper ones are understood where the settings allow them."""


def related_properties(http_resource: HttpResource) -> dict[str, Document]:
    """Return the members of a response that hold included entities; each is there only when asked for."""
    properties: dict[str, Document] = {}
    for relation in _relations(http_resource).values():
        there = {"$ref": f"#/components/schemas/{http_resource.all_names[relation.target.name].schema}Part"}
        properties[relation.name] = (
            {"type": "array", "items": there} if relation.many else {"anyOf": [there, {"type": "null"}]}
        )
    return properties


def related_parameters(http_resource: HttpResource) -> list[Document]:
    """Return the parameters that include related entities: which, how many, and in which order."""
    relations = _relations(http_resource)
    if not relations:
        return []
    parameters = [
        _list_of_names(
            "include",
            "Related entities to include in each entity, as members of the same names; nested ones with a dot.",
            _include_schema(http_resource),
        )
    ]
    for relation in relations.values():
        if relation.many:
            parameters += _options(relation)
    return parameters


def search_include_schema(http_resource: HttpResource) -> dict[str, Document]:
    """Return the member of a search that includes related entities; empty where there are none."""
    relations = _relations(http_resource)
    if not relations:
        return {}
    each = {name: _include_options(relation) for name, relation in relations.items()}
    tree = {"type": "object", "properties": each, "additionalProperties": False}
    described = "Names of relations, or an object with options for each."
    return {"include": {"anyOf": [_include_schema(http_resource), tree], "description": described}}


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


def _include_schema(http_resource: HttpResource) -> Document:
    limits = http_resource.use_cases.queries.limits
    paths = list(_paths(http_resource.resource, min(limits.relations, _DOCUMENTED_DEPTH)))
    return {"type": "array", "items": {"enum": paths}, "maxItems": limits.includes}


def _paths(resource: Resource[Any], depth: int) -> Iterator[str]:
    for relation in resource.relations.values() if depth else ():
        yield relation.name
        yield from (f"{relation.name}.{path}" for path in _paths(relation.target, depth - 1))


def _options(relation: Relation) -> Iterator[Document]:
    limit = _limit(relation)
    described = f"{relation.name.capitalize()} at most for each entity; only with include={relation.name}."
    yield {"name": f"{relation.name}.limit", "in": "query", "description": described, "schema": limit}
    if not relation.target.sortable:
        return
    described = f"The order of {relation.name} for each entity; only with include={relation.name}."
    yield _list_of_names(f"{relation.name}.sort", described, _sort(relation))


def _include_options(relation: Relation) -> Document:
    target = relation.target
    options: Document = {"fields": {"type": "array", "items": {"enum": list(target.readable)}}}
    if target.sortable:
        options["sort"] = _sort(relation)
    if relation.many:
        options["limit"] = _limit(relation)
    return {"type": "object", "properties": options, "additionalProperties": False}


def _limit(relation: Relation) -> Document:
    rules = relation.target.query
    return {"type": "integer", "minimum": 1, "maximum": rules.max_limit, "default": rules.limit}


def _sort(relation: Relation) -> Document:
    sortable = relation.target.sortable
    choices = [choice for name in sortable for choice in (name, f"-{name}")]
    return {"type": "array", "items": {"enum": choices}, "maxItems": len(sortable)}


def _list_of_names(name: str, described: str, schema: Document) -> Document:
    parameter = {"name": name, "in": "query", "description": described, "schema": schema}
    return {**parameter, "style": "form", "explode": False}
