"""Columns on MySQL and MariaDB: each change is the whole definition, of which the rest stays as it is stored."""

from dataclasses import replace
from typing import Any

from alembic.operations.ops import AddColumnOp, DropColumnOp
from sqlalchemy import Column, MetaData, Table

from fastapi_easy.domain.errors import DeclarationError
from fastapi_easy.domain.migrations.change import Change
from fastapi_easy.domain.migrations.step import Reversibility, Step, StepMode
from fastapi_easy.infrastructure.migrations.relational.compiling.added_column import (
    is_numbered,
    numbered_column,
    plain_column,
)
from fastapi_easy.infrastructure.migrations.relational.compiling.backfills import condition, is_read_by_hints
from fastapi_easy.infrastructure.migrations.relational.compiling.column_alteration import ColumnAlteration
from fastapi_easy.infrastructure.migrations.relational.compiling.mysql.column_definition import (
    ColumnDefinition,
    read_definition,
    without_own_check,
)
from fastapi_easy.infrastructure.migrations.relational.compiling.mysql.copying import copies_table
from fastapi_easy.infrastructure.migrations.relational.compiling.mysql.one_alter import Clause
from fastapi_easy.infrastructure.migrations.relational.compiling.mysql.situation import LONG, MySQLSituation
from fastapi_easy.infrastructure.migrations.relational.compiling.ordering import Phase, Placed
from fastapi_easy.infrastructure.migrations.relational.compiling.prepared import ColumnRename
from fastapi_easy.infrastructure.migrations.relational.operations import ReplaceColumnOp
from fastapi_easy.infrastructure.migrations.relational.probing.mysql_catalogue import MySQLTable, key_columns
from fastapi_easy.infrastructure.migrations.relational.probing.wanted import NOTHING, column_probe, rows_probe


def add_column(
    operation: AddColumnOp, changes: tuple[Change, ...], situation: MySQLSituation, *, with_key: bool = False
) -> list[Clause | Placed]:
    """Return what adds a column: filled in batches where somebody has said with what.

    Args:
        operation: Which column.

        changes: What was detected.

        situation: What is known.

        with_key: The primary key changes too, in the same statement.
    """
    schema, table = operation.schema, str(operation.table_name)
    column: Column[Any] = operation.column
    name = str(column.name)
    fill = situation.fill(schema, table, name)
    definition = column_text(column, situation)
    is_filled = fill is not None and not situation.is_new(schema, table)
    # With its default the rows that exist would have a value already.
    bare = replace(read_definition(definition), nullable=True, default=None, on_update="")
    first = str(bare) if is_filled else definition
    quoted = situation.quoted(name)
    computed = column.computed is not None and column.computed.persisted is True
    added = Clause(
        phase=Phase.COLUMN_TYPES if with_key else Phase.COLUMNS,
        schema=schema,
        table=table,
        changes=changes,
        forward=f"ADD COLUMN {quoted} {first}",
        backward=f"DROP COLUMN {quoted}",
        probe=column_probe(schema, table, name),
        summary=f"add column {name}",
        rewrites=computed
        or "AUTO_INCREMENT" in definition
        or any(each.facts.get("volatile_default", False) for each in changes),
    )
    if not is_filled or fill is None:
        return [added]
    marked = tuple(replace(each, facts={**each.facts, "in_batches": True}) for each in changes)
    result: list[Clause | Placed] = [
        replace(added, changes=marked),
        backfill(schema, table, name, fill, marked, situation, of_new_column=True),
    ]
    if not column.nullable or column.server_default is not None:
        result.append(
            Clause(
                phase=Phase.COLUMN_TYPES,
                schema=schema,
                table=table,
                changes=marked,
                forward=f"MODIFY COLUMN {quoted} {definition}",
                backward=f"MODIFY COLUMN {quoted} {first}",
                probe=column_probe(schema, table, name, nullable=False) if not column.nullable else NOTHING,
                summary=f"change column {name} to {definition}",
            )
        )
    return result


