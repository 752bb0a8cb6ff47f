"""What was detected, made ready for steps: one entry for each thing that changes."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from alembic.operations import MigrateOperation
from alembic.operations.ops import (
    AddColumnOp,
    AlterColumnOp,
    CreateForeignKeyOp,
    CreateIndexOp,
    CreatePrimaryKeyOp,
    CreateTableOp,
    DropConstraintOp,
    DropIndexOp,
    DropTableOp,
)

from fastapi_easy.domain.migrations.change import Change
from fastapi_easy.infrastructure.migrations.relational.compiling.added_column import added_column
from fastapi_easy.infrastructure.migrations.relational.compiling.column_alteration import (
    ColumnAlteration,
    alteration,
    merged,
)
from fastapi_easy.infrastructure.migrations.relational.compiling.dropped_index import created_again
from fastapi_easy.infrastructure.migrations.relational.compiling.tables_in_order import (
    TableCreation,
    TableKey,
    TableRemoval,
    creation,
    creations_in_order,
    references,
    removal,
    removals_in_order,
)
from fastapi_easy.infrastructure.migrations.relational.operations import ChangePrimaryKeyOp, Detected


@dataclass(frozen=True, slots=True, kw_only=True)
class ColumnRename:
    """Another name for a column."""

    schema: str | None
    table: str
    before: str
    after: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """One thing that changes.

    Attributes:
        changes: What was detected.

        what: What carries it out.
    """

    changes: tuple[Change, ...]
    what: MigrateOperation | TableCreation | TableRemoval | ColumnAlteration | ColumnRename


@dataclass(slots=True)
class Prepared:
    """Everything that changes.

    Attributes:
        creations, removals: New and dropped tables, by schema and name.

        alterations: Of columns.

        others: Everything else, as it was detected.
    """

    creations: dict[TableKey, TableCreation] = field(default_factory=dict)
    removals: dict[TableKey, TableRemoval] = field(default_factory=dict)
    alterations: dict[tuple[TableKey, str], ColumnAlteration] = field(default_factory=dict)
    others: list[Work] = field(default_factory=list)

    def work(self) -> list[Work]:
        """Return everything, tables after those they refer to."""
        removals = removals_in_order(list(self.removals.values()))
        creations = creations_in_order(list(self.creations.values()))
        added = [each for each in self.others if isinstance(each.what, CreateForeignKeyOp)]
        known = {_signature(each.what) for each in added}
        return [
            *(Work(changes=each.changes, what=each) for each in removals),
            *(Work(changes=each.changes, what=each) for each in creations),
            *(each for each in _added_later(creations) if _signature(each.what) not in known),
            *self.others,
            *(Work(changes=each.changes, what=each) for each in self.alterations.values()),
        ]


def prepare(detected: Sequence[Detected]) -> Prepared:
    """Return what was detected, with everything that belongs to one table or column put together."""
    prepared = Prepared()
    for each in detected:
        for work in prepared_alone(each):
            _put(work, prepared)
    prepared.others = [each for each in prepared.others if not _is_absorbed(each, prepared)]
    return prepared


def prepared_alone(detected: Detected) -> list[Work]:
    """Return what one operation changes, without a look at others."""
    changes = (detected.change,)
    match detected.operation:
        case CreateTableOp() as operation:
            return [Work(changes=changes, what=creation(operation, changes))]
        case DropTableOp() as operation:
            return [Work(changes=changes, what=removal(operation, changes))]
        case AlterColumnOp() as operation:
            return _altered(operation, changes)
        case AddColumnOp() as operation:
            return [
                Work(changes=(change,), what=added)
                for change, added in added_column(operation, detected.change)
            ]
        case CreatePrimaryKeyOp() as operation:
            name = operation.constraint_name
            key = ChangePrimaryKeyOp(
                operation.table_name,
                (),
                tuple(map(str, operation.columns)),
                name_after=None if name is None else str(name),
                schema=operation.schema,
            )
            return [Work(changes=changes, what=key)]
        case operation:
            return [Work(changes=changes, what=operation)]


def with_neighbours(work: Sequence[Work]) -> list[Work]:
    """Return *work* with alterations of one column that follow each other as one."""
    found: list[Work] = []
    for each in work:
        last = found[-1] if found else None
        if last is not None and _column_of(each) is not None and _column_of(last) == _column_of(each):
            one = merged([_alteration_of(last), _alteration_of(each)])
            found[-1] = Work(changes=one.changes, what=one)
        else:
            found.append(each)
    return found


def table_key(operation: Any) -> TableKey:
    """Return the schema and name of the table of an operation."""
    return (operation.schema, str(operation.table_name))


def _alteration_of(work: Work) -> ColumnAlteration:
    assert isinstance(work.what, ColumnAlteration)  # noqa: S101 (for mypy: its column is known)
    return work.what


def _column_of(work: Work) -> tuple[TableKey, str] | None:
    match work.what:
        case ColumnAlteration() as altered:
            return ((altered.schema, altered.table), altered.column)
        case _:
            return None


def _altered(operation: AlterColumnOp, changes: tuple[Change, ...]) -> list[Work]:
    column = str(operation.column_name)
    renames: list[Work] = []
    if operation.modify_name is not None and operation.modify_name != column:
        rename = ColumnRename(
            schema=operation.schema,
            table=operation.table_name,
            before=column,
            after=str(operation.modify_name),
        )
        renames.append(Work(changes=changes, what=rename))
        column = rename.after
        if not operation.has_changes():
            return renames
    return [*renames, Work(changes=changes, what=alteration(operation, changes, column))]


def _put(work: Work, into: Prepared) -> None:
    match work.what:
        case TableCreation() as created:
            into.creations[created.key] = created
        case TableRemoval() as removed:
            into.removals[removed.key] = removed
        case ColumnAlteration() as altered:
            key = ((altered.schema, altered.table), altered.column)
            known = into.alterations.get(key)
            into.alterations[key] = altered if known is None else merged([known, altered])
        case _:
            into.others.append(work)


def _is_absorbed(work: Work, prepared: Prepared) -> bool:
    match work.what:
        case CreateIndexOp() as operation if created := prepared.creations.get(table_key(operation)):
            prepared.creations[created.key] = replace(
                created,
                changes=(*created.changes, *work.changes),
                indexes=(*created.indexes, operation),
            )
        case DropIndexOp() as operation if removed := prepared.removals.get(table_key(operation)):
            again = created_again(operation)
            prepared.removals[removed.key] = replace(
                removed,
                changes=(*removed.changes, *work.changes),
                indexes=(*removed.indexes, *([] if again is None else [again])),
            )
        case DropConstraintOp() as operation if removed := prepared.removals.get(table_key(operation)):
            prepared.removals[removed.key] = replace(removed, changes=(*removed.changes, *work.changes))
        case _:
            return False
    return True


def _added_later(creations: Sequence[TableCreation]) -> list[Work]:
    return [
        Work(changes=each.changes[:1], what=CreateForeignKeyOp.from_constraint(one))
        for each in creations
        for one in references(each.table)
        if one.use_alter
    ]


def _signature(operation: Any) -> tuple[Any, ...]:
    return (
        operation.kw.get("source_schema"),
        operation.source_table,
        operation.kw.get("referent_schema"),
        tuple(operation.local_cols),
        operation.referent_table,
        tuple(operation.remote_cols),
    )
