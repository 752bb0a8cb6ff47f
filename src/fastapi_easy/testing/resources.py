"""Build resources from shapes: every operation is allowed, and relations connect them."""

import dataclasses
from collections.abc import Mapping
from typing import Any, TypeVar

from fastapi_easy.domain.errors import DeclarationError
from fastapi_easy.domain.field import Kind, is_sortable
from fastapi_easy.domain.queries.ordering import Sort
from fastapi_easy.domain.queries.specification import operators_for
from fastapi_easy.domain.resources.declaration import Declaration
from fastapi_easy.domain.resources.linking import link
from fastapi_easy.domain.resources.options import EVERY_OPERATION, Operation, QueryRules, Schemas
from fastapi_easy.domain.resources.resource import Resource, Shape

E = TypeVar("E")


def resource_from(shape: Shape, name: str, entity: type[E], **replaced: Any) -> Resource[E]:
    """Return the resource *name* of *entity* with every operation on every field; generated ones are not writable.

    It has no relations; see `resources_with_relations`.

    Args:
        shape: The shape as the `mapping` of an adapter reads it.

        name: The name of the resource.

        entity: The class that the shape describes.

        replaced: Attributes of `Resource` that differ from the default. The fields of `version` and `soft_delete` are
            generated, as in a declaration.
    """
    generated = {replaced.get("version"), replaced.get("soft_delete")}
    fields = {
        each.name: dataclasses.replace(each, generated=True) if each.name in generated else each
        for each in shape.fields
    }
    writable = tuple(each.name for each in fields.values() if not each.generated)
    paths = tuple(replaced.get("paths", ()))
    filterable = (*(name for name, each in fields.items() if operators_for(each)), *paths)
    made = Resource(
        name=name,
        entity=entity,
        stored=entity,
        fields=fields,
        key=shape.key,
        readable=tuple(fields),
        writable=writable,
        changeable=tuple(each for each in writable if each not in shape.key),
        restorable=tuple(each.name for each in fields.values() if each.generated and not each.computed),
        filterable=filterable,
        sortable=(*(each.name for each in shape.fields if is_sortable(each)), *paths),
        searchable=tuple(each.name for each in shape.fields if each.kind is Kind.TEXT),
        default_order=tuple(Sort(each) for each in shape.key),
        operations=frozenset(EVERY_OPERATION) - {Operation.CHANGES, Operation.HISTORY},
        query=QueryRules(),
        schemas=Schemas(),
        database="default",
        unique=shape.unique,
    )
    return dataclasses.replace(made, **replaced)


def resources_with_relations(
    shapes: Mapping[str, Shape],
    entities: Mapping[str, type[Any]],
    *,
    options: Mapping[str, Mapping[str, Any]] | None = None,
) -> dict[str, Resource[Any]]:
    """Return a resource for each of *shapes*, as from `resource_from`, with the relations between them.

    Args:
        shapes: The shapes by name of the resource.

        entities: The classes by name of the resource.

        options: Attributes of `Resource` that differ from the default, and `relations` as in a declaration, by name of
            the resource.

    Raises:
        DeclarationError: A relation is invalid.
    """
    resources: dict[str, Resource[Any]] = {}
    declarations: dict[str, Declaration[Any]] = {}
    for name, shape in shapes.items():
        replaced = dict((options or {}).get(name, {}))
        declarations[name] = Declaration(entity=entities[name], relations=replaced.pop("relations", None))
        resources[name] = resource_from(shape, name, entities[name], **replaced)
    mistakes = link(resources, declarations, shapes)
    if mistakes:
        raise DeclarationError(mistakes)
    return resources