def drop_column(
    operation: DropColumnOp, changes: tuple[Change, ...], situation: MySQLSituation, *, with_key: bool = False
) -> list[Clause | Placed]:
    """Return the clause that drops a column; with the primary key in one statement if that changes too."""
    schema, table, name = operation.schema, str(operation.table_name), str(operation.column_name)
    stored = situation.stored_table(schema, table)
    quoted = situation.quoted(name)
    backward: str | None = None
    place = 0
    if stored is not None and name in stored.columns:
        again = read_definition(stored.columns[name])
        if again.default is None and not again.auto_increment and not again.generated and not with_key:
            again = replace(again, nullable=True)
        names = list(stored.columns)
        place = names.index(name) + 1
        behind = "FIRST" if place == 1 else f"AFTER {situation.quoted(names[place - 2])}"
        backward = f"ADD COLUMN {quoted} {again}" + ("" if situation.renamed else f" {behind}")
    else:
        backward = _added_again(operation, situation)
    late = is_read_by_hints(situation, schema, table, name)
    phase = Phase.LATE_COLUMN_DROPS if late else Phase.COLUMN_DROPS
    return [
        Clause(
            phase=Phase.COLUMN_TYPES if with_key else phase,
            schema=schema,
            table=table,
            changes=changes,
            forward=f"DROP COLUMN {quoted}",
            backward=backward,
            probe=column_probe(schema, table, name, absent=True),
            summary=f"drop column {name}",
            reversibility=Reversibility.SCHEMA_ONLY,
            destructive=True,
            place=place,
        )
    ]


def rename_column(
    rename: ColumnRename, changes: tuple[Change, ...], situation: MySQLSituation
) -> list[Clause | Placed]:
    """Return the clause that renames a column."""
    before, after = situation.quoted(rename.before), situation.quoted(rename.after)
    return [
        Clause(
            phase=Phase.RENAMES,
            schema=rename.schema,
            table=rename.table,
            changes=changes,
            forward=f"RENAME COLUMN {before} TO {after}",
            backward=f"RENAME COLUMN {after} TO {before}",
            probe=column_probe(rename.schema, rename.table, rename.after),
            summary=f"rename column {rename.before} to {rename.after}",
        )
    ]


def alter_column(altered: ColumnAlteration, situation: MySQLSituation) -> list[Clause | Placed]:
    """Return what changes a column."""
    schema, table, name = altered.schema, altered.table, altered.column
    stored = situation.stored_column(schema, table, name)
    before = _before(altered, situation) if stored is None else read_definition(stored)
    after = _changed(before, altered, situation)
    quoted = situation.quoted(name)
    fill = situation.fill(schema, table, name) if altered.nullable_after is False else None
    changes = altered.changes
    result: list[Clause | Placed] = []
    if fill is not None:
        changes = tuple(replace(each, facts={**each.facts, "in_batches": True}) for each in changes)
        result.append(backfill(schema, table, name, fill, changes, situation))
    table_before = situation.stored_table(schema, table) if altered.type_changes else None
    only_nullable = altered.nullable_after is not None and altered.type_after is None
    probe = NOTHING
    if stored is not None and not altered.again:
        probe = column_probe(schema, table, name, definition_before=stored)
    elif only_nullable:
        probe = column_probe(schema, table, name, nullable=altered.nullable_after)
    result.append(
        Clause(
            phase=Phase.COLUMN_TYPES,
            schema=schema,
            table=table,
            changes=changes,
            forward=f"MODIFY COLUMN {quoted} {after}",
            backward=f"MODIFY COLUMN {quoted} {before}",
            probe=probe,
            summary=f"change column {name} to {after}",
            reversibility=Reversibility.FULL,
            rewrites=altered.type_after is not None
            and any(copies_table(each, before, table_before) for each in altered.type_changes),
        )
    )
    return result


def replace_column(
    operation: ReplaceColumnOp, changes: tuple[Change, ...], situation: MySQLSituation
) -> list[Clause | Placed]:
    """Return what changes what a column is computed from, numbered by or compared with."""
    schema, table, name = operation.schema, operation.table, str(operation.before.name)
    stored = situation.stored_column(schema, table, name)
    before = column_text(operation.before, situation) if stored is None else str(read_definition(stored))
    is_key = any(is_numbered(operation.after, each) for each in changes)
    after = column_text(numbered_column(operation.after) if is_key else operation.after, situation)
    quoted = situation.quoted(name)
    forward, backward = f"MODIFY COLUMN {quoted} {after}", f"MODIFY COLUMN {quoted} {before}"
    loses = operation.what == "computed" and operation.before.computed is None
    if operation.what == "computed" and _is_virtual(operation.before) != _is_virtual(operation.after):
        # Neither server makes a virtual column of another one, nor the other way round.
        table_before = situation.stored_table(schema, table)
        forward = _dropped_and_added(name, after, table_before, situation)
        backward = _dropped_and_added(name, before, table_before, situation)
    return [
        Clause(
            phase=Phase.COLUMN_TYPES,
            schema=schema,
            table=table,
            changes=changes,
            forward=forward,
            backward=backward,
            probe=NOTHING if stored is None else column_probe(schema, table, name, definition_before=stored),
            summary=f"change column {name} to {after}",
            reversibility=Reversibility.SCHEMA_ONLY if loses else Reversibility.FULL,
            destructive=loses,
            rewrites=True,
        )
    ]


