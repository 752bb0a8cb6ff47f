"""Tables on MySQL and MariaDB."""

import re
from typing import Any

from alembic.operations.ops import (
    CreateForeignKeyOp,
    CreateIndexOp,
    CreateTableCommentOp,
    CreateTableOp,
    DropTableCommentOp,
    RenameTableOp,
)

from fastapi_easy.domain.migrations.change import Change
from fastapi_easy.domain.migrations.step import Reversibility, Step, StepMode
from fastapi_easy.infrastructure.migrations.relational.compiling.mysql.column_definition import with_lines
from fastapi_easy.infrastructure.migrations.relational.compiling.mysql.indexes import index_line
from fastapi_easy.infrastructure.migrations.relational.compiling.mysql.situation import (
    EXCLUSIVE,
    SHORT,
    MySQLSituation,
)
from fastapi_easy.infrastructure.migrations.relational.compiling.ordering import Phase, Placed
from fastapi_easy.infrastructure.migrations.relational.compiling.tables_in_order import (
    TableCreation,
    TableRemoval,
)
from fastapi_easy.infrastructure.migrations.relational.primary_key_names import without_key_name
from fastapi_easy.infrastructure.migrations.relational.probing.wanted import (
    comment_probe,
    constraint_probe,
    table_probe,
)


def create_table(created: TableCreation, situation: MySQLSituation) -> list[Placed]:
    """Return the step that creates a table with its indexes, in one statement: there is no transaction around it."""
    schema, table = created.key
    on = situation.write.table(schema, table)
    declared = sorted(created.table.indexes, key=lambda each: str(each.name))
    indexes = [*created.indexes, *map(CreateIndexOp.from_index, declared)]
    statement = without_key_name(situation.write.statements(CreateTableOp.from_table(created.table))[0])
    lines = [index_line(situation.write.statement(each), schema, table, situation) for each in indexes]
    step = Step(
        changes=created.changes,
        summary=f"create table {on}",
        statements=(with_lines(statement, lines) if lines else statement,),
        reverse=(f"DROP TABLE {on}",),
        reversibility=Reversibility.FULL,
        mode=StepMode.AUTOCOMMIT,
        reverse_mode=StepMode.AUTOCOMMIT,
        probe=table_probe(schema, table),
        statement_timeout=SHORT,
    )
    return [Placed(Phase.TABLES, step)]


def drop_table(removed: TableRemoval, situation: MySQLSituation) -> list[Placed]:
    """Return the steps that drop a table, its references first where they make a circle."""
    schema, table = removed.key
    on = situation.write.table(schema, table)
    stored = situation.stored_table(schema, table)
    names = {situation.write.constraint_name(each) or "" for each in removed.circular}
    reverse: tuple[str, ...] = ()
    if stored is not None:
        text = stored.without_references(names)
        if schema:
            text = re.sub(
                r"^CREATE TABLE (`(?:[^`]|``)*`|\S+)", lambda _: f"CREATE TABLE {on}", text, count=1
            )
        reverse = (text,)
    elif removed.is_known:
        created = situation.write.statements(CreateTableOp.from_table(removed.table))
        reverse = (*created, *(situation.write.statement(each) for each in removed.indexes))
    step = Step(
        changes=removed.changes,
        summary=f"drop table {on}",
        statements=(f"DROP TABLE {on}",),
        reverse=reverse,
        reversibility=Reversibility.SCHEMA_ONLY if reverse else Reversibility.NONE,
        mode=StepMode.AUTOCOMMIT,
        reverse_mode=StepMode.AUTOCOMMIT,
        probe=table_probe(schema, table, absent=True),
        destructive=True,
        lock=EXCLUSIVE,
        statement_timeout=SHORT,
    )
    circular = [_drop_reference(each, removed, situation) for each in removed.circular]
    return [*circular, Placed(Phase.TABLE_DROPS, step)]


def rename_table(
    operation: RenameTableOp, changes: tuple[Change, ...], situation: MySQLSituation
) -> list[Placed]:
    """Return the step that renames a table."""
    write, schema = situation.write, operation.schema
    before, after = str(operation.table_name), str(operation.new_table_name)
    step = Step(
        changes=changes,
        summary=f"rename table {write.table(schema, before)} to {after}",
        statements=(f"RENAME TABLE {write.table(schema, before)} TO {write.table(schema, after)}",),
        reverse=(f"RENAME TABLE {write.table(schema, after)} TO {write.table(schema, before)}",),
        reversibility=Reversibility.FULL,
        mode=StepMode.AUTOCOMMIT,
        reverse_mode=StepMode.AUTOCOMMIT,
        probe=table_probe(schema, after),
        lock=EXCLUSIVE,
        statement_timeout=SHORT,
    )
    return [Placed(Phase.RENAMES, step)]


def change_comment(
    operation: CreateTableCommentOp | DropTableCommentOp,
    changes: tuple[Change, ...],
    situation: MySQLSituation,
) -> list[Placed]:
    """Return the step that changes the comment of a table."""
    schema, table = operation.schema, str(operation.table_name)
    after = operation.comment if isinstance(operation, CreateTableCommentOp) else None
    catalogue = situation.catalogue
    stored = None if catalogue is None else catalogue.comment(*situation.stored_name(schema, table)[:2])
    before = operation.existing_comment if stored is None else stored

    def commented(comment: str | None) -> str:
        return situation.alter(schema, table, f"COMMENT = {situation.write.literal(comment or '')}")

    step = Step(
        changes=changes,
        summary=f"change the comment of table {situation.write.table(schema, table)}",
        statements=(commented(after),),
        reverse=(commented(before),),
        reversibility=Reversibility.FULL,
        mode=StepMode.AUTOCOMMIT,
        reverse_mode=StepMode.AUTOCOMMIT,
        probe=comment_probe(schema, table, after),
        statement_timeout=SHORT,
    )
    return [Placed(Phase.TABLE_OPTIONS, step)]


def _drop_reference(reference: Any, removed: TableRemoval, situation: MySQLSituation) -> Placed:
    schema, table = removed.key
    name = situation.write.constraint_name(reference) or ""
    step = Step(
        changes=removed.changes[:1],
        summary=f"drop constraint {name} of {situation.write.table(schema, table)}",
        statements=(situation.alter(schema, table, f"DROP FOREIGN KEY {situation.quoted(name)}"),),
        reverse=situation.write.statements(CreateForeignKeyOp.from_constraint(reference)),
        reversibility=Reversibility.FULL,
        mode=StepMode.AUTOCOMMIT,
        reverse_mode=StepMode.AUTOCOMMIT,
        probe=constraint_probe(schema, table, name, kind="foreignkey", absent=True),
        statement_timeout=SHORT,
    )
    return Placed(Phase.FOREIGN_KEY_DROPS, step)
