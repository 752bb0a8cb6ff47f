"""Other primary keys on PostgreSQL."""

from dataclasses import replace

from fastapi_easy.domain.migrations.change import Change
from fastapi_easy.domain.migrations.step import Probe, Reversibility, Step
from fastapi_easy.infrastructure.migrations.relational.compiling.naming import shortened
from fastapi_easy.infrastructure.migrations.relational.compiling.ordering import Phase, Placed
from fastapi_easy.infrastructure.migrations.relational.compiling.postgres.constraints import unique_index
from fastapi_easy.infrastructure.migrations.relational.compiling.postgres.indexes import NewIndex, index_step
from fastapi_easy.infrastructure.migrations.relational.compiling.postgres.situation import (
    ACCESS_EXCLUSIVE,
    LONG,
    SHORT,
    PostgresSituation,
)
from fastapi_easy.infrastructure.migrations.relational.operations import ChangePrimaryKeyOp
from fastapi_easy.infrastructure.migrations.relational.probing.wanted import constraint_probe

_STORED_KEY = """
    SELECT CAST(k.conname AS text) AS name, pg_catalog.pg_get_constraintdef(k.oid) AS definition
    FROM pg_catalog.pg_constraint k
    JOIN pg_catalog.pg_class c ON c.oid = k.conrelid
    JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
    WHERE n.nspname = coalesce(CAST(:schema AS name), current_schema()) AND c.relname = CAST(:name AS name)
        AND k.contype = 'p'
"""


def change_primary_key(
    operation: ChangePrimaryKeyOp, changes: tuple[Change, ...], situation: PostgresSituation
) -> list[Placed]:
    """Return the steps that give a table another primary key."""
    schema, table, write = operation.schema, operation.table, situation.write
    catalogue = situation.catalogue
    stored = None if catalogue is None else catalogue.row(_STORED_KEY, schema=schema, name=table)
    before = str(stored["name"]) if stored is not None else operation.name_before or shortened(table, "pkey")
    after = operation.name_after or (before if operation.before else shortened(table, "pkey"))
    drop = [f"DROP CONSTRAINT {write.quote(before)}"] if operation.before else []
    add = [f"ADD CONSTRAINT {write.quote(after)} PRIMARY KEY ({_listed(operation.after, situation)})"]
    back = [f"ADD CONSTRAINT {write.quote(before)} PRIMARY KEY ({_listed(operation.before, situation)})"]
    placed: list[Placed] = []
    marked = changes
    if operation.after and situation.is_online(schema, table):
        marked = tuple(replace(each, facts={**each.facts, "using_index": True}) for each in changes)
        index = shortened("fe", table, "key", *operation.after)
        new = NewIndex(
            statement=unique_index(schema, table, index, operation.after, situation),
            schema=schema,
            table=table,
            name=index,
            columns=operation.after,
            unique=True,
        )
        built = index_step(new, marked, situation)
        placed.append(Placed(Phase.PRIMARY_KEYS, built))
        add = [f"ADD CONSTRAINT {write.quote(after)} PRIMARY KEY USING INDEX {write.quote(index)}"]
    step = Step(
        changes=marked,
        summary=f"change the primary key of {write.table(schema, table)} to"
        f" {', '.join(operation.after) or 'none'}",
        statements=(situation.alter(schema, table, *drop, *(add if operation.after else [])),),
        reverse=(
            situation.alter(
                schema,
                table,
                *([f"DROP CONSTRAINT {write.quote(after)}"] if operation.after else []),
                *(back if operation.before else []),
            ),
        ),
        reversibility=Reversibility.FULL,
        probe=_probe(operation, before, after, None if stored is None else str(stored["definition"])),
        lock=ACCESS_EXCLUSIVE,
        statement_timeout=SHORT if placed else LONG,
    )
    return [*placed, Placed(Phase.PRIMARY_KEYS, step)]


def _probe(operation: ChangePrimaryKeyOp, before: str, after: str, definition: str | None) -> Probe:
    if not operation.after:
        return constraint_probe(operation.schema, operation.table, before, absent=True)
    held = definition if after == before else None
    return constraint_probe(operation.schema, operation.table, after, before=held)


def _listed(columns: tuple[str, ...], situation: PostgresSituation) -> str:
    return ", ".join(map(situation.write.quote, columns))
