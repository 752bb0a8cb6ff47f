"""Enumeration types of PostgreSQL."""

from collections.abc import Sequence
from typing import Any

from fastapi_easy.domain.migrations.change import Change
from fastapi_easy.domain.migrations.step import Reversibility, Step, StepMode
from fastapi_easy.infrastructure.migrations.relational.compiling.backfills import is_read_by_hints
from fastapi_easy.infrastructure.migrations.relational.compiling.naming import shortened
from fastapi_easy.infrastructure.migrations.relational.compiling.ordering import Phase, Placed
from fastapi_easy.infrastructure.migrations.relational.compiling.postgres.dependents import dependents
from fastapi_easy.infrastructure.migrations.relational.compiling.postgres.situation import (
    ACCESS_EXCLUSIVE,
    LONG,
    SHORT,
    PostgresSituation,
)
from fastapi_easy.infrastructure.migrations.relational.operations import (
    AddEnumLabelOp,
    CreateEnumOp,
    DropEnumOp,
    ReplaceEnumOp,
)
from fastapi_easy.infrastructure.migrations.relational.probing.wanted import label_probe, type_probe

_USERS = """
    SELECT CAST(n.nspname AS text) AS schema, CAST(c.relname AS text) AS "table", CAST(a.attname AS text) AS "column"
    FROM pg_catalog.pg_attribute a
    JOIN pg_catalog.pg_class c ON c.oid = a.attrelid
    JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
    JOIN pg_catalog.pg_type t ON t.oid = a.atttypid
    JOIN pg_catalog.pg_type e ON e.oid = t.oid OR e.oid = t.typelem AND t.typcategory = 'A'
    JOIN pg_catalog.pg_namespace m ON m.oid = e.typnamespace
    WHERE e.typname = CAST(:name AS name) AND m.nspname = coalesce(CAST(:schema AS name), current_schema())
        AND e.typtype = 'e' AND c.relkind IN ('r', 'p') AND NOT a.attisdropped AND NOT c.relispartition
    ORDER BY 1, 2, 3
"""


def create_enumeration(
    operation: CreateEnumOp, changes: tuple[Change, ...], situation: PostgresSituation
) -> list[Placed]:
    """Return the step that creates a type."""
    name = situation.write.table(operation.schema, operation.name)
    step = Step(
        changes=changes,
        summary=f"create type {name}",
        statements=(_created(name, operation.labels, situation),),
        reverse=(f"DROP TYPE {name}",),
        reversibility=Reversibility.FULL,
        probe=type_probe(operation.schema, operation.name),
        statement_timeout=SHORT,
    )
    return [Placed(Phase.TYPES, step)]


def drop_enumeration(
    operation: DropEnumOp, changes: tuple[Change, ...], situation: PostgresSituation
) -> list[Placed]:
    """Return the step that drops a type that no column has any more."""
    name = situation.write.table(operation.schema, operation.name)
    step = Step(
        changes=changes,
        summary=f"drop type {name}",
        statements=(f"DROP TYPE {name}",),
        reverse=(_created(name, operation.labels, situation),),
        reversibility=Reversibility.FULL,
        probe=type_probe(operation.schema, operation.name, absent=True),
        statement_timeout=SHORT,
    )
    return [Placed(Phase.TYPE_DROPS, step)]


def add_labels(
    operations: Sequence[tuple[AddEnumLabelOp, tuple[Change, ...]]], situation: PostgresSituation
) -> list[Placed]:
    """Return a step for each label that is added to one type; the way back is a type without them."""
    first = operations[0][0]
    catalogue = situation.catalogue
    labels = None if catalogue is None else catalogue.labels(first.schema, first.name)
    placed: list[Placed] = []
    for operation, changes in operations:
        name = situation.write.table(operation.schema, operation.name)
        place = f" BEFORE {situation.write.literal(operation.before)}" if operation.before is not None else ""
        reverse: tuple[str, ...] = ()
        if labels is not None:
            reverse = _replaced(operation.schema, operation.name, labels, situation)
            labels = _with_label(labels, operation.label, operation.before)
        step = Step(
            changes=changes,
            summary=f"add label {operation.label!r} to type {name}",
            statements=(f"ALTER TYPE {name} ADD VALUE {situation.write.literal(operation.label)}{place}",),
            reverse=reverse,
            reversibility=Reversibility.FULL if reverse else Reversibility.NONE,
            mode=StepMode.AUTOCOMMIT,
            probe=label_probe(operation.schema, operation.name, operation.label),
            statement_timeout=SHORT,
        )
        placed.append(Placed(Phase.LABELS, step))
    return placed


