"""The stored fields of a model, in the order of its class, and the names they go by."""

from collections.abc import Iterator
from typing import Any, NamedTuple

from tortoise import Model
from tortoise.migrations.constraints import UniqueConstraint

from fastapi_easy.infrastructure.persistence.tortoise.tortoise_internals import meta_of


class StoredField(NamedTuple):
    """A field that has a column.

    Attributes:
        name: What the attribute is called; for a foreign key that of the key, `author_id`.

        column: What the column is called.

        field: Tortoise's, as the user declared it; for a foreign key a copy of the field it refers to.
    """

    name: str
    column: str
    field: Any


def stored_fields(model: type[Model]) -> Iterator[StoredField]:
    """Yield the fields of *model* that have a column; a foreign key stands where the relation was declared."""
    meta = meta_of(model)
    places = {name: place for place, name in enumerate(meta.fields_map)}
    names = sorted(meta.fields_db_projection, key=lambda name: places[_declared_as(name, meta)])
    for name in names:
        yield StoredField(name, meta.fields_db_projection[name], meta.fields_map[name])


def table_name(model: type[Model]) -> str:
    """Return the name of the table of *model*, with its schema where it has one."""
    meta = meta_of(model)
    return f"{meta.schema}.{meta.db_table}" if meta.schema else str(meta.db_table)


def unique_sets(model: type[Model]) -> Iterator[tuple[str, ...]]:
    """Yield the sets of fields that are unique together, without single fields that are `unique` themselves."""
    meta = meta_of(model)
    for rule in meta.unique_together:
        yield tuple(stored_field_name(model, name) for name in rule)
    for rule in meta.constraints:
        if isinstance(rule, UniqueConstraint) and rule.condition is None:
            yield tuple(stored_field_name(model, name) for name in rule.fields)


def stored_field_name(model: type[Model], name: str) -> str:
    """Return the stored field that *name* means, which may be that of a relation."""
    meta = meta_of(model)
    if name == "pk":
        # A key that refers to another model goes by the name of its relation.
        name = str(meta.pk_attr)
    return str(meta.fields_map[name].source_field) if name in meta.fk_fields | meta.o2o_fields else name


def key_field(model: type[Model]) -> StoredField:
    """Return the field that is the key of *model*; of a key that refers to another model, that of its column."""
    meta = meta_of(model)
    name = stored_field_name(model, "pk")
    field = meta.fields_map[name]
    return StoredField(name, str(field.source_field or name), field)


def _declared_as(name: str, meta: Any) -> str:
    reference = meta.fields_map[name].reference
    return name if reference is None else str(reference.model_field_name)
