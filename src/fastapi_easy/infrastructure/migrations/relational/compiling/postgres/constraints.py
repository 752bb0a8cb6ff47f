"""Constraints on PostgreSQL: added without a look at the rows, which a step of its own looks at afterwards."""

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from alembic.operations.ops import AddConstraintOp, DropConstraintOp, ExecuteSQLOp
from sqlalchemy import CheckConstraint, ForeignKeyConstraint, UniqueConstraint
from sqlalchemy.schema import Constraint

from fastapi_easy.domain.migrations.change import Change
from fastapi_easy.domain.migrations.step import Reversibility, Step
from fastapi_easy.infrastructure.migrations.relational.compiling.naming import shortened
from fastapi_easy.infrastructure.migrations.relational.compiling.ordering import Phase, Placed
from fastapi_easy.infrastructure.migrations.relational.compiling.postgres.indexes import NewIndex, index_step
from fastapi_easy.infrastructure.migrations.relational.compiling.postgres.situation import (
    ACCESS_EXCLUSIVE,
    LONG,
    SHARE_ROW_EXCLUSIVE,
    SHARE_UPDATE_EXCLUSIVE,
    SHORT,
    PostgresSituation,
)
from fastapi_easy.infrastructure.migrations.relational.compiling.tables_in_order import referred_table
from fastapi_easy.infrastructure.migrations.relational.probing.wanted import constraint_probe

_NOT_VALID = " NOT VALID"


def add_constraint(
    operation: AddConstraintOp, changes: tuple[Change, ...], situation: PostgresSituation
) -> list[Placed]:
    """Return the steps that add a constraint."""
    constraint = operation.to_constraint()
    name = situation.write.constraint_name(constraint) or servers_name(constraint)
    if constraint.name is None:
        constraint.name = name
    schema, table = constraint.table.schema, str(constraint.table.name)
    definition = _definition(constraint, name, situation)
    is_reference = isinstance(constraint, ForeignKeyConstraint)
    if isinstance(constraint, UniqueConstraint) and situation.is_online(schema, table):
        return _unique_by_index(operation, changes, situation, constraint, name)
    needs_validation = isinstance(constraint, CheckConstraint | ForeignKeyConstraint)
    if needs_validation and not definition.endswith(_NOT_VALID) and situation.is_online(schema, table):
        return validated_later(schema, table, name, definition, changes, situation, is_reference=is_reference)
    step = Step(
        changes=changes,
        summary=f"add constraint {name} to {situation.write.table(schema, table)}",
        statements=(
            situation.alter(schema, table, f"ADD CONSTRAINT {situation.write.quote(name)} {definition}"),
        ),
        reverse=(situation.alter(schema, table, f"DROP CONSTRAINT {situation.write.quote(name)}"),),
        reversibility=Reversibility.FULL,
        probe=constraint_probe(schema, table, name, before=_before(schema, table, name, situation)),
        lock=SHARE_ROW_EXCLUSIVE if is_reference else ACCESS_EXCLUSIVE,
        statement_timeout=SHORT if definition.endswith(_NOT_VALID) else LONG,
    )
    return [Placed(Phase.FOREIGN_KEYS if is_reference else Phase.CONSTRAINTS, step)]