def backfill(
    schema: str | None,
    table: str,
    column: str,
    value: str,
    changes: tuple[Change, ...],
    situation: MySQLSituation,
    *,
    of_new_column: bool = False,
) -> Placed:
    """Return the step that puts *value* where a column is null.

    Args:
        schema: Of the table.

        table: Which one.

        column: What is filled.

        value: An SQL expression.

        changes: What was detected.

        situation: What is known.

        of_new_column: The step before has added the column, so that nothing has to be taken back.
    """
    on, quoted = situation.write.table(schema, table), situation.quoted(column)
    wanting = condition(situation, column, value)
    update = f"UPDATE {on} SET {quoted} = {value} WHERE {wanting}"  # noqa: S608 - a developer's expression
    step = Step(
        changes=changes,
        summary=f"fill column {column} of {on}, {situation.hints.batch_size} rows at a time",
        statements=(f"{update} LIMIT {situation.hints.batch_size}",),
        reversibility=Reversibility.FULL if of_new_column else Reversibility.SCHEMA_ONLY,
        mode=StepMode.BATCHES,
        probe=rows_probe(schema, table, column, on, wanting),
        statement_timeout=LONG,
    )
    return Placed(Phase.BACKFILLS, step)


def column_text(column: Column[Any], situation: MySQLSituation) -> str:
    """Return the definition of a declared column as it stands behind its name."""
    alone = Table("alone", MetaData(), plain_column(column))
    attached = alone.columns[str(column.name)]
    return situation.write.column(attached).removeprefix(f"{situation.quoted(str(column.name))} ")


def _changed(
    before: ColumnDefinition, altered: ColumnAlteration, situation: MySQLSituation
) -> ColumnDefinition:
    after = before
    if altered.type_after is not None:
        after = replace(after, type=situation.write.type(altered.type_after), rest=without_own_check(before))
    if altered.nullable_after is not None:
        after = replace(after, nullable=altered.nullable_after)
    if altered.default_after is not False:
        after = _with_default(after, altered.default_after, situation)
    if altered.comment_after is not False:
        comment = altered.comment_after
        after = replace(after, comment="" if comment is None else situation.write.literal(comment))
    if "autoincrement" in altered.options:
        after = replace(after, auto_increment=bool(altered.options["autoincrement"]))
    return after


def _with_default(definition: ColumnDefinition, default: Any, situation: MySQLSituation) -> ColumnDefinition:
    if default is None:
        return replace(definition, default=None, on_update="")
    # SQLAlchemy has what `ON UPDATE` says as a part of the default.
    written = read_definition(f"x DEFAULT {situation.write.default(default)}")
    return replace(definition, default=written.default, on_update=written.on_update)


def _before(altered: ColumnAlteration, situation: MySQLSituation) -> ColumnDefinition:
    declared = altered.type_before if altered.type_before is not None else altered.type_after
    if declared is None:
        column = f"{altered.table}.{altered.column}"
        raise DeclarationError([f"the type of {column} has to be said to change it: pass existing_type"])
    definition = ColumnDefinition(
        type=situation.write.type(declared),
        nullable=altered.nullable_before is not False,
        comment="" if not altered.comment_before else situation.write.literal(altered.comment_before),
        auto_increment=bool(altered.options.get("existing_autoincrement")),
    )
    default = altered.default_before
    return definition if default in {None, False} else _with_default(definition, default, situation)


def _is_virtual(column: Column[Any]) -> bool:
    return column.computed is not None and column.computed.persisted is not True


def _dropped_and_added(
    name: str, definition: str, stored: MySQLTable | None, situation: MySQLSituation
) -> str:
    quoted = situation.quoted(name)
    keys = {} if stored is None else {k: line for k, line in stored.keys.items() if name in key_columns(line)}
    names = [] if stored is None else list(stored.columns)
    behind = ""
    if name in names and not situation.renamed:
        place = names.index(name)
        behind = " FIRST" if place == 0 else f" AFTER {situation.quoted(names[place - 1])}"
    clauses = [f"DROP INDEX {situation.quoted(each)}" for each in keys]
    clauses += [f"DROP COLUMN {quoted}", f"ADD COLUMN {quoted} {definition}{behind}"]
    return ", ".join([*clauses, *(f"ADD {line}" for line in keys.values())])


def _added_again(operation: DropColumnOp, situation: MySQLSituation) -> str | None:
    try:
        column: Column[Any] = operation.reverse().column
    except ValueError:
        return None
    fills = column.server_default is not None or column.computed is not None
    again = plain_column(column, nullable=column.nullable or not fills)
    return f"ADD COLUMN {situation.quoted(str(column.name))} {column_text(again, situation)}"
