"""Tables on PostgreSQL: created and dropped with all that belongs to them."""

from typing import Any

from alembic.operations.ops import (
    CreateForeignKeyOp,
    CreateTableCommentOp,
    CreateTableOp,
    DropTableCommentOp,
    RenameTableOp,
)
from sqlalchemy import Sequence, Table

from fastapi_easy.domain.migrations.change import Change
from fastapi_easy.domain.migrations.step import Reversibility, Step
from fastapi_easy.infrastructure.migrations.relational.compiling.ordering import Phase, Placed
from fastapi_easy.infrastructure.migrations.relational.compiling.postgres.indexes import plain
from fastapi_easy.infrastructure.migrations.relational.compiling.postgres.missing_types import missing_types
from fastapi_easy.infrastructure.migrations.relational.compiling.postgres.situation import (
    ACCESS_EXCLUSIVE,
    SHARE_ROW_EXCLUSIVE,
    SHARE_UPDATE_EXCLUSIVE,
    SHORT,
    PostgresSituation,
)
from fastapi_easy.infrastructure.migrations.relational.compiling.postgres.stored_tables import created_again
from fastapi_easy.infrastructure.migrations.relational.compiling.tables_in_order import (
    TableCreation,
    TableRemoval,
    references,
    referred_table,
)
from fastapi_easy.infrastructure.migrations.relational.probing.wanted import (
    comment_probe,
    constraint_probe,
    table_probe,
)


def create_table(created: TableCreation, situation: PostgresSituation) -> list[Placed]:
    """Return the step that creates a table with its indexes, comments, and the types that are missing."""
    schema, table = created.key
    write = situation.write
    types = missing_types([each.type for each in created.table.columns], situation)
    sequences = _missing_sequences(created.table, situation)
    statements = [*types.create, *(f"CREATE SEQUENCE {each}" for each in sequences)]
    statements += write.statements(CreateTableOp.from_table(created.table))
    statements += [plain(write.statement(each)) for each in created.indexes]
    step = Step(
        changes=created.changes,
        summary=f"create table {write.table(schema, table)}",
        statements=tuple(statements),
        reverse=(
            f"DROP TABLE {write.table(schema, table)}",
            *(f"DROP SEQUENCE {each}" for each in reversed(sequences)),
            *types.drop,
        ),
        reversibility=Reversibility.FULL,
        probe=table_probe(schema, table),
        lock=SHARE_ROW_EXCLUSIVE if _refers_to_others(created) else "",
        statement_timeout=SHORT,
    )
    return [Placed(Phase.TABLES, step)]


def _refers_to_others(created: TableCreation) -> bool:
    return any(
        not each.use_alter and referred_table(each) != created.key for each in references(created.table)
    )


def drop_table(removed: TableRemoval, situation: PostgresSituation) -> list[Placed]:
    """Return the steps that drop a table, its references first where they make a circle."""
    schema, table = removed.key
    on = situation.write.table(schema, table)
    circular = [_drop_reference(each, removed, situation) for each in removed.circular]
    step = Step(
        changes=removed.changes,
        summary=f"drop table {on}",
        statements=(f"DROP TABLE {on}",),
        reverse=(reverse := _created_again(removed, situation)),
        reversibility=Reversibility.SCHEMA_ONLY if reverse else Reversibility.NONE,
        probe=table_probe(schema, table, absent=True),
        destructive=True,
        lock=ACCESS_EXCLUSIVE,
        statement_timeout=SHORT,
    )
    return [*circular, Placed(Phase.TABLE_DROPS, step)]


def rename_table(
    operation: RenameTableOp, changes: tuple[Change, ...], situation: PostgresSituation
) -> list[Placed]:
    """Return the step that renames a table."""
    write, schema = situation.write, operation.schema
    before, after = str(operation.table_name), str(operation.new_table_name)
    step = Step(
        changes=changes,
        summary=f"rename table {write.table(schema, before)} to {after}",
        statements=(situation.alter(schema, before, f"RENAME TO {write.quote(after)}"),),
        reverse=(situation.alter(schema, after, f"RENAME TO {write.quote(before)}"),),
        reversibility=Reversibility.FULL,
        probe=table_probe(schema, after),
        lock=ACCESS_EXCLUSIVE,
        statement_timeout=SHORT,
    )
    return [Placed(Phase.RENAMES, step)]


def change_comment(
    operation: CreateTableCommentOp | DropTableCommentOp,
    changes: tuple[Change, ...],
    situation: PostgresSituation,
) -> list[Placed]:
    """Return the step that changes the comment of a table."""
    schema, table = operation.schema, str(operation.table_name)
    after = operation.comment if isinstance(operation, CreateTableCommentOp) else None
    catalogue = situation.catalogue
    before = operation.existing_comment if catalogue is None else catalogue.table_comment(schema, table)
    step = Step(
        changes=changes,
        summary=f"change the comment of table {situation.write.table(schema, table)}",
        statements=(_comment(schema, table, after, situation),),
        reverse=(_comment(schema, table, before, situation),),
        reversibility=Reversibility.FULL,
        probe=comment_probe(schema, table, after),
        lock=SHARE_UPDATE_EXCLUSIVE,
        statement_timeout=SHORT,
    )
    return [Placed(Phase.TABLE_OPTIONS, step)]


def _comment(schema: str | None, table: str, comment: str | None, situation: PostgresSituation) -> str:
    text = "NULL" if comment is None else situation.write.literal(comment)
    return f"COMMENT ON TABLE {situation.write.table(schema, table)} IS {text}"


def _missing_sequences(table: Table, situation: PostgresSituation) -> list[str]:
    found: dict[str, Any] = {}
    for column in table.columns:
        sequence = column.default
        if isinstance(sequence, Sequence):
            found[situation.write.table(sequence.schema or table.schema, sequence.name)] = sequence
    catalogue = situation.catalogue
    return [
        name
        for name, each in found.items()
        if catalogue is None or catalogue.relation_kind(each.schema or table.schema, each.name) is None
    ]


def _drop_reference(reference: Any, removed: TableRemoval, situation: PostgresSituation) -> Placed:
    schema, table = removed.key
    name = situation.write.constraint_name(reference) or ""
    operation = CreateForeignKeyOp.from_constraint(reference)
    step = Step(
        changes=removed.changes[:1],
        summary=f"drop constraint {name} of {situation.write.table(schema, table)}",
        statements=(situation.alter(schema, table, f"DROP CONSTRAINT {situation.write.quote(name)}"),),
        reverse=situation.write.statements(operation),
        reversibility=Reversibility.FULL,
        probe=constraint_probe(schema, table, name, absent=True),
        lock=ACCESS_EXCLUSIVE,
        statement_timeout=SHORT,
    )
    return Placed(Phase.FOREIGN_KEY_DROPS, step)


def _created_again(removed: TableRemoval, situation: PostgresSituation) -> tuple[str, ...]:
    schema, table = removed.key
    write = situation.write
    if situation.catalogue is not None:
        left_out = [write.constraint_name(each) or "" for each in removed.circular]
        found = created_again(situation.catalogue, write, schema, table, left_out)
        if found:
            return found
    if not removed.is_known:
        return ()
    created = write.statements(CreateTableOp.from_table(removed.table))
    return (*created, *(plain(write.statement(each)) for each in removed.indexes))
