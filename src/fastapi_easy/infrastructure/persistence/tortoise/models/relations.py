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
from fastapi_easy.infrastructure.persistence.tortoise.models.stored_fields import key_field
from fastapi_easy.infrastructure.persistence.tortoise.tortoise_internals import is_generated, meta_of


def links_of(model: type[Model]) -> dict[str, Link]:
    """Return the relations of *model*, and those of others that lead to it, by name."""
    return dict(_links(model))


def shared_tables(model: type[Model]) -> Iterator[str]:
    """Yield a sentence for each relation of *model* that shares its table with another one, though nobody has said so.

    Who is in one of them would be in the other as well.
    """
    first: dict[tuple[str | None, str], str] = {}
    for name, field in meta_of(model).fields_map.items():
        if not isinstance(field, ManyToManyFieldInstance) or is_generated(field):
            continue
        usual = f"{meta_of(model).db_table}_{meta_of(field.related_model).db_table}"
        other = first.setdefault((field.through_schema, field.through), name)
        if other != name and field.through == usual:
            yield (
                f"{model.__name__}.{name} is stored in {field.through}, as {model.__name__}.{other} is: give one of"
                " them a table of its own with through=…"
            )


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
    schema, table = field.through_schema, field.through
    through = Through(
        table=field,
        local=(field.backward_key,),
        remote=(field.forward_key,),
        name=f"{schema}.{table}" if schema else str(table),
    )
    return Link(
        target=field.related_model,
        many=True,
        local=(key_field(field.model).name,),
        remote=(key_field(field.related_model).name,),
        through=through,
    )
