"""The SQL text of operations, one statement each, as it is executed and as it is shown."""

from typing import Any

from alembic.migration import MigrationContext
from alembic.operations import MigrateOperation, Operations
from alembic.operations.ops import CreateTableOp
from sqlalchemy import Column, Integer, String
from sqlalchemy.schema import Constraint, DefaultClause, Index

from fastapi_easy.infrastructure.migrations.relational.compiling.unknown_operation import UnknownOperation
from fastapi_easy.infrastructure.migrations.relational.constraint_order import with_ordered_constraints
from fastapi_easy.infrastructure.relational.server import Server
from fastapi_easy.infrastructure.relational.sqlalchemy_internals import without_doubled_percents


class Renderer:
    """What writes operations, names and expressions as SQL text for one server.

    Args:
        server: What the text is for.
    """

    def __init__(self, server: Server) -> None:
        self._dialect: Any = without_doubled_percents(server.dialect)
        self._written = _Written()
        self.default_schema: str | None = server.dialect.default_schema_name
        context = MigrationContext.configure(
            dialect=self._dialect,
            opts={"as_sql": True, "output_buffer": self._written, "literal_binds": True},
        )
        self._operations = Operations(context)

    def statements(self, operation: MigrateOperation) -> tuple[str, ...]:
        """Return the statements of *operation*, without those that create or drop types.

        Raises:
            UnknownOperation: Alembic does not know how to carry it out.
        """
        self._written.clear()
        if isinstance(operation, CreateTableOp):
            operation = with_ordered_constraints(operation)
        try:
            self._operations.invoke(operation)
        except ValueError as error:
            if "no dispatch function" in str(error):
                raise UnknownOperation(operation) from error
            raise
        return tuple(each for each in self._written if not each.startswith(("CREATE TYPE ", "DROP TYPE ")))

    def statement(self, operation: MigrateOperation) -> str:
        """Return the only statement of *operation*."""
        (statement,) = self.statements(operation)
        return statement

    def construct(self, element: Any) -> str:
        """Return the text of a construct of SQLAlchemy's, such as `CreateIndex`."""
        return str(element.compile(dialect=self._dialect)).strip()

    def quote(self, name: str) -> str:
        """Return *name* quoted where it has to be."""
        quoted: str = self._dialect.identifier_preparer.quote(name)
        return quoted

    def table(self, schema: str | None, name: str) -> str:
        """Return the name of a table, type or sequence with its schema in front where it has one."""
        return f"{self.quote(schema)}.{self.quote(name)}" if schema else self.quote(name)

    def literal(self, text: str) -> str:
        """Return *text* as a literal."""
        compiler = self._dialect.statement_compiler(self._dialect, None)
        literal: str = compiler.render_literal_value(text, String())
        return literal

    def type(self, declared: Any) -> str:
        """Return how the type *declared* is written, with its collation."""
        written: str = self._dialect.type_compiler_instance.process(declared)
        return written

    def default(self, server_default: Any) -> str:
        """Return the expression of a server default."""
        argument: Any = server_default.arg if isinstance(server_default, DefaultClause) else server_default
        compiler = self._dialect.ddl_compiler(self._dialect, None)
        written: str = compiler.get_column_default_string(Column("x", Integer, server_default=argument))
        return written

    def column(self, column: Column[Any]) -> str:
        """Return the definition of *column* as it stands in `CREATE TABLE`, without keys and references."""
        compiler = self._dialect.ddl_compiler(self._dialect, None)
        written: str = compiler.get_column_specification(column)
        return written

    def is_stored(self, column: Column[Any]) -> bool:
        """Tell whether *column* is computed and kept in the rows, as its definition says."""
        return column.computed is not None and self.column(column).rstrip().endswith(
            ("STORED", "STORED NOT NULL")
        )

    def native_type(self, declared: Any) -> Any:
        """Return the dialect's own type for *declared*."""
        return declared.dialect_impl(self._dialect)

    def index_name(self, index: Index) -> str:
        """Return the name of *index*, shortened as SQLAlchemy shortens it."""
        return self._unquoted(self._dialect.identifier_preparer.format_index(index))

    def constraint_name(self, constraint: Constraint) -> str | None:
        """Return the name of *constraint*, shortened as SQLAlchemy shortens it; `None` if it has none."""
        if constraint.name is None:
            return None
        written = self._dialect.identifier_preparer.format_constraint(constraint)
        return None if written is None else self._unquoted(written)

    def _unquoted(self, written: str) -> str:
        preparer = self._dialect.identifier_preparer
        if written[:1] != preparer.initial_quote:
            return written
        inner = written[1:-1]
        return inner.replace(preparer.escape_to_quote, preparer.escape_quote)


class _Written(list[str]):
    """Collects what Alembic prints: each statement is one call of `write`."""

    def write(self, text: str) -> None:
        """Keep one statement."""
        self.append(text.rstrip().removesuffix(";").rstrip())

    def flush(self) -> None:
        """Do nothing."""