def replace_enumeration(
    operation: ReplaceEnumOp, changes: tuple[Change, ...], situation: PostgresSituation
) -> list[Placed]:
    """Return the step that gives a type other labels, by a new type that every column is converted to."""
    schema, name = operation.schema, operation.name
    step = Step(
        changes=changes,
        summary=f"replace type {situation.write.table(schema, name)} by one with the labels"
        f" {', '.join(operation.after)}",
        statements=_replaced(schema, name, operation.after, situation, operation.used_by),
        reverse=_replaced(schema, name, operation.before, situation, operation.used_by),
        reversibility=Reversibility.FULL,
        probe=type_probe(schema, name, labels=operation.after),
        destructive=bool(set(operation.before) - set(operation.after)),
        lock=ACCESS_EXCLUSIVE,
        rewrites=True,
        statement_timeout=LONG,
    )
    return [Placed(Phase.TYPES, step)]


def _created(name: str, labels: Sequence[str], situation: PostgresSituation) -> str:
    return f"CREATE TYPE {name} AS ENUM ({', '.join(map(situation.write.literal, labels))})"


def _replaced(
    schema: str | None,
    name: str,
    labels: Sequence[str],
    situation: PostgresSituation,
    used_by: Sequence[tuple[str | None, str, str]] = (),
) -> tuple[str, ...]:
    write = situation.write
    full, former = write.table(schema, name), shortened("fe", name, "before")
    statements = [f"ALTER TYPE {full} RENAME TO {write.quote(former)}", _created(full, labels, situation)]
    before: list[str] = []
    after: list[str] = []
    columns: list[str] = []
    for table_schema, table, column in _users(schema, name, situation, used_by):
        if _is_gone(table_schema, table, column, situation):
            continue
        found = dependents(table_schema, table, column, situation)
        before += [each for each in found.drop if each not in before]
        after += [each for each in found.create if each not in after]
        columns += _converted(table_schema, table, column, full, situation)
    return (
        *before,
        *statements,
        *columns,
        *after,
        f"DROP TYPE {write.table(schema, former)}",
    )


def _users(
    schema: str | None,
    name: str,
    situation: PostgresSituation,
    used_by: Sequence[tuple[str | None, str, str]],
) -> list[tuple[str | None, str, str]]:
    catalogue = situation.catalogue
    if catalogue is None:
        return list(used_by)
    default = situation.write.default_schema
    return [
        (None if each["schema"] == default else each["schema"], each["table"], each["column"])
        for each in catalogue.rows(_USERS, schema=schema, name=name)
    ]


def _is_gone(schema: str | None, table: str, column: str, situation: PostgresSituation) -> bool:
    """Tell whether a column is dropped before types change."""
    if is_read_by_hints(situation, schema, table, column):
        return False
    return (schema, table) in situation.dropped_tables or (
        (schema, table),
        column,
    ) in situation.dropped_columns


def _converted(
    schema: str | None, table: str, column: str, type_name: str, situation: PostgresSituation
) -> list[str]:
    catalogue = situation.catalogue
    stored = None if catalogue is None else catalogue.column(schema, table, column)
    schema, table, column = situation.present_name(schema, table, column)
    quoted = situation.write.quote(column)
    array = "[]" if stored is not None and stored.type.endswith("[]") else ""
    clauses: list[Any] = [
        f"ALTER COLUMN {quoted} TYPE {type_name}{array} USING {quoted}::text{array}::{type_name}{array}"
    ]
    if stored is not None and stored.default is not None and not stored.generated:
        clauses.insert(0, f"ALTER COLUMN {quoted} DROP DEFAULT")
        clauses.append(f"ALTER COLUMN {quoted} SET DEFAULT {stored.default}")
    return [situation.alter(schema, table, each) for each in clauses]


def _with_label(labels: tuple[str, ...], label: str, before: str | None) -> tuple[str, ...]:
    place = labels.index(before) if before in labels else len(labels)
    return (*labels[:place], label, *labels[place:])
