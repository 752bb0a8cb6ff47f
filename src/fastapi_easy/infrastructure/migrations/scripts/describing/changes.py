"""What each operation of a script changes."""

from collections.abc import Callable, Collection
from typing import Any, Final

from alembic.ddl.postgresql import CreateExcludeConstraintOp
from alembic.operations import MigrateOperation
from alembic.operations.ops import (
    AddColumnOp,
    AlterColumnOp,
    CreateCheckConstraintOp,
    CreateForeignKeyOp,
    CreateIndexOp,
    CreatePrimaryKeyOp,
    CreateTableCommentOp,
    CreateTableOp,
    CreateUniqueConstraintOp,
    DropColumnOp,
    DropConstraintOp,
    DropIndexOp,
    DropTableCommentOp,
    DropTableOp,
    ExecuteSQLOp,
    RenameTableOp,
)
from sqlalchemy import Column

from fastapi_easy.domain.migrations.change import Change, ChangeKind, Facts
from fastapi_easy.infrastructure.migrations.relational.operations import CreateEnumOp, DropEnumOp
from fastapi_easy.infrastructure.migrations.scripts.describing.column_alterations import describe_alteration
from fastapi_easy.infrastructure.migrations.scripts.describing.constraints import (
    describe_check,
    describe_dropped_constraint,
    describe_exclusion,
    describe_key,
    describe_reference,
    describe_unique,
)
from fastapi_easy.infrastructure.migrations.scripts.describing.spelling import Spelling

_Describe = Callable[[Any, Spelling], Change]


def describe(operation: MigrateOperation, spelling: Spelling, new_tables: Collection[str] = ()) -> Change:
    """Return what *operation* changes.

    Args:
        operation: One of Alembic's, or of ours; an alteration of a column changes one thing.

        spelling: Writes types and defaults.

        new_tables: The tables that operations before it create.
    """
    describe_one = _DESCRIBED.get(type(operation))
    if describe_one is None:
        return Change(kind=ChangeKind.UNKNOWN, name=type(operation).__name__)
    change = describe_one(operation, spelling)
    if change.table not in new_tables or change.kind in {ChangeKind.RUN_SQL, ChangeKind.DROP_TABLE}:
        return change
    return Change(
        kind=change.kind,
        table=change.table,
        name=change.name,
        facts=Facts(**{**change.facts, "new_table": True}),
    )


def _create_table(operation: CreateTableOp, spelling: Spelling) -> Change:
    columns = [each for each in operation.columns if isinstance(each, Column)]
    facts = Facts(
        columns=tuple(str(each.name) for each in columns),
        column_types=tuple(spelling.type(each.type) for each in columns),
        new_table=True,
    )
    if operation.if_not_exists:
        facts["if_exists"] = True
    return Change(
        kind=ChangeKind.CREATE_TABLE,
        table=spelling.table(operation.schema, operation.table_name),
        facts=facts,
    )


def _drop_table(operation: DropTableOp, spelling: Spelling) -> Change:
    facts = Facts(if_exists=True) if operation.if_exists else Facts()
    return Change(
        kind=ChangeKind.DROP_TABLE, table=spelling.table(operation.schema, operation.table_name), facts=facts
    )


def _rename_table(operation: RenameTableOp, spelling: Spelling) -> Change:
    return Change(
        kind=ChangeKind.RENAME_TABLE,
        table=spelling.table(operation.schema, operation.table_name),
        facts=Facts(new_name=str(operation.new_table_name)),
    )


def _comment(operation: CreateTableCommentOp | DropTableCommentOp, spelling: Spelling) -> Change:
    return Change(
        kind=ChangeKind.CHANGE_COMMENT, table=spelling.table(operation.schema, operation.table_name)
    )


