"""Statements that somebody has written: executed as they are."""

import re
from typing import Final

from alembic.operations.ops import BulkInsertOp, ExecuteSQLOp

from fastapi_easy.domain.migrations.change import Change
from fastapi_easy.domain.migrations.step import Step, StepMode
from fastapi_easy.infrastructure.migrations.relational.compiling.ordering import Phase, Placed
from fastapi_easy.infrastructure.migrations.relational.compiling.situation import Situation

_COMMENTS: Final = re.compile(r"\A(?:\s|--[^\n]*(?:\n|\Z)|/\*.*?\*/)+", re.DOTALL)
_ALONE: Final = re.compile(
    r"\bCONCURRENTLY\b|\A(VACUUM|REINDEX|CREATE\s+DATABASE|DROP\s+DATABASE|ALTER\s+SYSTEM|CREATE\s+TABLESPACE)\b",
    re.IGNORECASE,
)

_LONGEST: Final = 78
"""Characters of a statement that a summary shows."""


def execute_sql(
    operation: ExecuteSQLOp | BulkInsertOp, changes: tuple[Change, ...], situation: Situation
) -> list[Placed]:
    """Return the step that executes what somebody has written; there is no way back that would be known."""
    written: tuple[str, ...]
    if isinstance(operation, ExecuteSQLOp) and isinstance(operation.sqltext, str):
        # As it is: Alembic would take its colons for parameters, and types have their statements elsewhere.
        written = (operation.sqltext,)
    else:
        written = situation.write.statements(operation)
    statements = tuple(_COMMENTS.sub("", each) for each in written)
    options = getattr(operation, "execution_options", None) or {}
    alone = (
        situation.server.name != "postgresql"
        or options.get("isolation_level") == "AUTOCOMMIT"
        or any(_ALONE.search(each) for each in statements)
    )
    step = Step(
        changes=changes,
        summary=_shortened(statements[0]) if statements else "execute nothing",
        statements=tuple(each for each in statements if each),
        mode=StepMode.AUTOCOMMIT if alone else StepMode.TRANSACTION,
        lock="",
        statement_timeout=0.0,
    )
    return [Placed(Phase.STATEMENTS, step)]


def _shortened(statement: str) -> str:
    line = " ".join(statement.split())
    return f"execute {line}" if len(line) <= _LONGEST else f"execute {line[: _LONGEST - 1]}…"
