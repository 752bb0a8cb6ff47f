"""Differences as Alembic sees them, as far as it does; the rest of a case is written by hand."""

from collections.abc import Iterator

from alembic.autogenerate import produce_migrations
from alembic.migration import MigrationContext
from alembic.operations import MigrateOperation, ops
from sqlalchemy import Connection, MetaData

from fastapi_easy.domain.migrations.change import Change, ChangeKind
from fastapi_easy.infrastructure.migrations.relational.operations import (
    AddEnumLabelOp,
    ChangePrimaryKeyOp,
    CreateEnumOp,
    Detected,
    DropEnumOp,
    ReplaceColumnOp,
    ReplaceEnumOp,
)

PLUGINS = ["alembic.autogenerate.*", "alembic.ext.checkconstraint_byname"]
KINDS: dict[type[MigrateOperation], ChangeKind] = {
    ops.CreateTableOp: ChangeKind.CREATE_TABLE,
    ops.DropTableOp: ChangeKind.DROP_TABLE,
    ops.RenameTableOp: ChangeKind.RENAME_TABLE,
    ops.AddColumnOp: ChangeKind.ADD_COLUMN,
    ops.DropColumnOp: ChangeKind.DROP_COLUMN,
    ops.AlterColumnOp: ChangeKind.CHANGE_TYPE,
    ops.CreateIndexOp: ChangeKind.CREATE_INDEX,
    ops.DropIndexOp: ChangeKind.DROP_INDEX,
    ops.CreateUniqueConstraintOp: ChangeKind.ADD_UNIQUE,
    ops.CreateForeignKeyOp: ChangeKind.ADD_FOREIGN_KEY,
    ops.CreateCheckConstraintOp: ChangeKind.ADD_CHECK,
    ops.CreateTableCommentOp: ChangeKind.CHANGE_COMMENT,
    ops.DropTableCommentOp: ChangeKind.CHANGE_COMMENT,
    ops.ExecuteSQLOp: ChangeKind.RUN_SQL,
    AddEnumLabelOp: ChangeKind.ADD_ENUM_LABEL,
    ReplaceEnumOp: ChangeKind.DROP_ENUM_LABEL,
    CreateEnumOp: ChangeKind.CREATE_TYPE,
    DropEnumOp: ChangeKind.DROP_TYPE,
    ChangePrimaryKeyOp: ChangeKind.ADD_PRIMARY_KEY,
    ReplaceColumnOp: ChangeKind.CHANGE_COMPUTED,
}


def detect(connection: Connection, declared: MetaData, *, schemas: bool = False) -> list[Detected]:
    options = {
        "compare_type": True,
        "compare_server_default": True,
        "autogenerate_plugins": PLUGINS,
        "include_schemas": schemas,
    }
    context = MigrationContext.configure(connection, opts=options)
    script = produce_migrations(context, declared)
    assert script.upgrade_ops is not None
    return [detected(each) for each in flat(script.upgrade_ops.ops)]


def flat(operations: list[MigrateOperation]) -> Iterator[MigrateOperation]:
    for each in operations:
        if isinstance(each, ops.OpContainer):
            yield from flat(each.ops)
        else:
            yield each


def detected(operation: MigrateOperation, **facts: object) -> Detected:
    name = getattr(operation, "column_name", None)
    if isinstance(operation, ops.AddColumnOp):
        name = operation.column.name
    table = getattr(operation, "table_name", None) or getattr(operation, "table", None)
    kind = KINDS.get(type(operation), ChangeKind.UNKNOWN)
    if isinstance(operation, ops.DropConstraintOp):
        kind = (
            ChangeKind.DROP_FOREIGN_KEY
            if operation.constraint_type == "foreignkey"
            else ChangeKind.DROP_CHECK
        )
    return Detected(
        change=Change(kind=kind, table=str(table or ""), name=str(name or ""), facts=facts),
        operation=operation,
    )
