"""Rows ↔ instances of models."""

import datetime
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TypeVar

from sqlalchemy import Column, Table
from tortoise import Model
from tortoise.fields.base import DatabaseDefault

from fastapi_easy.domain.field import Field
from fastapi_easy.domain.resources.resource import Resource
from fastapi_easy.infrastructure.persistence.sqlalchemy.tables.table_parts import DerivedTable, TablePart
from fastapi_easy.infrastructure.persistence.tortoise.models.stored_fields import stored_fields
from fastapi_easy.infrastructure.persistence.tortoise.models.tables import TableBuilder

E = TypeVar("E")


class TortoiseEntities:
    """Implements `Entities` for Tortoise's models.

    Args:
        backend: `sqlite`, `postgresql` or `mysql`.

        models: All that Tortoise knows of in this database.
    """

    def __init__(self, backend: str, models: Iterable[type[Model]] = ()) -> None:
        self._tables = TableBuilder(backend, models)

    def table_of(self, stored: type[Any]) -> Table:
        """Return the table of *stored*."""
        return self._tables.table_of(stored)

    def association_table(self, declared: Any) -> Table:
        """Return the table of the many-to-many relation *declared*."""
        return self._tables.association_table(declared)

    def attributes_of(self, stored: type[Any]) -> Mapping[Column[Any], str]:
        """Return the columns of *stored* and the attributes they are mapped to."""
        columns = self._tables.table_of(stored).columns
        return {columns[each.column]: each.name for each in stored_fields(stored)}

    def parts_of(self, stored: type[Any]) -> Sequence[TablePart]:
        """Return the table of *stored*: Tortoise knows no classes in several tables."""
        return (TablePart(table=self.table_of(stored), attributes=self.attributes_of(stored)),)

    def derived_tables_of(self, stored: type[Any]) -> Sequence[DerivedTable]:
        """Return nothing."""
        _ = stored
        return ()

    def entity_from(self, resource: Resource[E], values: Mapping[str, Any]) -> E:
        """Make an instance that holds *values*, as if a query had loaded it: its `save()` updates the stored row."""
        entity: Any = resource.entity
        made: E = entity.construct(_saved_in_db=True, **values)
        for name in values:
            if (document := resource.fields[name].document) is not None:
                object.__setattr__(made, name, document.to_python(values[name]))
        return made

    def values_of(self, resource: Resource[Any], entity: Any) -> dict[str, Any]:
        """Return the values that *entity* holds, without those that only the database can fill."""
        held = {name: getattr(entity, name, None) for name in resource.fields}
        return {
            name: _plain(value, resource.fields[name])
            for name, value in held.items()
            if not isinstance(value, DatabaseDefault)
        }


def _plain(value: Any, field: Field) -> Any:
    """Return *value*, which Tortoise leaves as it was set, as rows hold it."""
    if value is None:
        return None
    if field.enumeration is not None:
        return field.enumeration(value)
    if isinstance(value, datetime.time):
        return value.replace(tzinfo=None)
    return value if field.document is None else field.document.to_json(value)
