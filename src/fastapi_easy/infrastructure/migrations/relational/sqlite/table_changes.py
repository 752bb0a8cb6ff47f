"""What the operations on one table make of its definition."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from alembic.operations.ops import (
    AddColumnOp,
    AddConstraintOp,
    AlterColumnOp,
    CreateForeignKeyOp,
    CreatePrimaryKeyOp,
    DropColumnOp,
    DropConstraintOp,
    MigrateOperation,
)
from sqlalchemy import Column
from sqlalchemy.engine import Dialect
from sqlalchemy.exc import ArgumentError

from fastapi_easy.domain.migrations.change import Change
from fastapi_easy.infrastructure.migrations.relational.operations import (
    ChangePrimaryKeyOp,
    Detected,
    ReplaceColumnOp,
)
from fastapi_easy.infrastructure.migrations.relational.sqlite.definition import edits
from fastapi_easy.infrastructure.migrations.relational.sqlite.definition.parsing import parse_constraint
from fastapi_easy.infrastructure.migrations.relational.sqlite.definition.table_text import (
    ConstraintKind,
    ConstraintText,
    TableText,
)
from fastapi_easy.infrastructure.migrations.relational.sqlite.definition.tokens import fold
from fastapi_easy.infrastructure.migrations.relational.sqlite.refusal import SqliteRefusal
from fastapi_easy.infrastructure.migrations.relational.sqlite.rendering import (
    inline_reference,
    render_column,
    render_computed,
    render_constraint,
    render_default_of,
    render_type,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangedTable:
    """A table while operations change its definition.

    Attributes:
        text: Its definition so far.

        dialect: SQLite's.

        references: The foreign keys of columns that are added, by the column.

        dropped: The columns that are gone, also those that came back under the same name.

        has_key: Another operation says what the primary key is.
    """

    text: TableText
    dialect: Dialect
    references: dict[str, str]
    dropped: frozenset[str] = frozenset()
    has_key: bool = False


def change_table(text: TableText, detected: Sequence[Detected], dialect: Dialect) -> ChangedTable:
    """Return the table *text* after all of *detected*.

    Raises:
        SqliteRefusal: An operation does not fit the table, or is none of SQLite's.
    """
    table = ChangedTable(
        text=text,
        dialect=dialect,
        references=added_references(detected, dialect),
        has_key=any(isinstance(each.operation, ChangePrimaryKeyOp | CreatePrimaryKeyOp) for each in detected),
    )
    for each in sorted(detected, key=_place):
        table = _edit_for(each.operation)(table, each.operation, each.change)
    return table


def added_references(detected: Sequence[Detected], dialect: Dialect) -> dict[str, str]:
    """Return the foreign keys of single columns that are added beside them, as clauses of these columns."""
    added = {fold(each.operation.column.name) for each in detected if isinstance(each.operation, AddColumnOp)}
    found = {}
    for each in detected:
        operation = each.operation
        if isinstance(operation, CreateForeignKeyOp) and len(operation.local_cols) == 1:
            column = fold(operation.local_cols[0])
            if column in added:
                found[column] = inline_reference(render_constraint(operation, dialect))
    return found


def is_table_change(operation: MigrateOperation) -> bool:
    """Tell whether *operation* changes the definition of one table."""
    return any(isinstance(operation, kind) for kind, _, _ in _EDITS)


def _place(detected: Detected) -> int:
    operation = detected.operation
    return next(place for kind, place, _ in _EDITS if isinstance(operation, kind))


def _edit_for(operation: MigrateOperation) -> "_Edit":
    return next(edit for kind, _, edit in _EDITS if isinstance(operation, kind))


def _drop_constraint(table: ChangedTable, operation: DropConstraintOp, change: Change) -> ChangedTable:
    if operation.constraint_type == "primary":
        return replace(table, text=edits.set_primary_key(table.text, (), None))
    wanted = _wanted(operation, change, table.dialect)
    found = edits.find_constraint(table.text, wanted.kind, wanted)
    return replace(table, text=edits.drop_constraint(table.text, found))


def _wanted(operation: DropConstraintOp, change: Change, dialect: Dialect) -> ConstraintText:
    """Return what is known of a constraint that is dropped: SQLite's often have no name."""
    name = str(operation.constraint_name) if operation.constraint_name is not None else None
    kind = _KINDS.get(operation.constraint_type or "")
    if kind is None:
        raise SqliteRefusal(f"cannot tell what kind of constraint {name} of {operation.table_name} is")
    try:
        rendered = render_constraint(AddConstraintOp.from_constraint(operation.to_constraint()), dialect)
    except (ValueError, ArgumentError):
        # Nobody said what it is, or a foreign key does not say which columns it points to.
        facts = change.facts
        return ConstraintText(
            kind=kind,
            text="",
            name=name,
            columns=tuple(facts.get("columns", ())),
            references=facts.get("references", ""),
            referred=tuple(facts.get("referred_columns", ())),
            expression=facts.get("expression", ""),
        )
    return replace(parse_constraint(rendered), name=name)


