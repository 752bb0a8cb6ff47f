"""An added column without its constraints and indexes, which are operations of their own."""

from dataclasses import replace
from typing import Any

from alembic.operations import MigrateOperation
from alembic.operations.ops import (
    AddColumnOp,
    CreateCheckConstraintOp,
    CreateForeignKeyOp,
    CreateIndexOp,
    CreateTableOp,
    CreateUniqueConstraintOp,
)
from sqlalchemy import CheckConstraint, Column, Computed, ForeignKeyConstraint, Identity, UniqueConstraint

from fastapi_easy.domain.migrations.change import Change, ChangeKind, Facts


def added_column(operation: AddColumnOp, change: Change) -> list[tuple[Change, MigrateOperation]]:
    """Return the operation with a plain column, and one for each constraint and index that the column carries.

    The column of a declared table carries none: they were detected as operations of their own.
    """
    column: Column[Any] = operation.column
    if is_numbered(column, change):
        return [(change, _with_plain_column(operation, numbered_column(column)))]
    if column.table is not None:
        return [(change, _with_plain_column(operation, column))]
    carrier = CreateTableOp(operation.table_name, [column], schema=operation.schema).to_table()
    attached = carrier.columns[column.name]
    found: list[tuple[ChangeKind, MigrateOperation]] = []
    for constraint in carrier.constraints:
        match constraint:
            case UniqueConstraint():
                found.append((ChangeKind.ADD_UNIQUE, CreateUniqueConstraintOp.from_constraint(constraint)))
            case ForeignKeyConstraint():
                found.append((ChangeKind.ADD_FOREIGN_KEY, CreateForeignKeyOp.from_constraint(constraint)))
            case CheckConstraint() if constraint in attached.constraints:
                found.append((ChangeKind.ADD_CHECK, CreateCheckConstraintOp.from_constraint(constraint)))
            case _:
                pass
    found += [(ChangeKind.CREATE_INDEX, CreateIndexOp.from_index(each)) for each in carrier.indexes]
    facts: Facts = {"columns": [str(column.name)], "new_columns": True}
    return [
        (change, _with_plain_column(operation, attached)),
        *(
            (replace(change, kind=kind, facts=facts), each)
            for kind, each in sorted(found, key=lambda pair: pair[0])
        ),
    ]


def is_numbered(column: Column[Any], change: Change) -> bool:
    """Tell whether the server numbers the rows by what is no part of *column*: `SERIAL`, `AUTO_INCREMENT`."""
    return change.facts.get("identity") is True and column.identity is None and not column.primary_key


def numbered_column(column: Column[Any]) -> Column[Any]:
    """Return a copy of *column* that is written as `SERIAL`, or with `AUTO_INCREMENT`."""
    return Column(
        column.name, column.type, primary_key=True, autoincrement=True, nullable=False, comment=column.comment
    )


def plain_column(column: Column[Any], *, nullable: bool | None = None, default: bool = True) -> Column[Any]:
    """Return a copy of *column* without constraints and indexes.

    Args:
        column: Of any table, or of none.

        nullable: Whether the copy takes NULL; `None` for as before.

        default: Keep its server default.
    """
    generated = _generated(column)
    return Column(
        column.name,
        column.type,
        *generated,
        primary_key=column.primary_key,
        nullable=column.nullable if nullable is None else nullable,
        autoincrement=column.autoincrement,
        server_default=column.server_default if default and not generated else None,
        comment=column.comment,
        **column.dialect_kwargs,
    )


def _generated(column: Column[Any]) -> list[Computed | Identity]:
    if (computed := column.computed) is not None:
        return [Computed(computed.sqltext, persisted=computed.persisted)]
    if (identity := column.identity) is not None:
        names = ("always", "start", "increment", "minvalue", "maxvalue", "cycle", "cache")
        return [Identity(**{each: getattr(identity, each) for each in names})]
    return []


def _with_plain_column(operation: AddColumnOp, column: Column[Any]) -> AddColumnOp:
    return AddColumnOp(
        operation.table_name,
        plain_column(column),
        schema=operation.schema,
        if_not_exists=operation.if_not_exists,
        inline_primary_key=operation.inline_primary_key,
        **operation.kw,
    )
