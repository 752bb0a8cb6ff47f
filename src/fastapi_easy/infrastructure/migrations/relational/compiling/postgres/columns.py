"""Columns on PostgreSQL: added without rewriting the table where there is a way, dropped, renamed."""

import re
from dataclasses import replace
from typing import Any, Final

from alembic.operations.ops import AddColumnOp, DropColumnOp
from sqlalchemy import Column, MetaData, Table

from fastapi_easy.domain.migrations.change import Change
from fastapi_easy.domain.migrations.step import Reversibility, Step
from fastapi_easy.infrastructure.migrations.relational.compiling.added_column import plain_column
from fastapi_easy.infrastructure.migrations.relational.compiling.backfills import is_read_by_hints
from fastapi_easy.infrastructure.migrations.relational.compiling.ordering import Phase, Placed
from fastapi_easy.infrastructure.migrations.relational.compiling.postgres.filling import backfill
from fastapi_easy.infrastructure.migrations.relational.compiling.postgres.missing_types import missing_types
from fastapi_easy.infrastructure.migrations.relational.compiling.postgres.not_null import set_not_null
from fastapi_easy.infrastructure.migrations.relational.compiling.postgres.situation import (
    ACCESS_EXCLUSIVE,
    LONG,
    SHORT,
    PostgresSituation,
)
from fastapi_easy.infrastructure.migrations.relational.compiling.postgres.stored_tables import added_again
from fastapi_easy.infrastructure.migrations.relational.compiling.prepared import ColumnRename
from fastapi_easy.infrastructure.migrations.relational.probing.wanted import column_probe

_VOLATILE: Final = re.compile(
    r"\b(random|gen_random_uuid|uuid_generate_v\w+|uuidv[47]|clock_timestamp|timeofday|nextval|setseed)\s*\(",
    re.IGNORECASE,
)
_SERIAL: Final = re.compile(r" (BIG|SMALL)?SERIAL\b")


def add_column(
    operation: AddColumnOp, changes: tuple[Change, ...], situation: PostgresSituation
) -> list[Placed]:
    """Return the steps that add a column."""
    schema, table = operation.schema, str(operation.table_name)
    column: Column[Any] = operation.column
    name = str(column.name)
    fill = situation.fill(schema, table, name)
    value = _value_by_row(column, changes, situation) if fill is None else fill
    rewrites = _rewrites(column, situation)
    if value is None or rewrites or situation.is_new(schema, table):
        return [_added(operation, changes, situation, rewrites=rewrites or value is not None)]
    if not situation.is_online(schema, table):
        return [_filled_at_once(operation, changes, situation, value)]
    marked = tuple(replace(each, facts={**each.facts, "in_batches": True}) for each in changes)
    placed = [
        _added(_bare(operation), marked, situation, default=column.server_default),
        backfill(schema, table, name, value, marked, situation, of_new_column=True),
    ]
    if not column.nullable:
        placed += set_not_null(schema, table, name, marked, situation)
    return placed


def drop_column(
    operation: DropColumnOp, changes: tuple[Change, ...], situation: PostgresSituation
) -> list[Placed]:
    """Return the step that drops a column."""
    schema, table, name = operation.schema, str(operation.table_name), str(operation.column_name)
    write, catalogue = situation.write, situation.catalogue
    reverse = () if catalogue is None else added_again(catalogue, write, schema, table, name)
    if not reverse:
        reverse = _added_again(operation, situation)
    step = Step(
        changes=changes,
        summary=f"drop column {name} of {write.table(schema, table)}",
        statements=(situation.alter(schema, table, f"DROP COLUMN {write.quote(name)}"),),
        reverse=reverse,
        reversibility=Reversibility.SCHEMA_ONLY if reverse else Reversibility.NONE,
        probe=column_probe(schema, table, name, absent=True),
        destructive=True,
        lock=ACCESS_EXCLUSIVE,
        statement_timeout=SHORT,
    )
    is_late = is_read_by_hints(situation, schema, table, name)
    return [Placed(Phase.LATE_COLUMN_DROPS if is_late else Phase.COLUMN_DROPS, step)]


