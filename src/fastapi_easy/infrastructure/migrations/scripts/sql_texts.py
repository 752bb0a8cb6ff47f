"""Statements of scripts as texts, one each."""

from typing import Any

from alembic.migration import MigrationContext
from alembic.operations import MigrateOperation, Operations
from alembic.operations.ops import ExecuteSQLOp
from sqlalchemy import text
from sqlalchemy.engine import Dialect

from fastapi_easy.domain.migrations.statements.changes import split_statements
from fastapi_easy.infrastructure.migrations.scripts.refusal import ScriptRefusal
from fastapi_easy.infrastructure.relational.server import server_name_of
from fastapi_easy.infrastructure.relational.sqlalchemy_internals import without_doubled_percents


def sql_texts(operation: MigrateOperation, dialect: Dialect) -> list[str]:
    """Return the statements of *operation*, which executes SQL or inserts rows, with their values in them.

    Raises:
        ScriptRefusal: A parameter has no value: it would be written as NULL.
    """
    server = server_name_of(dialect.name)
    if isinstance(operation, ExecuteSQLOp):
        missing = _without_value(operation, dialect)
        if missing and isinstance(operation.sqltext, str):
            # A colon that Alembic would take for a parameter, and then miss its value: in JSON, say.
            return split_statements(operation.sqltext.replace("\\:", ":"), server)
        if missing:
            raise ScriptRefusal(f"a statement has parameters without a value: {', '.join(missing)}")
    written = _Written()
    context = MigrationContext.configure(
        dialect=without_doubled_percents(dialect),
        opts={"as_sql": True, "output_buffer": written, "literal_binds": True},
    )
    Operations(context).invoke(operation)
    return [one for each in written for one in split_statements(each, server)]


def _without_value(operation: ExecuteSQLOp, dialect: Dialect) -> list[str]:
    found: Any = operation.sqltext
    compiled: Any = (text(found) if isinstance(found, str) else found).compile(dialect=dialect)
    return [name for name, each in getattr(compiled, "binds", {}).items() if each.required]


class _Written(list[str]):
    """Collects what Alembic prints: each statement is one call of `write`."""

    def write(self, text: str) -> None:
        """Keep one statement."""
        self.append(text)

    def flush(self) -> None:
        """Do nothing."""