def validated_later(
    schema: str | None,
    table: str,
    name: str,
    definition: str,
    changes: tuple[Change, ...],
    situation: PostgresSituation,
    *,
    is_reference: bool = False,
) -> list[Placed]:
    """Return the steps that add a check or foreign key for new rows, and validate the others afterwards."""
    marked = tuple(replace(each, facts={**each.facts, "validated_later": True}) for each in changes)
    quoted = situation.write.quote(name)
    adding = f"ADD CONSTRAINT {quoted} {definition}{_NOT_VALID}"
    on = situation.write.table(schema, table)
    before = _before(schema, table, name, situation)
    add = Step(
        changes=marked,
        summary=f"add constraint {name} to {on}, for new rows",
        statements=(situation.alter(schema, table, adding),),
        reverse=(situation.alter(schema, table, f"DROP CONSTRAINT {quoted}"),),
        reversibility=Reversibility.FULL,
        probe=constraint_probe(schema, table, name, before=before),
        lock=SHARE_ROW_EXCLUSIVE if is_reference else ACCESS_EXCLUSIVE,
        statement_timeout=SHORT,
    )
    validate = Step(
        changes=marked,
        summary=f"validate constraint {name} of {on}",
        statements=(situation.alter(schema, table, f"VALIDATE CONSTRAINT {quoted}"),),
        reverse=(situation.alter(schema, table, f"DROP CONSTRAINT {quoted}", adding),),
        reversibility=Reversibility.FULL,
        probe=constraint_probe(schema, table, name, validated=True, before=before),
        lock=SHARE_UPDATE_EXCLUSIVE,
        statement_timeout=LONG,
    )
    return [
        Placed(Phase.FOREIGN_KEYS if is_reference else Phase.CONSTRAINTS, add),
        Placed(Phase.VALIDATIONS, validate),
    ]


def drop_constraint(
    operation: DropConstraintOp, changes: tuple[Change, ...], situation: PostgresSituation
) -> list[Placed]:
    """Return the step that drops a constraint."""
    schema, table = operation.schema, str(operation.table_name)
    name = str(operation.constraint_name)
    stored = situation.stored_constraint(schema, table, name)
    is_reference = operation.constraint_type == "foreignkey"
    quoted = situation.write.quote(name)
    reverse = _added_again(operation, situation)
    if stored is not None:
        reverse = (situation.alter(schema, table, f"ADD CONSTRAINT {quoted} {stored.definition}"),)
    loses = is_reference and _refers_to_dropped(operation, situation)
    if loses:
        # The rows that it refers to do not come back.
        reverse = tuple(each.removesuffix(_NOT_VALID) + _NOT_VALID for each in reverse)
    step = Step(
        changes=changes,
        summary=f"drop constraint {name} of {situation.write.table(schema, table)}",
        statements=(situation.alter(schema, table, f"DROP CONSTRAINT {quoted}"),),
        reverse=reverse,
        reversibility=_reversibility(reverse, loses=loses),
        probe=constraint_probe(
            schema, table, name, before=None if stored is None else stored.definition, absent=True
        ),
        lock=ACCESS_EXCLUSIVE,
        statement_timeout=SHORT,
    )
    return [Placed(Phase.FOREIGN_KEY_DROPS if is_reference else Phase.CONSTRAINT_DROPS, step)]


def validate(
    operation: ExecuteSQLOp, changes: tuple[Change, ...], situation: PostgresSituation
) -> list[Placed]:
    """Return the step that finishes a constraint which an earlier attempt has added for new rows only."""
    (change,) = changes
    schema, _, table = change.table.rpartition(".")
    name, on = change.name, situation.write.table(schema or None, table)
    stored = situation.stored_constraint(schema or None, table, name)
    quoted = situation.write.quote(name)
    back = (
        ()
        if stored is None
        else (f"DROP CONSTRAINT {quoted}", f"ADD CONSTRAINT {quoted} {stored.definition}")
    )
    step = Step(
        changes=changes,
        summary=f"validate constraint {name} of {on}",
        statements=situation.write.statements(operation),
        reverse=(situation.alter(schema or None, table, *back),) if back else (),
        reversibility=Reversibility.FULL if back else Reversibility.NONE,
        probe=constraint_probe(schema or None, table, name, validated=True),
        lock=SHARE_UPDATE_EXCLUSIVE,
        statement_timeout=LONG,
    )
    return [Placed(Phase.VALIDATIONS, step)]


def _reversibility(reverse: tuple[str, ...], *, loses: bool) -> Reversibility:
    if not reverse:
        return Reversibility.NONE
    return Reversibility.SCHEMA_ONLY if loses else Reversibility.FULL


