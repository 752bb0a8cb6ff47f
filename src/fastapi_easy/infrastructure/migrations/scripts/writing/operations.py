"""Operations as lines of a script."""

import importlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import sqlalchemy
from alembic import op
from alembic.autogenerate import render_python_code
from alembic.autogenerate.api import AutogenContext
from alembic.migration import MigrationContext
from alembic.operations import MigrateOperation, Operations
from alembic.operations.ops import (
    AddColumnOp,
    AlterTableOp,
    CreateIndexOp,
    CreateTableOp,
    DropConstraintOp,
    DropIndexOp,
    DropTableCommentOp,
    ExecuteSQLOp,
    ModifyTableOps,
    RenameTableOp,
    UpgradeOps,
)
from sqlalchemy.engine import Dialect

from fastapi_easy.infrastructure.migrations.relational.compiling.added_column import plain_column
from fastapi_easy.infrastructure.migrations.relational.operations import CreateEnumOp, DropEnumOp
from fastapi_easy.infrastructure.migrations.scripts.recording import record
from fastapi_easy.infrastructure.migrations.scripts.writing.types import NotWritable, type_writer

_INDENT: Final = "    "


@dataclass(slots=True)
class OperationWriter:
    """Writes operations as lines of a script.

    Attributes:
        dialect: Of the database that the script is written for.

        imports: What the lines need.
    """

    dialect: Dialect
    imports: set[str] = field(default_factory=set)

    def write(self, operation: MigrateOperation) -> list[str]:
        """Return *operation* as lines without indentation.

        Raises:
            NotWritable: There are no words for it, or the words would not say all of it.
        """
        imports: set[str] = set()
        try:
            lines = self._lines(operation, imports)
            is_same = self._is_same(operation, self._read(lines, imports))
        except NotWritable:
            raise
        except Exception as error:
            # Whatever Alembic cannot put into words, SQL can.
            raise NotWritable(str(error)) from error
        if not is_same:
            raise NotWritable("Alembic's words do not say all of it")
        self.imports |= imports
        return lines

    def _lines(self, operation: MigrateOperation, imports: set[str]) -> list[str]:
        match operation:
            case RenameTableOp():
                schema = f", schema={operation.schema!r}" if operation.schema else ""
                names = f"{str(operation.table_name)!r}, {str(operation.new_table_name)!r}"
                return [f"op.rename_table({names}{schema})"]
            case CreateEnumOp() | DropEnumOp():
                return [self._enumeration(operation, imports)]
            case ExecuteSQLOp():
                return [f"op.execute({literal(str(operation.sqltext))})"]
            case AddColumnOp():
                return self._rendered(_without_numbering(operation), imports)
            case _:
                return self._rendered(operation, imports)

    def _rendered(self, operation: MigrateOperation, imports: set[str]) -> list[str]:
        context = MigrationContext.configure(dialect=self.dialect)
        in_batch = self.dialect.name == "sqlite" and _is_table_change(operation)
        written = ModifyTableOps(*_table_of(operation), schema=None) if in_batch else None
        contexts: list[AutogenContext] = []
        text = render_python_code(
            UpgradeOps(ops=[operation if written is None else written]),
            migration_context=context,
            render_as_batch=in_batch,
            render_item=type_writer(self.dialect, contexts),
        )
        imports.update(*(each.imports for each in contexts))
        return [
            each.removeprefix(_INDENT) for each in text.splitlines() if each.strip() and "# ###" not in each
        ]

    def _enumeration(self, operation: CreateEnumOp | DropEnumOp, imports: set[str]) -> str:
        imports.add("from sqlalchemy.dialects import postgresql")
        labels = "".join(f"{each!r}, " for each in operation.labels)
        schema = f", schema={operation.schema!r}" if operation.schema else ""
        verb = "create" if isinstance(operation, CreateEnumOp) else "drop"
        return f"postgresql.ENUM({labels}name={operation.name!r}{schema}).{verb}(op.get_bind())"

    def _read(self, lines: Sequence[str], imports: set[str]) -> list[MigrateOperation]:
        """Return the operations that a script of *lines* asks for."""
        names: dict[str, Any] = {"sa": sqlalchemy, "op": op}
        for each in imports:
            module, _, name = each.removeprefix("from ").partition(" import ")
            names[name] = importlib.import_module(f"{module}.{name}")
        text = "\n".join(["def upgrade():", *(_INDENT + each for each in lines)])
        exec(compile(text, "written", "exec"), names)  # noqa: S102 (what was just written)
        function: Callable[[], object] = names["upgrade"]
        return [each.operation for each in record(function, Path("written"), self.dialect)]

    def _is_same(self, operation: MigrateOperation, again: Sequence[MigrateOperation]) -> bool:
        if len(again) != 1:
            return False
        if isinstance(operation, CreateEnumOp | DropEnumOp):
            return vars(operation) == vars(again[0])
        try:
            one, other = self._sql(operation), self._sql(again[0])
        except NotImplementedError:
            # SQLite cannot do it but by building the table anew, so there is no SQL to compare.
            return self._lines(operation, set()) == self._lines(again[0], set())
        if isinstance(operation, CreateTableOp):
            # Alembic puts the constraints in an order of its own.
            one, other = sorted(_lines_in(one)), sorted(_lines_in(other))
        return one == other

    def _sql(self, operation: MigrateOperation) -> list[str]:
        written = _Written()
        context = MigrationContext.configure(
            dialect=self.dialect, opts={"as_sql": True, "output_buffer": written, "literal_binds": True}
        )
        Operations(context).invoke(operation)
        return written


def _lines_in(statements: Sequence[str]) -> list[str]:
    return [line.strip().rstrip(",") for each in statements for line in each.splitlines()]


class _Written(list[str]):
    def write(self, text: str) -> None:
        self.append(text)

    def flush(self) -> None:
        """Do nothing."""


def literal(text: str) -> str:
    """Return *text*, an SQL statement, as a literal of Python's that can be read; colons mean themselves."""
    escaped = text.replace(":", "\\:")
    if "\n" not in text:
        return repr(escaped)
    quoted = escaped.replace("\\", "\\\\").replace('"""', '\\"\\"\\"')
    return f'"""{quoted}"""' if not quoted.endswith('"') else repr(escaped)


def _without_numbering(operation: AddColumnOp) -> AddColumnOp:
    """Return *operation* with a column that does not say that it is no key."""
    if operation.column.primary_key or operation.column.autoincrement is not False:
        return operation
    column = plain_column(operation.column)
    column.autoincrement = "auto"
    return AddColumnOp(operation.table_name, column, schema=operation.schema, **operation.kw)


def _is_table_change(operation: MigrateOperation) -> bool:
    if isinstance(operation, CreateIndexOp | DropIndexOp | RenameTableOp | DropTableCommentOp):
        return False
    return isinstance(operation, AlterTableOp | DropConstraintOp) or hasattr(operation, "constraint_type")


def _table_of(operation: Any) -> tuple[str, list[MigrateOperation]]:
    return str(getattr(operation, "table_name", None) or operation.source_table), [operation]
