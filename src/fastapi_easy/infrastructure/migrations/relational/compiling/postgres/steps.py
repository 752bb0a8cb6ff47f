"""Which operation becomes which steps on PostgreSQL."""

from collections.abc import Callable
from typing import Any, Final

from alembic.ddl.postgresql import CreateExcludeConstraintOp
from alembic.operations.ops import (
    AddColumnOp,
    BulkInsertOp,
    CreateCheckConstraintOp,
    CreateForeignKeyOp,
    CreateIndexOp,
    CreateTableCommentOp,
    CreateUniqueConstraintOp,
    DropColumnOp,
    DropConstraintOp,
    DropIndexOp,
    DropTableCommentOp,
    ExecuteSQLOp,
    RenameTableOp,
)

from fastapi_easy.domain.migrations.change import Change, ChangeKind
from fastapi_easy.infrastructure.migrations.relational.compiling.column_alteration import ColumnAlteration
from fastapi_easy.infrastructure.migrations.relational.compiling.ordering import Placed
from fastapi_easy.infrastructure.migrations.relational.compiling.postgres.alterations import alter_column
from fastapi_easy.infrastructure.migrations.relational.compiling.postgres.columns import (
    add_column,
    drop_column,
    rename_column,
)
from fastapi_easy.infrastructure.migrations.relational.compiling.postgres.constraints import (
    add_constraint,
    drop_constraint,
    validate,
)
from fastapi_easy.infrastructure.migrations.relational.compiling.postgres.enumerations import (
    add_labels,
    create_enumeration,
    drop_enumeration,
    replace_enumeration,
)
from fastapi_easy.infrastructure.migrations.relational.compiling.postgres.indexes import (
    create_index,
    drop_index,
)
from fastapi_easy.infrastructure.migrations.relational.compiling.postgres.primary_keys import (
    change_primary_key,
)
from fastapi_easy.infrastructure.migrations.relational.compiling.postgres.replaced_columns import (
    replace_column,
)
from fastapi_easy.infrastructure.migrations.relational.compiling.postgres.situation import PostgresSituation
from fastapi_easy.infrastructure.migrations.relational.compiling.postgres.tables import (
    change_comment,
    create_table,
    drop_table,
    rename_table,
)
from fastapi_easy.infrastructure.migrations.relational.compiling.prepared import ColumnRename, Work
from fastapi_easy.infrastructure.migrations.relational.compiling.statements import execute_sql
from fastapi_easy.infrastructure.migrations.relational.compiling.tables_in_order import (
    TableCreation,
    TableKey,
    TableRemoval,
)
from fastapi_easy.infrastructure.migrations.relational.compiling.unknown_operation import UnknownOperation
from fastapi_easy.infrastructure.migrations.relational.operations import (
    AddEnumLabelOp,
    ChangePrimaryKeyOp,
    CreateEnumOp,
    DropEnumOp,
    ReplaceColumnOp,
    ReplaceEnumOp,
)

_Compile = Callable[[Any, tuple[Change, ...], PostgresSituation], list[Placed]]

_COMPILED: Final[dict[type, _Compile]] = {
    RenameTableOp: rename_table,
    CreateTableCommentOp: change_comment,
    DropTableCommentOp: change_comment,
    AddColumnOp: add_column,
    DropColumnOp: drop_column,
    ColumnRename: rename_column,
    CreateIndexOp: create_index,
    DropIndexOp: drop_index,
    CreateUniqueConstraintOp: add_constraint,
    CreateCheckConstraintOp: add_constraint,
    CreateForeignKeyOp: add_constraint,
    CreateExcludeConstraintOp: add_constraint,
    DropConstraintOp: drop_constraint,
    ChangePrimaryKeyOp: change_primary_key,
    CreateEnumOp: create_enumeration,
    DropEnumOp: drop_enumeration,
    ReplaceEnumOp: replace_enumeration,
    ReplaceColumnOp: replace_column,
    ExecuteSQLOp: execute_sql,
    BulkInsertOp: execute_sql,
    TableCreation: lambda what, _, situation: create_table(what, situation),
    TableRemoval: lambda what, _, situation: drop_table(what, situation),
    ColumnAlteration: lambda what, _, situation: alter_column(what, situation),
}


def _validates(work: Work) -> bool:
    kinds = [each.kind for each in work.changes]
    return isinstance(work.what, ExecuteSQLOp) and kinds == [ChangeKind.VALIDATE_CONSTRAINT]


def postgres_steps(work: list[Work], situation: PostgresSituation) -> list[Placed]:
    """Return the steps of *work* on PostgreSQL, not in order yet.

    Raises:
        UnknownOperation: Nobody knows how to carry one of them out.
    """
    placed: list[Placed] = []
    labels: dict[TableKey, list[tuple[AddEnumLabelOp, tuple[Change, ...]]]] = {}
    for each in work:
        if isinstance(each.what, AddEnumLabelOp):
            key = (each.what.schema, each.what.name)
            labels.setdefault(key, []).append((each.what, each.changes))
            continue
        compiled: _Compile | None = validate if _validates(each) else _COMPILED.get(type(each.what))
        if compiled is None:
            raise UnknownOperation(each.what)
        placed += compiled(each.what, each.changes, situation)
    for added in labels.values():
        placed += add_labels(added, situation)
    return placed
