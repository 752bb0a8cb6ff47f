"""Indexes on PostgreSQL: built and dropped while readers and writers go on."""

import re
from dataclasses import dataclass, replace
from typing import Any, Final

from alembic.operations.ops import CreateIndexOp, DropIndexOp
from sqlalchemy import Column

from fastapi_easy.domain.migrations.change import Change
from fastapi_easy.domain.migrations.step import Probe, Reversibility, Step, StepMode
from fastapi_easy.infrastructure.migrations.relational.compiling.dropped_index import created_again
from fastapi_easy.infrastructure.migrations.relational.compiling.ordering import Phase, Placed
from fastapi_easy.infrastructure.migrations.relational.compiling.postgres.situation import (
    ACCESS_EXCLUSIVE,
    LONG,
    SHARE,
    SHARE_UPDATE_EXCLUSIVE,
    SHORT,
    PostgresSituation,
)
from fastapi_easy.infrastructure.migrations.relational.probing.wanted import index_probe

_CREATE: Final = re.compile(r"^CREATE (UNIQUE )?INDEX (CONCURRENTLY )?")


def create_index(
    operation: CreateIndexOp, changes: tuple[Change, ...], situation: PostgresSituation
) -> list[Placed]:
    """Return the step that creates an index."""
    index = NewIndex(
        statement=situation.write.statement(operation),
        schema=operation.schema,
        table=str(operation.table_name),
        name=situation.write.index_name(operation.to_index()),
        columns=tuple(_column_name(each) for each in operation.to_index().expressions),
        unique=bool(operation.unique),
    )
    return [Placed(Phase.INDEXES, index_step(index, changes, situation))]


@dataclass(frozen=True, slots=True, kw_only=True)
class NewIndex:
    """An index that is to be created.

    Attributes:
        statement: The `CREATE INDEX`.

        schema, table, name: Where it is, and what it is called.

        columns: Its columns, empty texts for expressions.

        unique: Whether its keys are.
    """

    statement: str
    schema: str | None
    table: str
    name: str
    columns: tuple[str, ...]
    unique: bool


def index_step(index: NewIndex, changes: tuple[Change, ...], situation: PostgresSituation) -> Step:
    """Return the step that creates an index, concurrently where the table is in use."""
    schema, table, name = index.schema, index.table, index.name
    stored = situation.stored_index(schema, name)
    probe = index_probe(
        schema,
        table,
        name,
        columns=index.columns,
        unique=index.unique,
        before=None if stored is None else stored.definition,
    )
    summary = (
        f"create {'unique ' if index.unique else ''}index {name} on {situation.write.table(schema, table)}"
    )
    full_name = situation.write.table(schema, name)
    if not situation.is_online(schema, table):
        return Step(
            changes=changes,
            summary=summary,
            statements=(plain(index.statement),),
            reverse=(f"DROP INDEX {full_name}",),
            reversibility=Reversibility.FULL,
            probe=probe,
            lock=SHARE,
            statement_timeout=LONG,
        )
    return Step(
        changes=marked_concurrent(changes),
        summary=f"{summary}, concurrently",
        statements=(concurrent(index.statement),),
        reverse=(f"DROP INDEX CONCURRENTLY IF EXISTS {full_name}",),
        reversibility=Reversibility.FULL,
        mode=StepMode.AUTOCOMMIT,
        reverse_mode=StepMode.AUTOCOMMIT,
        probe=probe,
        cleanup=(f"DROP INDEX CONCURRENTLY IF EXISTS {full_name}",),
        lock=SHARE_UPDATE_EXCLUSIVE,
        statement_timeout=LONG,
    )


def drop_index(
    operation: DropIndexOp, changes: tuple[Change, ...], situation: PostgresSituation
) -> list[Placed]:
    """Return the step that drops an index."""
    schema, table = operation.schema, str(operation.table_name)
    name = situation.write.index_name(operation.to_index())
    stored = situation.stored_index(schema, name)
    created = _created_again(operation, situation) if stored is None else stored.definition
    online = situation.is_online(schema, table)
    full_name = situation.write.table(schema, name)
    reverse = () if created is None else ((concurrent if online else plain)(created),)
    step = Step(
        changes=marked_concurrent(changes) if online else changes,
        summary=f"drop index {name} on {situation.write.table(schema, table)}",
        statements=(f"DROP INDEX {full_name}",),
        reverse=reverse,
        reversibility=Reversibility.FULL if reverse else Reversibility.NONE,
        probe=_gone(schema, table, name, None if stored is None else stored.definition),
        lock=ACCESS_EXCLUSIVE,
        statement_timeout=SHORT,
    )
    if online:
        again = f"DROP INDEX CONCURRENTLY IF EXISTS {full_name}"
        step = replace(
            step,
            summary=f"{step.summary}, concurrently",
            statements=(again,),
            mode=StepMode.AUTOCOMMIT,
            reverse_mode=StepMode.AUTOCOMMIT,
            cleanup=(again,),
            lock=SHARE_UPDATE_EXCLUSIVE,
            statement_timeout=LONG,
        )
    return [Placed(Phase.INDEX_DROPS, step)]


def plain(statement: str) -> str:
    """Return a `CREATE INDEX` that locks writers out."""
    return _CREATE.sub(lambda found: f"CREATE {found[1] or ''}INDEX ", statement)


def concurrent(statement: str) -> str:
    """Return a `CREATE INDEX` that lets writers go on."""
    return _CREATE.sub(lambda found: f"CREATE {found[1] or ''}INDEX CONCURRENTLY ", statement)


def marked_concurrent(changes: tuple[Change, ...]) -> tuple[Change, ...]:
    """Return *changes* with the fact that nobody waits for them."""
    return tuple(replace(each, facts={**each.facts, "concurrently": True}) for each in changes)


def _gone(schema: str | None, table: str, name: str, before: str | None) -> Probe:
    return index_probe(schema, table, name, before=before, absent=True)


def _created_again(operation: DropIndexOp, situation: PostgresSituation) -> str | None:
    again = created_again(operation)
    return None if again is None else situation.write.statement(again)


def _column_name(expression: Any) -> str:
    return str(expression.name) if isinstance(expression, Column) else ""
