"""Values for rows that exist, in batches."""

import re

from fastapi_easy.infrastructure.migrations.relational.compiling.situation import Situation


def condition(situation: Situation, column: str, value: str) -> str:
    """Return which rows a backfill is still to change: without those for which there is no value it ends."""
    return f"{situation.write.quote(column)} IS NULL AND ({value}) IS NOT NULL"


def mentions(expression: str, column: str) -> bool:
    """Tell whether *expression* may read *column*."""
    return re.search(rf"(?<!\w){re.escape(column)}(?!\w)", expression, re.IGNORECASE) is not None


def is_read_by_hints(situation: Situation, schema: str | None, table: str, column: str) -> bool:
    """Tell whether a hint about another column of *table* may read *column*, which therefore goes last."""
    tables = {table, f"{schema}.{table}"} if schema else {table}
    return any(
        name.rpartition(".")[0] in tables and mentions(text, column)
        for hints in (situation.hints.fill, situation.hints.using)
        for name, text in hints.items()
    )