def _drop_column(table: ChangedTable, operation: DropColumnOp, _: Change) -> ChangedTable:
    return replace(
        table,
        text=edits.drop_column(table.text, operation.column_name),
        dropped=table.dropped | {fold(operation.column_name)},
    )


def _add_column(table: ChangedTable, operation: AddColumnOp, _: Change) -> ChangedTable:
    column = operation.column
    references = table.references.get(fold(column.name), "")
    text = edits.add_column(table.text, render_column(column, table.dialect, references))
    if column.primary_key and not table.has_key:
        text = edits.set_primary_key(text, (*edits.primary_key(text), column.name), None)
    return replace(table, text=text)


def _alter_column(table: ChangedTable, operation: AlterColumnOp, _: Change) -> ChangedTable:
    old = edits.column_of(table.text, operation.column_name)
    new = old
    if operation.modify_type is not None:
        new = edits.set_type(new, render_type(Column("value", operation.modify_type), table.dialect))
    if operation.modify_server_default is not False:
        new = edits.set_default(new, render_default_of(operation.modify_server_default, table.dialect))
    if operation.modify_nullable is not None:
        new = edits.set_nullable(new, operation.modify_nullable)
    return replace(table, text=table.text.replacing(old, new))


def _replace_column(table: ChangedTable, operation: ReplaceColumnOp, _: Change) -> ChangedTable:
    old = edits.column_of(table.text, operation.before.name)
    after: Column[Any] = operation.after
    match operation.what:
        case "computed":
            new = edits.set_computed(old, render_computed(after, table.dialect))
        case "collation":
            collation = getattr(after.type, "collation", None)
            new = edits.set_collation(old, None if collation is None else str(collation))
        case _:
            new = old
    return replace(table, text=table.text.replacing(old, new))


def _change_key(
    table: ChangedTable, operation: ChangePrimaryKeyOp | CreatePrimaryKeyOp, _: Change
) -> ChangedTable:
    if isinstance(operation, ChangePrimaryKeyOp):
        columns, name = operation.after, operation.name_after
    else:
        columns = tuple(operation.columns)
        name = None if operation.constraint_name is None else str(operation.constraint_name)
    return replace(table, text=edits.set_primary_key(table.text, columns, name))


def _add_constraint(table: ChangedTable, operation: AddConstraintOp, _: Change) -> ChangedTable:
    return replace(table, text=edits.add_constraint(table.text, render_constraint(operation, table.dialect)))


_KINDS: Final[dict[str, ConstraintKind]] = {
    "unique": "unique",
    "foreignkey": "references",
    "check": "check",
}

_Edit = Callable[[ChangedTable, Any, Change], ChangedTable]

_EDITS: Final[tuple[tuple[type[MigrateOperation], int, _Edit], ...]] = (
    (DropConstraintOp, 0, _drop_constraint),
    (DropColumnOp, 1, _drop_column),
    (AddColumnOp, 2, _add_column),
    (AlterColumnOp, 3, _alter_column),
    (ReplaceColumnOp, 3, _replace_column),
    (ChangePrimaryKeyOp, 4, _change_key),
    (CreatePrimaryKeyOp, 4, _change_key),
    (AddConstraintOp, 5, _add_constraint),
)
"""What each operation does to the text, and when: names that are dropped may be taken again."""