def _refers_to_dropped(operation: DropConstraintOp, situation: PostgresSituation) -> bool:
    try:
        constraint = operation.to_constraint()
    except ValueError:
        return False
    return (
        isinstance(constraint, ForeignKeyConstraint)
        and referred_table(constraint) in situation.dropped_tables
    )


def servers_name(constraint: Constraint) -> str:
    """Return a name for a constraint without one: PostgreSQL's own, as long as it is free."""
    table = str(constraint.table.name)
    if isinstance(constraint, CheckConstraint):
        # Several of a table have no columns that would tell them apart.
        mark = hashlib.sha256(str(constraint.sqltext).encode()).hexdigest()[:8]
        return shortened(table, mark, "check")
    columns = [str(each.name) for each in getattr(constraint, "columns", ())]
    endings = {"UniqueConstraint": "key", "ForeignKeyConstraint": "fkey"}
    return shortened(table, *columns, endings.get(type(constraint).__name__, "excl"))


def _definition(constraint: Constraint, name: str, situation: PostgresSituation) -> str:
    operation = AddConstraintOp.from_constraint(constraint)
    written = situation.write.statement(operation)
    _, _, definition = written.partition(f" ADD CONSTRAINT {situation.write.quote(name)} ")
    return definition


def _unique_by_index(
    operation: AddConstraintOp,
    changes: tuple[Change, ...],
    situation: PostgresSituation,
    constraint: UniqueConstraint,
    name: str,
) -> list[Placed]:
    schema, table = constraint.table.schema, str(constraint.table.name)
    write = situation.write
    columns = [str(each.name) for each in constraint.columns]
    options: dict[str, Any] = dict(constraint.dialect_options["postgresql"])
    marked = tuple(replace(each, facts={**each.facts, "using_index": True}) for each in changes)
    index = NewIndex(
        statement=unique_index(schema, table, name, columns, situation, **options),
        schema=schema,
        table=table,
        name=name,
        columns=tuple(columns),
        unique=True,
    )
    built = index_step(index, marked, situation)
    clause = f"ADD CONSTRAINT {write.quote(name)} UNIQUE USING INDEX {write.quote(name)}"
    if constraint.deferrable is not None:
        clause += " DEFERRABLE" if constraint.deferrable else " NOT DEFERRABLE"
    if constraint.initially is not None:
        clause += f" INITIALLY {constraint.initially}"
    taken = Step(
        changes=built.changes,
        summary=f"add unique constraint {name} to {write.table(schema, table)} by its index",
        statements=(situation.alter(schema, table, clause),),
        reverse=(situation.alter(schema, table, f"DROP CONSTRAINT {write.quote(name)}"),),
        reversibility=Reversibility.FULL,
        probe=constraint_probe(schema, table, name, before=_before(schema, table, name, situation)),
        lock=ACCESS_EXCLUSIVE,
        statement_timeout=SHORT,
    )
    return [Placed(Phase.CONSTRAINTS, built), Placed(Phase.CONSTRAINTS, taken)]


def unique_index(
    schema: str | None,
    table: str,
    name: str,
    columns: Sequence[str],
    situation: PostgresSituation,
    *,
    include: Sequence[str] | None = None,
    nulls_not_distinct: bool | None = None,
    **_others: Any,
) -> str:
    """Return the `CREATE UNIQUE INDEX` that a unique constraint or primary key can take over."""
    write = situation.write
    listed = ", ".join(map(write.quote, columns))
    statement = f"CREATE UNIQUE INDEX {write.quote(name)} ON {write.table(schema, table)} ({listed})"
    if include:
        statement += f" INCLUDE ({', '.join(map(write.quote, include))})"
    return statement + (" NULLS NOT DISTINCT" if nulls_not_distinct else "")


def _before(schema: str | None, table: str, name: str, situation: PostgresSituation) -> str | None:
    stored = situation.stored_constraint(schema, table, name)
    return None if stored is None else stored.definition


def _added_again(operation: DropConstraintOp, situation: PostgresSituation) -> tuple[str, ...]:
    try:
        return situation.write.statements(operation.reverse())
    except ValueError:
        return ()
