"""NOT NULL on PostgreSQL: proven by a check first, so that nobody waits while rows are read."""

from dataclasses import replace

from fastapi_easy.domain.migrations.change import Change
from fastapi_easy.domain.migrations.step import Reversibility, Step
from fastapi_easy.infrastructure.migrations.relational.compiling.naming import shortened
from fastapi_easy.infrastructure.migrations.relational.compiling.ordering import Phase, Placed
from fastapi_easy.infrastructure.migrations.relational.compiling.postgres.constraints import validated_later
from fastapi_easy.infrastructure.migrations.relational.compiling.postgres.filling import backfill
from fastapi_easy.infrastructure.migrations.relational.compiling.postgres.situation import (
    ACCESS_EXCLUSIVE,
    LONG,
    SHORT,
    PostgresSituation,
)
from fastapi_easy.infrastructure.migrations.relational.probing.wanted import column_probe


def set_not_null(
    schema: str | None, table: str, column: str, changes: tuple[Change, ...], situation: PostgresSituation
) -> list[Placed]:
    """Return the steps after which a column takes no NULL; rows that exist are to be filled before."""
    write = situation.write
    quoted = write.quote(column)
    on = write.table(schema, table)
    forbid = f"ALTER COLUMN {quoted} SET NOT NULL"
    allow = f"ALTER COLUMN {quoted} DROP NOT NULL"
    step = Step(
        changes=changes,
        summary=f"set column {column} of {on} not null",
        statements=(situation.alter(schema, table, forbid),),
        reverse=(situation.alter(schema, table, allow),),
        reversibility=Reversibility.FULL,
        probe=column_probe(schema, table, column, nullable=False),
        lock=ACCESS_EXCLUSIVE,
        statement_timeout=LONG,
    )
    if not situation.is_online(schema, table):
        return [Placed(Phase.NOT_NULL, step)]
    marked = tuple(replace(each, facts={**each.facts, "check_first": True}) for each in changes)
    check = shortened("fe", table, column, "not_null")
    definition = f"CHECK ({quoted} IS NOT NULL)"
    added, validated = validated_later(schema, table, check, definition, marked, situation)
    adding = f"ADD CONSTRAINT {write.quote(check)} {definition} NOT VALID"
    last = replace(
        step,
        changes=marked,
        statements=(
            situation.alter(schema, table, forbid),
            situation.alter(schema, table, f"DROP CONSTRAINT {write.quote(check)}"),
        ),
        reverse=(situation.alter(schema, table, adding), situation.alter(schema, table, allow)),
        statement_timeout=SHORT,
    )
    # Three phases of their own would change nothing: what follows of one column may not come before another's check.
    return [Placed(Phase.NOT_NULL, each) for each in (added.step, validated.step, last)]


def filled_not_null(
    schema: str | None, table: str, column: str, changes: tuple[Change, ...], situation: PostgresSituation
) -> list[Placed]:
    """Return the steps after which a stored column takes no NULL, filled as somebody has said."""
    fill = situation.fill(schema, table, column)
    if fill is None:
        return set_not_null(schema, table, column, changes, situation)
    marked = tuple(replace(each, facts={**each.facts, "in_batches": True}) for each in changes)
    return [
        backfill(schema, table, column, fill, marked, situation),
        *set_not_null(schema, table, column, marked, situation),
    ]


def allow_null(
    schema: str | None, table: str, column: str, changes: tuple[Change, ...], situation: PostgresSituation
) -> list[Placed]:
    """Return the step after which a column takes NULL."""
    quoted = situation.write.quote(column)
    step = Step(
        changes=changes,
        summary=f"let column {column} of {situation.write.table(schema, table)} be null",
        statements=(situation.alter(schema, table, f"ALTER COLUMN {quoted} DROP NOT NULL"),),
        reverse=(situation.alter(schema, table, f"ALTER COLUMN {quoted} SET NOT NULL"),),
        reversibility=Reversibility.FULL,
        probe=column_probe(schema, table, column, nullable=True),
        lock=ACCESS_EXCLUSIVE,
        statement_timeout=SHORT,
    )
    return [Placed(Phase.NULLABLE, step)]