def _add_column(operation: AddColumnOp, spelling: Spelling) -> Change:
    column: Column[Any] = operation.column
    computed, default = column.computed, spelling.default(_plain_default(column))
    facts = Facts(
        type_after=spelling.type(column.type),
        nullable=bool(column.nullable),
        default=default,
        computed=None if computed is None else ("virtual" if computed.persisted is False else "stored"),
        identity=column.identity is not None,
        primary_key=bool(column.primary_key),
        inline_unique=False,
        inline_check=False,
        inline_references=bool(column.foreign_keys),
    )
    if computed is not None:
        facts["expression"] = spelling.expression(computed.sqltext)
    volatile = spelling.is_volatile(default)
    if volatile is not None:
        facts["volatile_default"] = volatile
    if operation.if_not_exists:
        facts["if_exists"] = True
    return Change(
        kind=ChangeKind.ADD_COLUMN,
        table=spelling.table(operation.schema, operation.table_name),
        name=str(column.name),
        facts=facts,
    )


def _plain_default(column: Column[Any]) -> Any:
    """Return the server default of *column*, which may be how it is computed or numbered instead."""
    return None if column.computed is not None or column.identity is not None else column.server_default


def _drop_column(operation: DropColumnOp, spelling: Spelling) -> Change:
    facts = Facts()
    if operation.if_exists:
        facts["if_exists"] = True
    return Change(
        kind=ChangeKind.DROP_COLUMN,
        table=spelling.table(operation.schema, operation.table_name),
        name=str(operation.column_name),
        facts=facts,
    )


def _create_index(operation: CreateIndexOp, spelling: Spelling) -> Change:
    where = operation.kw.get("postgresql_where", operation.kw.get("sqlite_where"))
    facts = Facts(
        columns=tuple(spelling.expression(each) for each in operation.columns),
        unique=bool(operation.unique),
        where=None if where is None else spelling.expression(where),
        method=str(operation.kw.get("postgresql_using") or "btree"),
        include=tuple(str(each) for each in operation.kw.get("postgresql_include") or ()),
        new_table=False,
        new_columns=False,
    )
    if operation.kw.get("postgresql_concurrently"):
        facts["concurrently"] = True
    return Change(
        kind=ChangeKind.CREATE_INDEX,
        table=spelling.table(operation.schema, operation.table_name),
        name=str(operation.index_name or ""),
        facts=facts,
    )


def _drop_index(operation: DropIndexOp, spelling: Spelling) -> Change:
    facts = Facts()
    if operation.kw.get("postgresql_concurrently"):
        facts["concurrently"] = True
    return Change(
        kind=ChangeKind.DROP_INDEX,
        table=spelling.table(operation.schema, operation.table_name) if operation.table_name else "",
        name=str(operation.index_name),
        facts=facts,
    )


def _create_enum(operation: CreateEnumOp, spelling: Spelling) -> Change:
    return Change(
        kind=ChangeKind.CREATE_TYPE,
        name=spelling.table(operation.schema, operation.name),
        facts=Facts(labels=operation.labels),
    )


def _drop_enum(operation: DropEnumOp, spelling: Spelling) -> Change:
    return Change(
        kind=ChangeKind.DROP_TYPE,
        name=spelling.table(operation.schema, operation.name),
        facts=Facts(labels=operation.labels),
    )


def _run_sql(operation: ExecuteSQLOp, _: Spelling) -> Change:
    return Change(kind=ChangeKind.RUN_SQL, facts=Facts(statement=str(operation.sqltext)))


_DESCRIBED: Final[dict[type[MigrateOperation], _Describe]] = {
    CreateTableOp: _create_table,
    DropTableOp: _drop_table,
    RenameTableOp: _rename_table,
    CreateTableCommentOp: _comment,
    DropTableCommentOp: _comment,
    AddColumnOp: _add_column,
    DropColumnOp: _drop_column,
    AlterColumnOp: describe_alteration,
    CreateIndexOp: _create_index,
    DropIndexOp: _drop_index,
    CreateUniqueConstraintOp: describe_unique,
    CreateCheckConstraintOp: describe_check,
    CreateForeignKeyOp: describe_reference,
    CreatePrimaryKeyOp: describe_key,
    CreateExcludeConstraintOp: describe_exclusion,
    DropConstraintOp: describe_dropped_constraint,
    CreateEnumOp: _create_enum,
    DropEnumOp: _drop_enum,
    ExecuteSQLOp: _run_sql,
}
