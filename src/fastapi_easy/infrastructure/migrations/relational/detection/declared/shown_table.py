"""One declared table while a server is shown it, under names that are free everywhere."""

import contextlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

import sqlalchemy
from sqlalchemy import (
    CheckConstraint,
    Column,
    Connection,
    Index,
    PrimaryKeyConstraint,
    Table,
    UniqueConstraint,
)
from sqlalchemy.dialects.postgresql import ExcludeConstraint
from sqlalchemy.schema import Constraint, CreateIndex, CreateTable

from fastapi_easy.infrastructure.migrations.relational.detection.catalogue.shapes import (
    ColumnShape,
    TableShape,
)
from fastapi_easy.infrastructure.migrations.relational.detection.declared.guessed import (
    guess_index,
    guess_shape,
)
from fastapi_easy.infrastructure.migrations.relational.detection.declared.objects import (
    checks_of,
    native_enumeration,
    real_name,
    references_of,
    rename,
)
from fastapi_easy.infrastructure.migrations.relational.primary_key_names import without_key_name
from fastapi_easy.infrastructure.relational.column_types import ColumnType
from fastapi_easy.infrastructure.relational.server import server_name_of

_SHOWN: Final = "fe_shape"
_SHOWN_CONSTRAINTS: Final = (UniqueConstraint, CheckConstraint, ExcludeConstraint)
_UNSHOWN: Final = frozenset({"FULLTEXT", "SPATIAL"})
"""The kinds of indexes that MySQL has for no temporary table."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DeclaredShape:
    """One declared table as the server would store it.

    Attributes:
        table: As it is declared.

        shape: As it would be stored, with the declared names; `None` for those that the server would choose.

        indexes, uniques, checks, exclusions: What the parts of `shape` are made from, in the same order. A unique
            constraint stands among the indexes where the server makes one of it.
    """

    table: Table
    shape: TableShape
    indexes: tuple[Index | Constraint, ...] = ()
    uniques: tuple[Index | Constraint, ...] = ()
    checks: tuple[Constraint, ...] = ()
    exclusions: tuple[Constraint, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class AsWritten:
    """Types and defaults to use in place of those of the columns."""

    types: Mapping[Column[Any], ColumnType]
    defaults: Mapping[Column[Any], Any]


class ShownTable:
    """A table under names that are free everywhere, while it is shown."""

    def __init__(self, name: str, table: Table, connection: Connection, number: int) -> None:
        self.name = name
        self.table = table
        self.shown = f"{_SHOWN}_{number}"
        self._dialect = connection.dialect
        self.items: dict[str, Index | Constraint] = {}
        self.names: dict[str, str | None] = {}
        self._is_mysql = server_name_of(self._dialect.name) == "mysql"
        self._inline: dict[str, str] = {}
        rules = [each for each in table.constraints if isinstance(each, _SHOWN_CONSTRAINTS)]
        for item in (*_in_order(rules), *_in_order(table.indexes)):
            _ = self._add(item)
        for column in table.columns:
            for check in checks_of(column):
                # MySQL takes no name for it there, and calls it after the column.
                self._inline[column.name] = self._add(check)

    def _add(self, item: Index | Constraint) -> str:
        shown = f"{self.shown}_{len(self.items)}"
        self.items[shown], self.names[shown] = item, real_name(item, self._dialect)
        return shown

    @contextlib.contextmanager
    def renamed(self, written: AsWritten | None, *, drop_type_schemas: bool = False) -> Iterator[None]:
        """Let the table, and its parts, have other names inside the block.

        Args:
            written: Types and defaults that it has meanwhile.

            drop_type_schemas: Let enumeration types have no schema.
        """
        table = self.table
        kept = _Kept()
        kept.add(table, "name", "schema", "comment")
        for item in self.items.values():
            kept.add(item, "name")
        try:
            rename(table, self.shown)
            table.schema = table.comment = None
            nameless = self._inline.values() if self._is_mysql else ()
            for shown, item in self.items.items():
                item.name = None if shown in nameless else shown
            self._write(kept, written)
            for column in table.columns:
                kept.add(column, "comment")
                column.comment = None
                enumeration = native_enumeration(column.type, self._dialect)
                if enumeration is not None and drop_type_schemas:
                    kept.add(enumeration, "schema")
                    enumeration.schema = None
            yield
        finally:
            kept.restore()

    def _write(self, kept: "_Kept", written: AsWritten | None) -> None:
        for column in self.table.columns if written is not None else ():
            kept.add(column, "type", "server_default")
            if written is not None and column in written.types:
                column.type = written.types[column]
            if written is not None and column in written.defaults:
                column.server_default = written.defaults[column]

    def statements(self) -> list[str]:
        """Return what creates it, without foreign keys, which need the tables they point to."""
        created = str(
            CreateTable(self.table, include_foreign_key_constraints=[]).compile(dialect=self._dialect)
        )
        indexes = (
            each for each in self.items.values() if isinstance(each, Index) and _is_shown(each, self._dialect)
        )
        if self._is_mysql:
            created = without_key_name(created)
        return [created, *(str(CreateIndex(each).compile(dialect=self._dialect)) for each in indexes)]

    def result(self, shape: TableShape) -> DeclaredShape:
        """Return *shape*, what the server has made of it, under its real names."""
        columns = {each.name: self._column(each, shape) for each in self.table.columns if not each.system}
        indexes = [(each, self.items[each.name]) for each in shape.indexes if each.name in self.items]
        uniques = [(each, self.items[str(each.name)]) for each in shape.uniques]
        found = [replace(each, name=self._inline.get(str(each.name), each.name)) for each in shape.checks]
        checks = [(each, self.items[str(each.name)]) for each in found if each.name in self.items]
        exclusions = [(each, self.items[str(each.name)]) for each in shape.exclusions]
        indexes += [
            (guess_index(each, self._dialect), each)
            for each in self.items.values()
            if isinstance(each, Index) and not _is_shown(each, self._dialect)
        ]
        key = next(each for each in self.table.constraints if isinstance(each, PrimaryKeyConstraint))
        name = real_name(key, self._dialect)
        return DeclaredShape(
            table=self.table,
            shape=replace(
                shape,
                name=self.name,
                columns=columns,
                key=None if shape.key is None else replace(shape.key, name=name),
                indexes=tuple(
                    replace(each, name=self.names.get(each.name, each.name) or "") for each, _ in indexes
                ),
                uniques=tuple(replace(each, name=self.names[str(each.name)]) for each, _ in uniques),
                checks=tuple(replace(each, name=self.names[str(each.name)]) for each, _ in checks),
                exclusions=tuple(replace(each, name=self.names[str(each.name)]) for each, _ in exclusions),
                references=references_of(self.table, self._dialect),
                comment=self.table.comment,
            ),
            indexes=tuple(item for _, item in indexes),
            uniques=tuple(item for _, item in uniques),
            checks=tuple(item for _, item in checks if isinstance(item, Constraint)),
            exclusions=tuple(item for _, item in exclusions if isinstance(item, Constraint)),
        )

    def guess(self, written: AsWritten | None) -> DeclaredShape:
        """Return what SQLAlchemy would have the server make of it, with the types and defaults of *written*."""
        kept = _Kept()
        try:
            self._write(kept, written)
            guessed = guess_shape(self.name, self.table, self._dialect)
        finally:
            kept.restore()
        return DeclaredShape(
            table=self.table,
            shape=guessed.shape,
            indexes=guessed.items,
            uniques=guessed.uniques,
            checks=guessed.checks,
        )

    def _column(self, column: Column[Any], shape: TableShape) -> ColumnShape:
        found = shape.columns[column.name]
        enumeration = native_enumeration(column.type, self._dialect)
        default = self._dialect.default_schema_name
        name = None
        if enumeration is not None and found.enumeration is not None:
            schema = enumeration.schema
            name = str(enumeration.name) if schema in {None, default} else f"{schema}.{enumeration.name}"
        return replace(found, comment=column.comment, enumeration=name)


class _Kept:
    """What attributes were before they are changed for a while."""

    def __init__(self) -> None:
        self._values: list[tuple[Any, str, Any]] = []

    def add(self, owner: Any, *names: str) -> None:
        """Remember attributes of *owner*."""
        self._values += [(owner, name, getattr(owner, name)) for name in names]

    def restore(self) -> None:
        """Bring all of them back, the oldest last."""
        for owner, name, value in reversed(self._values):
            setattr(owner, name, value)


def _in_order(items: Iterable[Any]) -> list[Any]:
    return sorted(items, key=lambda each: (type(each).__name__, str(each.name)))


def _is_shown(index: Index, dialect: sqlalchemy.Dialect) -> bool:
    prefix = (
        index.dialect_options[dialect.name].get("prefix") if dialect.name in {"mysql", "mariadb"} else None
    )
    return str(prefix or "").upper() not in _UNSHOWN