def rename_column(
    rename: ColumnRename, changes: tuple[Change, ...], situation: PostgresSituation
) -> list[Placed]:
    """Return the step that renames a column."""
    quote = situation.write.quote
    schema, table, before, after = rename.schema, rename.table, rename.before, rename.after
    step = Step(
        changes=changes,
        summary=f"rename column {before} of {situation.write.table(schema, table)} to {after}",
        statements=(situation.alter(schema, table, f"RENAME COLUMN {quote(before)} TO {quote(after)}"),),
        reverse=(situation.alter(schema, table, f"RENAME COLUMN {quote(after)} TO {quote(before)}"),),
        reversibility=Reversibility.FULL,
        probe=column_probe(schema, table, after),
        lock=ACCESS_EXCLUSIVE,
        statement_timeout=SHORT,
    )
    return [Placed(Phase.RENAMES, step)]


def _added(
    operation: AddColumnOp,
    changes: tuple[Change, ...],
    situation: PostgresSituation,
    *,
    rewrites: bool = False,
    default: Any = None,
) -> Placed:
    schema, table, name = operation.schema, str(operation.table_name), str(operation.column.name)
    write = situation.write
    quoted = write.quote(name)
    types = missing_types([operation.column.type], situation)
    statements = [*types.create, *write.statements(operation)]
    if default is not None:
        statements.append(
            situation.alter(schema, table, f"ALTER COLUMN {quoted} SET DEFAULT {write.default(default)}")
        )
    step = Step(
        changes=changes,
        summary=f"add column {name} to {write.table(schema, table)}",
        statements=tuple(statements),
        reverse=(situation.alter(schema, table, f"DROP COLUMN {quoted}"), *types.drop),
        reversibility=Reversibility.FULL,
        probe=column_probe(schema, table, name),
        lock=ACCESS_EXCLUSIVE,
        rewrites=rewrites,
        statement_timeout=LONG if rewrites else SHORT,
    )
    return Placed(Phase.COLUMNS, step)


def _filled_at_once(
    operation: AddColumnOp, changes: tuple[Change, ...], situation: PostgresSituation, value: str
) -> Placed:
    column: Column[Any] = operation.column
    schema, table, quoted = (
        operation.schema,
        str(operation.table_name),
        situation.write.quote(str(column.name)),
    )
    placed = _added(_bare(operation), changes, situation, rewrites=True, default=column.server_default)
    further = [f"UPDATE {situation.write.table(schema, table)} SET {quoted} = {value}"]  # noqa: S608 - a developer's
    if not column.nullable:
        further.append(situation.alter(schema, table, f"ALTER COLUMN {quoted} SET NOT NULL"))
    return Placed(placed.phase, replace(placed.step, statements=(*placed.step.statements, *further)))


def _bare(operation: AddColumnOp) -> AddColumnOp:
    column = plain_column(operation.column, nullable=True, default=False)
    return AddColumnOp(operation.table_name, column, schema=operation.schema)


def _value_by_row(
    column: Column[Any], changes: tuple[Change, ...], situation: PostgresSituation
) -> str | None:
    if column.server_default is None or column.computed is not None or column.identity is not None:
        return None
    written = situation.write.default(column.server_default)
    known = [each.facts["volatile_default"] for each in changes if "volatile_default" in each.facts]
    is_volatile = any(known) if known else _VOLATILE.search(written) is not None
    return written if is_volatile else None


def _rewrites(column: Column[Any], situation: PostgresSituation) -> bool:
    if column.identity is not None or _is_serial(column, situation):
        return True
    return situation.write.is_stored(column)


def _is_serial(column: Column[Any], situation: PostgresSituation) -> bool:
    alone = Table("alone", MetaData(), plain_column(column))
    written = situation.write.column(alone.columns[str(column.name)])
    return _SERIAL.match(written.removeprefix(situation.write.quote(str(column.name)))) is not None


def _added_again(operation: DropColumnOp, situation: PostgresSituation) -> tuple[str, ...]:
    try:
        again = operation.reverse()
    except ValueError:
        return ()
    column: Column[Any] = again.column
    fills = column.server_default is not None or column.identity is not None
    plain = plain_column(column, nullable=column.nullable or not fills)
    return situation.write.statements(AddColumnOp(again.table_name, plain, schema=again.schema))
