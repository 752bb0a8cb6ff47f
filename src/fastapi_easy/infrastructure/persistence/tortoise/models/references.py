"""Tortoise's foreign keys → `Reference`."""

from collections.abc import Iterable, Iterator

from fastapi_easy.domain.resources.reference import Reference, ReferentialAction
from fastapi_easy.infrastructure.persistence.tortoise.models.stored_fields import StoredField, table_name


def references_of(stored: Iterable[StoredField]) -> Iterator[Reference]:
    """Read the foreign keys among the *stored* fields of one model, as far as the database shall know of them."""
    for each in stored:
        relation = each.field.reference
        if relation is None or not relation.db_constraint:
            continue
        there = relation.to_field_instance
        yield Reference(
            fields=(each.name,),
            target=table_name(relation.related_model),
            remote=(there.source_field or there.model_field_name,),
            on_delete=ReferentialAction(str(relation.on_delete)),
        )
