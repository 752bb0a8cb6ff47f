"""What one of several tables holds of a resource."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import Column

from fastapi_easy.domain.field import UNSET, Field
from fastapi_easy.domain.resources.resource import Resource
from fastapi_easy.infrastructure.persistence.sqlalchemy.tables.table_parts import TablePart


@dataclass(frozen=True, slots=True)
class ResourcePart:
    """What a table holds of a resource.

    Attributes:
        resource: The resource with nothing but the fields that the table holds; itself where there is one table.

        declared: The table, as its user declared it.
    """

    resource: Resource[Any]
    declared: TablePart

    @property
    def columns(self) -> frozenset[str]:
        """The names of the columns of the fields."""
        fields = self.resource.stored_fields
        return frozenset(column.name for column, name in self.declared.attributes.items() if name in fields)

    def column_of(self, field: str) -> Column[Any]:
        """Return the column of *field*."""
        return next(column for column, name in self.declared.attributes.items() if name == field)


def resource_parts(resource: Resource[Any], tables: Sequence[TablePart]) -> Sequence[ResourcePart]:
    """Return what each of *tables*, the uppermost first, holds of *resource*."""
    if len(tables) == 1:
        return (ResourcePart(resource, tables[0]),)
    return tuple(
        ResourcePart(_part_of(resource, each, is_first=number == 0), each)
        for number, each in enumerate(tables)
    )


def _part_of(resource: Resource[Any], table: TablePart, *, is_first: bool) -> Resource[Any]:
    held = frozenset(table.attributes.values())
    fields = {name: field for name, field in resource.stored_fields.items() if name in held}
    if not is_first:
        # The table above has made it.
        fields |= {name: _given(fields[name]) for name in resource.key}
    return replace(
        resource,
        fields=fields,
        stored_fields=fields,
        readable=tuple(name for name in resource.readable if name in held),
        search_vectors=tuple(name for name in resource.search_vectors if name in held),
        version=resource.version if resource.version in held else None,
        soft_delete=resource.soft_delete if resource.soft_delete in held else None,
        tenant=resource.tenant if resource.tenant in held else None,
        unique=tuple(rule for rule in resource.unique if held.issuperset(rule)),
        variant=None,
    )


def _given(field: Field) -> Field:
    return replace(field, generated=False, store_default=False, default=UNSET, default_factory=None)
