"""Relations in OpenAPI: what can be included, how that is asked for, and where it is in answers."""

from collections.abc import Iterator
from typing import Any, Final

from fastapi_easy.domain import Relation, Resource
from fastapi_easy.interfaces.http.http_resource import Surface

Schema = dict[str, Any]

_DOCUMENTED_DEPTH: Final = 2
"""Relations one after the other that are spelt out; deeper ones are understood where the settings allow them."""


def related_properties(surface: Surface) -> dict[str, Schema]:
    """The members of an answer that hold included entities, none of which is there unless asked for."""
    properties: dict[str, Schema] = {}
    for relation in _relations(surface).values():
        there = {"$ref": f"#/components/schemas/{surface.every_name[relation.target.name].schema}Part"}
        properties[relation.name] = (
            {"type": "array", "items": there} if relation.many else {"anyOf": [there, {"type": "null"}]}
        )
    return properties


def related_parameters(surface: Surface) -> list[Schema]:
    """The parameters that ask for included entities: which, how many of them and in which order."""
    relations = _relations(surface)
    if not relations:
        return []
    parameters = [
        _list_of_names(
            "include",
            "Related entities to answer beside each entity, as members of the same names; with a dot, those of those.",
            _include_schema(surface),
        )
    ]
    for relation in relations.values():
        if relation.many:
            parameters += _options(relation)
    return parameters


def searched_includes(surface: Surface) -> dict[str, Schema]:
    """The member of a search that asks for included entities, by its name; nothing where there are none."""
    relations = _relations(surface)
    if not relations:
        return {}
    each = {name: _wishes(relation) for name, relation in relations.items()}
    tree = {"type": "object", "properties": each, "additionalProperties": False}
    described = "Names of relations, or an object that says more of each."
    return {"include": {"anyOf": [_include_schema(surface), tree], "description": described}}


def related_fields(surface: Surface) -> list[str]:
    """The fields of related entities as `fields` names them."""
    return [f"{name}.{each}" for name, one in _relations(surface).items() for each in one.target.readable]


def related_sorts(surface: Surface) -> list[str]:
    """The fields of related entities that `sort` takes: of those of which each entity has one at most."""
    return [
        f"{relation.name}.{field}"
        for relation in surface.resource.relations.values()
        if surface.use_cases.queries.parameters.relations and not relation.many
        for field in relation.target.sortable
    ]


def _relations(surface: Surface) -> dict[str, Relation]:
    limits = surface.use_cases.queries.limits
    return surface.resource.relations if limits.relations and limits.includes else {}


def _include_schema(surface: Surface) -> Schema:
    limits = surface.use_cases.queries.limits
    paths = list(_paths(surface.resource, min(limits.relations, _DOCUMENTED_DEPTH)))
    return {"type": "array", "items": {"enum": paths}, "maxItems": limits.includes}


def _paths(resource: Resource[Any], depth: int) -> Iterator[str]:
    for relation in resource.relations.values() if depth else ():
        yield relation.name
        yield from (f"{relation.name}.{path}" for path in _paths(relation.target, depth - 1))


def _options(relation: Relation) -> Iterator[Schema]:
    limit = _limit(relation)
    described = f"{relation.name.capitalize()} beside each entity at most; only with include={relation.name}."
    yield {"name": f"{relation.name}.limit", "in": "query", "description": described, "schema": limit}
    if not relation.target.sortable:
        return
    described = f"The order of {relation.name} beside each entity; only with include={relation.name}."
    yield _list_of_names(f"{relation.name}.sort", described, _sort(relation))


def _wishes(relation: Relation) -> Schema:
    target = relation.target
    wishes: Schema = {"fields": {"type": "array", "items": {"enum": list(target.readable)}}}
    if target.sortable:
        wishes["sort"] = _sort(relation)
    if relation.many:
        wishes["limit"] = _limit(relation)
    return {"type": "object", "properties": wishes, "additionalProperties": False}


def _limit(relation: Relation) -> Schema:
    rules = relation.target.query
    return {"type": "integer", "minimum": 1, "maximum": rules.max_limit, "default": rules.limit}


def _sort(relation: Relation) -> Schema:
    sortable = relation.target.sortable
    choices = [choice for name in sortable for choice in (name, f"-{name}")]
    return {"type": "array", "items": {"enum": choices}, "maxItems": len(sortable)}


def _list_of_names(name: str, described: str, schema: Schema) -> Schema:
    parameter = {"name": name, "in": "query", "description": described, "schema": schema}
    return {**parameter, "style": "form", "explode": False}
