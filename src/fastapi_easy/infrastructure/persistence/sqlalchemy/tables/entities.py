"""Rows ↔ instances of the user's class that no session holds."""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol, TypeVar

import sqlalchemy
from sqlalchemy import Column, Table
from sqlalchemy.orm import InstanceState, Mapper, make_transient_to_detached
from sqlalchemy.orm.attributes import set_committed_value

from fastapi_easy.domain.resources.resource import Resource
from fastapi_easy.infrastructure.persistence.sqlalchemy.tables import inheritance, mapping
from fastapi_easy.infrastructure.persistence.sqlalchemy.tables.custom_types.conversions import (
    object_of,
    value_of,
)
from fastapi_easy.infrastructure.persistence.sqlalchemy.tables.table_parts import DerivedTable, TablePart

E = TypeVar("E")


class Entities(Protocol):
    """Maps the classes of one library to tables, and their instances to rows."""

    def table_of(self, stored: type[object]) -> Table:
        """Return the table of *stored*, as its user declared it."""
        ...

    def association_table(self, declared: Any) -> Table:
        """Return the table that `Through.table` of a relation means."""
        ...

    def attributes_of(self, stored: type[object]) -> Mapping[Column[Any], str]:
        """Return the columns of *stored* and the attributes they are mapped to, in the order of the table."""
        ...

    def parts_of(self, stored: type[object]) -> Sequence[TablePart]:
        """Return the tables that each entity of *stored* is kept in, the uppermost first; mostly one."""
        ...

    def derived_tables_of(self, stored: type[object]) -> Sequence[DerivedTable]:
        """Return the tables that hold more of some entities of *stored*, those first that refer to others."""
        ...

    def entity_from(self, resource: Resource[E], values: Mapping[str, object]) -> E:
        """Make an instance that holds *values*, as if it had been loaded and let go."""
        ...

    def values_of(self, resource: Resource[Any], entity: object) -> dict[str, Any]:
        """Return the values that *entity* holds, without those it was never given."""
        ...


class DeclarativeEntities:
    """Implements `Entities` for SQLAlchemy's declarative classes, and so for SQLModel's tables."""

    def table_of(self, stored: type[object]) -> Table:
        """Return the table of *stored*."""
        return mapping.table_of(stored)

    def association_table(self, declared: Table) -> Table:
        """Return *declared*, which is a table already."""
        return declared

    def attributes_of(self, stored: type[object]) -> Mapping[Column[Any], str]:
        """Return the columns of *stored* and the attributes they are mapped to."""
        # Looking at them makes SQLAlchemy finish the class, without which no instance can be filled.
        _ = sqlalchemy.inspect(stored).attrs
        return mapping.attributes_of(stored)

    def parts_of(self, stored: type[object]) -> Sequence[TablePart]:
        """Return the tables that each entity of *stored* is kept in, the uppermost first."""
        return inheritance.parts_of(sqlalchemy.inspect(stored))

    def derived_tables_of(self, stored: type[object]) -> Sequence[DerivedTable]:
        """Return the tables that hold more of some entities of *stored*."""
        return inheritance.derived_tables_of(sqlalchemy.inspect(stored))

    def entity_from(self, resource: Resource[E], values: Mapping[str, object]) -> E:
        """Make an instance that holds *values*, as if a session had loaded it and let it go.

        `__init__` is not called, as SQLAlchemy does not either: what a constructor asks for, the store need not
        have. Relationships are not loaded, and raise when they are read.
        """
        mapper: Mapper[E] = sqlalchemy.inspect(resource.entity)
        made: E = mapper.class_manager.new_instance()
        for name, value in values.items():
            set_committed_value(made, name, object_of(resource.fields[name], value))
        for name, part in inheritance.repeated_keys(mapper):
            if part in values:
                set_committed_value(made, name, object_of(resource.fields[part], values[part]))
        make_transient_to_detached(made)
        return made

    def values_of(self, resource: Resource[Any], entity: object) -> dict[str, Any]:
        """Return the values that *entity* holds, without those it was never given."""
        state: InstanceState[Any] = sqlalchemy.inspect(entity)
        held = state.dict
        return {name: value_of(field, held[name]) for name, field in resource.fields.items() if name in held}
