"""Rows ↔ instances of the user's class that no session holds."""

from collections.abc import Mapping
from typing import Any, Protocol, TypeVar

import sqlalchemy
from sqlalchemy import Column, Table
from sqlalchemy.orm import InstanceState, Mapper, make_transient_to_detached
from sqlalchemy.orm.attributes import set_committed_value

from fastapi_easy.domain.resources.resource import Resource
from fastapi_easy.infrastructure.persistence.sqlalchemy.tables import mapping

E = TypeVar("E")


class Entities(Protocol):
    """How classes of one family stand for tables, and their instances for rows."""

    def table_of(self, stored: type[Any]) -> Table:
        """The table of *stored*, as its user declared it."""
        ...

    def table_between(self, declared: Any) -> Table:
        """The table that `Through.table` of a relation means."""
        ...

    def attributes_of(self, stored: type[Any]) -> Mapping[Column[Any], str]:
        """The columns of *stored* and the attributes they are mapped to, in the order of the table."""
        ...

    def entity_from(self, resource: Resource[E], values: Mapping[str, Any]) -> E:
        """An instance that holds *values*, as if it had been loaded and let go."""
        ...

    def values_of(self, resource: Resource[Any], entity: Any) -> dict[str, Any]:
        """The values that *entity* holds; what it was never given is left out."""
        ...


class DeclarativeEntities:
    """Implements `Entities` for SQLAlchemy's declarative classes, and so for SQLModel's tables."""

    def table_of(self, stored: type[Any]) -> Table:
        """The table of *stored*."""
        return mapping.table_of(stored)

    def table_between(self, declared: Table) -> Table:
        """*declared*, which is a table."""
        return declared

    def attributes_of(self, stored: type[Any]) -> Mapping[Column[Any], str]:
        """The columns of *stored* and the attributes they are mapped to."""
        # Looking at them makes SQLAlchemy finish the class, without which no instance can be filled.
        _ = sqlalchemy.inspect(stored).attrs
        return mapping.attributes_of(stored)

    def entity_from(self, resource: Resource[E], values: Mapping[str, Any]) -> E:
        """An instance that holds *values*, as if a session had loaded it and let it go.

        `__init__` is not called, as SQLAlchemy does not either: what a constructor asks for, the store need not
        have. Relationships are not loaded, and say so when they are touched.
        """
        mapper: Mapper[E] = sqlalchemy.inspect(resource.entity)
        made: E = mapper.class_manager.new_instance()
        for name, value in values.items():
            set_committed_value(made, name, value)
        make_transient_to_detached(made)
        return made

    def values_of(self, resource: Resource[Any], entity: Any) -> dict[str, Any]:
        """The values that *entity* holds; what it was never given is left out."""
        state: InstanceState[Any] = sqlalchemy.inspect(entity)
        held = state.dict
        return {name: held[name] for name in resource.fields if name in held}
