"""Values for rows that exist, on PostgreSQL: in batches, each committed by itself."""

from fastapi_easy.domain.migrations.change import Change
from fastapi_easy.domain.migrations.step import Reversibility, Step, StepMode
from fastapi_easy.infrastructure.migrations.relational.compiling.backfills import condition
from fastapi_easy.infrastructure.migrations.relational.compiling.ordering import Phase, Placed
from fastapi_easy.infrastructure.migrations.relational.compiling.postgres.situation import (
    LONG,
    PostgresSituation,
)
from fastapi_easy.infrastructure.migrations.relational.probing.wanted import rows_probe


def backfill(
    schema: str | None,
    table: str,
    column: str,
    value: str,
    changes: tuple[Change, ...],
    situation: PostgresSituation,
    *,
    of_new_column: bool = False,
) -> Placed:
    """Return the step that puts *value* where a column is null.

    Args:
        schema: Of the table.

        table: That has the column.

        column: Which one.

        value: An SQL expression.

        changes: What was detected.

        situation: What is known.

        of_new_column: The step before has added the column, so that nothing has to be taken back.
    """
    on, quoted = situation.write.table(schema, table), situation.write.quote(column)
    wanting = condition(situation, column, value)
    batch = f"SELECT ctid FROM {on} WHERE {wanting} LIMIT {situation.hints.batch_size}"  # noqa: S608
    step = Step(
        changes=changes,
        summary=f"fill column {column} of {on}, {situation.hints.batch_size} rows at a time",
        statements=(f"UPDATE {on} SET {quoted} = {value} WHERE ctid IN ({batch})",),  # noqa: S608 - a developer's
        reversibility=Reversibility.FULL if of_new_column else Reversibility.SCHEMA_ONLY,
        mode=StepMode.BATCHES,
        probe=rows_probe(schema, table, column, on, wanting),
        lock="RowExclusive",
        statement_timeout=LONG,
    )
    return Placed(Phase.BACKFILLS, step)
