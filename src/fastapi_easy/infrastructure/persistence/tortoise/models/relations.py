"""Tortoise's relations → `Link`."""

from collections.abc import Iterator
from typing import Any

from tortoise import Model
from tortoise.fields.relational import (
    BackwardFKRelation,
    BackwardOneToOneRelation,
    ForeignKeyFieldInstance,
    ManyToManyFieldInstance,
)

from fastapi_easy.domain.resources.relation import Link, Through
from fastapi_easy.infrastructure.persistence.tortoise.tortoise_internals import meta_of


def links_of(model: type[Model]) -> dict[str, Link]:
    """Return the relations of *model*, and those of others that lead to it, by name."""
    return dict(_links(model))


def _links(model: type[Model]) -> Iterator[tuple[str, Link]]:
    for name, field in meta_of(model).fields_map.items():
        if name.startswith("_"):
            continue
        match field:
            case ManyToManyFieldInstance():
                yield name, _between(field)
            case BackwardFKRelation():
                yield name, _backward(field)
            case ForeignKeyFieldInstance():
                yield name, _forward(field)
            case _:
                # A field with a column.
                pass


def _forward(field: Any) -> Link:
    return Link(
        target=field.related_model,
        many=False,
        local=(str(field.source_field),),
        remote=(field.to_field_instance.model_field_name,),
    )


def _backward(field: Any) -> Link:
    return Link(
        target=field.related_model,
        many=not isinstance(field, BackwardOneToOneRelation),
        local=(field.to_field_instance.model_field_name,),
        remote=(field.relation_field,),
    )


def _between(field: Any) -> Link:
    through = Through(table=field, local=(field.backward_key,), remote=(field.forward_key,))
    return Link(
        target=field.related_model,
        many=True,
        local=(meta_of(field.model).pk_attr,),
        remote=(meta_of(field.related_model).pk_attr,),
        through=through,
    )
