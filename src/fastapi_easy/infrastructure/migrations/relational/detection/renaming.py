"""Stored tables under the names that a person says they get."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from alembic.operations.ops import AlterColumnOp, RenameTableOp

from fastapi_easy.domain.migrations.change import Change, ChangeKind, Facts
from fastapi_easy.domain.migrations.hints import Hints
from fastapi_easy.infrastructure.migrations.relational.detection.catalogue.column_types import StoredTypes
from fastapi_easy.infrastructure.migrations.relational.detection.catalogue.shapes import (
    CheckShape,
    IndexShape,
    KeyShape,
    ReferenceShape,
    SchemaShape,
    TableShape,
)
from fastapi_easy.infrastructure.migrations.relational.detection.catalogue.sql_tokens import tokenize
from fastapi_easy.infrastructure.migrations.relational.detection.stored_objects import stored_default
from fastapi_easy.infrastructure.migrations.relational.operations import Detected
from fastapi_easy.infrastructure.relational.server import ServerName


@dataclass(frozen=True, slots=True, kw_only=True)
class Renames:
    """The renames that apply: those whose old name is stored, and whose new one is declared and not stored yet.

    Attributes:
        tables: New names, by stored ones.

        columns: New names by stored ones, by the stored name of the table.
    """

    tables: Mapping[str, str]
    columns: Mapping[str, Mapping[str, str]]

    def table(self, stored: str) -> str:
        """Return the new name of the table *stored*."""
        return self.tables.get(stored, stored)

    def stored_table(self, name: str) -> str:
        """Return the stored name of the table that is called *name* afterwards."""
        return next((old for old, new in self.tables.items() if new == name), name)

    def stored_columns(self, table: str) -> Mapping[str, str]:
        """Return the stored names of renamed columns of the table that is stored as *table*, by the new ones."""
        return {new: old for old, new in self.columns.get(table, {}).items()}


def applicable(hints: Hints, stored: SchemaShape, declared: Mapping[str, frozenset[str]]) -> Renames:
    """Return the renames of *hints* that there is still something to do for.

    Args:
        hints: What a person says; a column may be named by the stored or by the new name of its table.

        stored: What there is.

        declared: The declared tables, with the names of their columns.
    """
    tables = {
        old: new
        for old, new in hints.renamed_tables.items()
        if old in stored.tables and new in declared and new not in stored.tables
    }
    columns: dict[str, dict[str, str]] = {}
    for path, new in hints.renamed_columns.items():
        named, _, old = path.rpartition(".")
        table = next((stored_name for stored_name, name in tables.items() if name == named), named)
        if table not in stored.tables:
            continue
        there, wanted = stored.tables[table].columns, declared.get(tables.get(table, table), frozenset())
        if old in there and new not in there and new in wanted:
            columns.setdefault(table, {})[old] = new
    return Renames(tables=tables, columns=columns)


def renamed(
    stored: SchemaShape, renames: Renames, types: StoredTypes, server: ServerName
) -> tuple[SchemaShape, list[Detected]]:
    """Return *stored* under the new names, and what carries the renames out."""
    detected: list[Detected] = []
    for old, new in renames.tables.items():
        schema, _, table = old.rpartition(".")
        detected.append(
            Detected(
                change=Change(kind=ChangeKind.RENAME_TABLE, table=old, facts=Facts(new_name=new)),
                operation=RenameTableOp(table, new.rpartition(".")[2], schema=schema or None),
            )
        )
    for stored_table, columns in renames.columns.items():
        detected += _column_renames(stored.tables[stored_table], columns, renames, types, server)
    tables = {renames.table(name): _renamed_table(shape, renames) for name, shape in stored.tables.items()}
    return replace(stored, tables=tables), detected


def _column_renames(
    shape: TableShape,
    columns: Mapping[str, str],
    renames: Renames,
    types: StoredTypes,
    server: ServerName,
) -> Iterator[Detected]:
    after = renames.table(shape.name)
    schema, _, table = after.rpartition(".")
    stored_schema, _, stored_table = shape.name.rpartition(".")
    for old, new in columns.items():
        column = shape.columns[old]
        default = stored_default(column, server)
        more: dict[str, Any] = {}
        if column.numbering == "auto_increment":
            more["existing_autoincrement"] = True
        facts = Facts(
            new_name=new,
            type_before=column.type,
            type_after=column.type,
            in_indexes=tuple(shape.users_of(old)),
        )
        operation = AlterColumnOp(
            table,
            old,
            schema=schema or None,
            modify_name=new,
            existing_type=types.type_of(stored_schema or None, stored_table, old, column.type),
            existing_server_default=False if default is None else default,
            existing_nullable=column.nullable,
            existing_comment=column.comment,
            **more,
        )
        yield Detected(
            change=Change(kind=ChangeKind.RENAME_COLUMN, table=after, name=old, facts=facts),
            operation=operation,
        )


def _renamed_table(shape: TableShape, renames: Renames) -> TableShape:
    columns = renames.columns.get(shape.name, {})

    def names(of: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(columns.get(each, each) for each in of)

    def text(of: str | None) -> str | None:
        return None if of is None else _renamed_words(of, columns)

    def check(each: CheckShape) -> CheckShape:
        return replace(each, expression=_renamed_words(each.expression, columns))

    def index(each: IndexShape) -> IndexShape:
        return replace(
            each,
            elements=tuple(_renamed_words(part, columns) for part in each.elements),
            columns=names(each.columns),
            where=text(each.where),
            include=names(each.include),
        )

    def reference(each: ReferenceShape) -> ReferenceShape:
        there = renames.columns.get(each.table, {})
        return replace(
            each,
            columns=names(each.columns),
            table=renames.table(each.table),
            referred=tuple(there.get(column, column) for column in each.referred),
        )

    return replace(
        shape,
        name=renames.table(shape.name),
        columns={
            columns.get(name, name): replace(
                column, name=columns.get(name, name), computed=text(column.computed)
            )
            for name, column in shape.columns.items()
        },
        key=None if shape.key is None else KeyShape(name=shape.key.name, columns=names(shape.key.columns)),
        indexes=tuple(index(each) for each in shape.indexes),
        uniques=tuple(replace(each, columns=names(each.columns)) for each in shape.uniques),
        checks=tuple(check(each) for each in shape.checks),
        exclusions=tuple(check(each) for each in shape.exclusions),
        references=tuple(reference(each) for each in shape.references),
    )


def _renamed_words(text: str, columns: Mapping[str, str]) -> str:
    """Return *text* with the names of columns replaced, where they are no part of strings."""
    parts, end = [], 0
    for token in tokenize(text):
        if token.kind in {"word", "quoted"} and token.name in columns:
            new = columns[token.name]
            parts += [
                text[end : token.start],
                new if token.kind == "word" else token.text[0] + new + token.text[-1],
            ]
            end = token.end
    return "".join([*parts, text[end:]])
