"""Constraints that scripts add and drop, described."""

from collections.abc import Sequence
from typing import Any, Final

from alembic.operations.ops import (
    CreateCheckConstraintOp,
    CreateForeignKeyOp,
    CreatePrimaryKeyOp,
    CreateUniqueConstraintOp,
    DropConstraintOp,
)
from sqlalchemy import Connection, inspect

from fastapi_easy.domain.migrations.change import Change, ChangeKind, Facts
from fastapi_easy.infrastructure.migrations.scripts.describing.spelling import Spelling

_DROPPED: Final = {
    "foreignkey": ChangeKind.DROP_FOREIGN_KEY,
    "unique": ChangeKind.DROP_UNIQUE,
    "check": ChangeKind.DROP_CHECK,
    "primary": ChangeKind.DROP_PRIMARY_KEY,
}


def describe_unique(operation: CreateUniqueConstraintOp, spelling: Spelling) -> Change:
    """Return what *operation* changes."""
    facts = Facts(columns=tuple(map(str, operation.columns)), new_table=False, new_columns=False)
    return _added(ChangeKind.ADD_UNIQUE, operation, spelling, facts)


def describe_check(operation: CreateCheckConstraintOp, spelling: Spelling) -> Change:
    """Return what *operation* changes."""
    facts = Facts(expression=spelling.expression(operation.condition), new_table=False)
    if operation.kw.get("postgresql_not_valid"):
        facts["validated_later"] = True
    return _added(ChangeKind.ADD_CHECK, operation, spelling, facts)


def describe_key(operation: CreatePrimaryKeyOp, spelling: Spelling) -> Change:
    """Return what *operation* changes."""
    facts = Facts(columns=tuple(map(str, operation.columns)), new_table=False, new_columns=False)
    return _added(ChangeKind.ADD_PRIMARY_KEY, operation, spelling, facts)


def describe_exclusion(operation: Any, spelling: Spelling) -> Change:
    """Return what *operation* changes."""
    return _added(ChangeKind.ADD_EXCLUSION, operation, spelling, Facts(new_table=False))


def describe_reference(operation: CreateForeignKeyOp, spelling: Spelling) -> Change:
    """Return what *operation* changes."""
    facts = Facts(
        columns=tuple(map(str, operation.local_cols)),
        constraint_name=str(operation.constraint_name) if operation.constraint_name else None,
        references=spelling.table(operation.kw.get("referent_schema"), operation.referent_table),
        referred_columns=tuple(map(str, operation.remote_cols)),
        on_delete=operation.kw.get("ondelete"),
        on_update=operation.kw.get("onupdate"),
        new_table=False,
        new_columns=False,
    )
    if operation.kw.get("postgresql_not_valid"):
        facts["validated_later"] = True
    return Change(
        kind=ChangeKind.ADD_FOREIGN_KEY,
        table=spelling.table(operation.kw.get("source_schema"), operation.source_table),
        name=str(operation.constraint_name or ""),
        facts=facts,
    )


def describe_dropped_constraint(operation: DropConstraintOp, spelling: Spelling) -> Change:
    """Return what *operation* changes; which kind it is, the database is asked where the script does not say so."""
    kind = _DROPPED.get(operation.constraint_type or "")
    if kind is None and spelling.connection is not None:
        kind = _stored_kind(spelling.connection, operation)
    name = str(operation.constraint_name or "")
    return Change(
        kind=kind or ChangeKind.UNKNOWN,
        table=spelling.table(operation.schema, operation.table_name),
        name=name,
        facts=Facts(constraint_name=name or None),
    )


def _added(kind: ChangeKind, operation: Any, spelling: Spelling, facts: Facts) -> Change:
    facts["constraint_name"] = str(operation.constraint_name) if operation.constraint_name else None
    return Change(
        kind=kind,
        table=spelling.table(operation.schema, operation.table_name),
        name=str(operation.constraint_name or ""),
        facts=facts,
    )


def _stored_kind(connection: Connection, operation: DropConstraintOp) -> ChangeKind | None:
    stored, table, schema = inspect(connection), operation.table_name, operation.schema
    if not stored.has_table(table, schema=schema):
        return None
    wanted = operation.constraint_name
    found: dict[ChangeKind, Sequence[Any]] = {
        ChangeKind.DROP_FOREIGN_KEY: stored.get_foreign_keys(table, schema=schema),
        ChangeKind.DROP_UNIQUE: stored.get_unique_constraints(table, schema=schema),
        ChangeKind.DROP_CHECK: stored.get_check_constraints(table, schema=schema),
        ChangeKind.DROP_PRIMARY_KEY: [stored.get_pk_constraint(table, schema=schema)],
    }
    for kind, constraints in found.items():
        if any(each.get("name") == wanted for each in constraints):
            return kind
    return None
