"""One table on both sides of the comparison."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, cast

from sqlalchemy import Column
from sqlalchemy.engine import Dialect

from fastapi_easy.domain.migrations.change import Change, ChangeKind, Facts
from fastapi_easy.infrastructure.migrations.relational.detection.catalogue.column_types import StoredTypes
from fastapi_easy.infrastructure.migrations.relational.detection.catalogue.shapes import TableShape
from fastapi_easy.infrastructure.migrations.relational.detection.declared.shown_table import DeclaredShape
from fastapi_easy.infrastructure.relational.column_types import ColumnType
from fastapi_easy.infrastructure.relational.server import ServerName


def facts_of(facts: Mapping[str, Any]) -> Facts:
    """Return *facts*, whose names are those of `Facts`."""
    return cast("Facts", dict(facts))


@dataclass(frozen=True, slots=True, kw_only=True)
class TablePair:
    """One table on both sides.

    Attributes:
        name: As changes have it, after renames.

        stored: What there is, under its new names.

        declared: What there should be.

        written: What the user's own classes say; the same as `declared` where they say nothing else.

        dialect: SQLAlchemy's.

        server: The kind of server.

        types: The types of stored columns.

        stored_name: The name in the database.

        stored_columns: The names in the database, by the new ones; those that stay are left out.
    """

    name: str
    stored: TableShape
    declared: DeclaredShape
    written: TableShape
    dialect: Dialect
    server: ServerName
    types: StoredTypes
    stored_name: str
    stored_columns: Mapping[str, str] = field(default_factory=dict)

    @property
    def schema(self) -> str | None:
        """The schema of the table, for operations."""
        return self.declared.table.schema

    @property
    def table(self) -> str:
        """The name of the table without its schema, for operations."""
        return self.declared.table.name

    @property
    def new_columns(self) -> frozenset[str]:
        """The names of the columns that are to be added."""
        return frozenset(self.declared.shape.columns) - frozenset(self.stored.columns)

    @property
    def is_loose(self) -> bool:
        """Whether expressions are to be compared without casts: types differ, or the server has not spelled them."""
        declared = self.declared.shape
        return not declared.is_exact or any(
            column.type != declared.columns[name].type
            for name, column in self.stored.columns.items()
            if name in declared.columns
        )

    def column(self, name: str) -> Column[Any]:
        """Return the declared column *name*."""
        return next(each for each in self.declared.table.columns if each.name == name)

    def stored_type(self, name: str) -> ColumnType:
        """Return the type of the stored column *name*."""
        schema, _, table = self.stored_name.rpartition(".")
        return self.types.type_of(
            schema or None, table, self.stored_columns.get(name, name), self.stored.columns[name].type
        )

    def change(self, kind: ChangeKind, name: str = "", **facts: Any) -> Change:
        """Return a change of this table.

        Args:
            kind: What is done.

            name: To which part of it.

            facts: Those of `Facts`.
        """
        return Change(kind=kind, table=self.name, name=name, facts=facts_of(facts))
