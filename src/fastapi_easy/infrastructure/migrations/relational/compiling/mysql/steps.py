"""Which operation becomes which steps on MySQL and MariaDB."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any, Final

from alembic.operations.ops import (
    AddColumnOp,
    AddConstraintOp,
    BulkInsertOp,
    CreateIndexOp,
    CreateTableCommentOp,
    DropColumnOp,
    DropConstraintOp,
    DropIndexOp,
    DropTableCommentOp,
    ExecuteSQLOp,
    RenameTableOp,
)

from fastapi_easy.domain.migrations.change import Change
from fastapi_easy.infrastructure.migrations.relational.compiling.column_alteration import (
    ColumnAlteration,
    merged,
)
from fastapi_easy.infrastructure.migrations.relational.compiling.mysql.columns import (
    add_column,
    alter_column,
    column_text,
    drop_column,
    rename_column,
    replace_column,
)
from fastapi_easy.infrastructure.migrations.relational.compiling.mysql.constraints import (
    add_constraint,
    drop_constraint,
)
from fastapi_easy.infrastructure.migrations.relational.compiling.mysql.held_columns import held_columns
from fastapi_easy.infrastructure.migrations.relational.compiling.mysql.indexes import create_index, drop_index
from fastapi_easy.infrastructure.migrations.relational.compiling.mysql.one_alter import (
    Clause,
    altered_at_once,
)
from fastapi_easy.infrastructure.migrations.relational.compiling.mysql.other_work import OtherWork
from fastapi_easy.infrastructure.migrations.relational.compiling.mysql.primary_keys import change_primary_key
from fastapi_easy.infrastructure.migrations.relational.compiling.mysql.situation import MySQLSituation
from fastapi_easy.infrastructure.migrations.relational.compiling.mysql.tables import (
    change_comment,
    create_table,
    drop_table,
    rename_table,
)
from fastapi_easy.infrastructure.migrations.relational.compiling.ordering import Placed
from fastapi_easy.infrastructure.migrations.relational.compiling.prepared import ColumnRename, Work
from fastapi_easy.infrastructure.migrations.relational.compiling.statements import execute_sql
from fastapi_easy.infrastructure.migrations.relational.compiling.tables_in_order import (
    TableCreation,
    TableRemoval,
)
from fastapi_easy.infrastructure.migrations.relational.compiling.unknown_operation import UnknownOperation
from fastapi_easy.infrastructure.migrations.relational.operations import ChangePrimaryKeyOp, ReplaceColumnOp

_Compiled = list[Placed] | list[Clause] | list[Clause | Placed]
_Compile = Callable[[Any, tuple[Change, ...], MySQLSituation], _Compiled]

_COMPILED: Final[dict[type, _Compile]] = {
    RenameTableOp: rename_table,
    CreateTableCommentOp: change_comment,
    DropTableCommentOp: change_comment,
    ColumnRename: rename_column,
    CreateIndexOp: create_index,
    ReplaceColumnOp: replace_column,
    ChangePrimaryKeyOp: change_primary_key,
    ExecuteSQLOp: execute_sql,
    BulkInsertOp: execute_sql,
    TableCreation: lambda what, _, situation: create_table(what, situation),
    TableRemoval: lambda what, _, situation: drop_table(what, situation),
    ColumnAlteration: lambda what, _, situation: alter_column(what, situation),
}


def mysql_steps(work: list[Work], situation: MySQLSituation, *, keep_order: bool = False) -> list[Placed]:
    """Return the steps of *work* on MySQL or MariaDB, not in order yet.

    Args:
        work: What changes.

        situation: What is known.

        keep_order: Alter a table as often as it is mentioned, instead of once.

    Raises:
        UnknownOperation: Nobody knows how to carry one of them out.
    """
    work = work if keep_order else _whole_columns(work)
    others = OtherWork(work, situation)
    found: list[Clause | Placed] = []
    ordered = list(_with_earlier(work)) if keep_order else work
    for place, each in enumerate(ordered):
        before = OtherWork(ordered[:place], situation, is_in_order=True) if keep_order else others
        compiled = _compiled(each, others, before, situation)
        if keep_order:
            found += in_place(compiled, situation)
        else:
            found += compiled
    placed = [each for each in found if isinstance(each, Placed)]
    clauses = [each for each in found if isinstance(each, Clause)]
    references = [] if keep_order else held_columns(work, situation)
    return [*placed, *altered_at_once(clauses, situation), *references]


def _with_earlier(work: list[Work]) -> Iterator[Work]:
    """Yield *work* with alterations that repeat what earlier ones have changed: `MODIFY` says all of a column."""
    earlier: dict[tuple[str | None, str, str], ColumnAlteration] = {}
    for each in work:
        match each.what:
            case ColumnAlteration() as altered:
                key = (altered.schema, altered.table, altered.column)
                before = earlier.get(key)
                if before is not None:
                    altered = replace(merged([before, altered]), changes=each.changes, again=True)
                earlier[key] = altered
                yield replace(each, what=altered)
            case _:
                yield each


def in_place(compiled: _Compiled, situation: MySQLSituation) -> list[Placed]:
    """Return what one operation was compiled to, as steps where it stands."""
    placed: list[Placed] = []
    for each in compiled:
        placed += [each] if isinstance(each, Placed) else altered_at_once([each], situation)
    return placed


def _whole_columns(work: list[Work]) -> list[Work]:
    """Return *work* without changes of columns that are replaced as a whole, which are part of those then."""
    altered = {_column_of(each.what): each for each in work if isinstance(each.what, ColumnAlteration)}
    replaced = {_column_of(each.what) for each in work if isinstance(each.what, ReplaceColumnOp)}
    result: list[Work] = []
    for each in work:
        if isinstance(each.what, ColumnAlteration) and _column_of(each.what) in replaced:
            continue
        more = altered.get(_column_of(each.what)) if isinstance(each.what, ReplaceColumnOp) else None
        result.append(each if more is None else replace(each, changes=(*each.changes, *more.changes)))
    return result


def _column_of(what: Any) -> tuple[str | None, str, str]:
    column = what.column if isinstance(what, ColumnAlteration) else str(what.before.name)
    return (what.schema, what.table, column)


def _compiled(work: Work, others: OtherWork, before: OtherWork, situation: MySQLSituation) -> _Compiled:
    """Return what *work* becomes beside *others*, of which *before* comes earlier."""
    changes = work.changes
    match work.what:
        case AddColumnOp() as operation:
            numbered = "AUTO_INCREMENT" in column_text(operation.column, situation)
            with_key = numbered and others.has_new_key(operation)
            return add_column(operation, changes, situation, with_key=with_key)
        case DropColumnOp() as operation:
            return drop_column(operation, changes, situation, with_key=others.is_key(operation))
        case CreateIndexOp() as operation:
            return create_index(
                operation, changes, situation, others.replaced_by(operation), before.superseded(operation)
            )
        case DropIndexOp() as operation if others.is_replaced(operation):
            return []
        case DropIndexOp() as operation:
            return drop_index(operation, changes, situation, is_needed=others.is_needed(operation, changes))
        case DropConstraintOp() as operation:
            return drop_constraint(operation, changes, situation, others.kept_indexes(operation))
        case AddConstraintOp() as operation:
            return add_constraint(
                operation,
                changes,
                situation,
                others.number(operation),
                before.indexed(operation),
                before.superseded(operation),
            )
        case what:
            compiled = _COMPILED.get(type(what))
            if compiled is None:
                raise UnknownOperation(what)
            return compiled(what, changes, situation)
