"""What a script does, recorded without a database: as far as `alembic upgrade --sql` could write it."""

import contextlib
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any, NoReturn

from alembic.migration import MigrationContext
from alembic.operations import BatchOperations, MigrateOperation, Operations
from alembic.operations.ops import BulkInsertOp, CreateTableOp, ExecuteSQLOp
from sqlalchemy.dialects.postgresql.named_types import CreateEnumType, DropEnumType
from sqlalchemy.engine import Dialect
from sqlalchemy.engine.mock import MockConnection

from fastapi_easy.infrastructure.migrations.relational.operations import CreateEnumOp, DropEnumOp
from fastapi_easy.infrastructure.migrations.scripts.refusal import ScriptRefusal
from fastapi_easy.infrastructure.migrations.scripts.sql_texts import sql_texts


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded:
    """One operation of a script.

    Attributes:
        operation: What it is.

        line: Where the script asks for it, from 1.
    """

    operation: MigrateOperation
    line: int


def record(function: Callable[[], object], path: Path, dialect: Dialect) -> list[Recorded]:
    """Return the operations that *function*, `upgrade` or `downgrade` of a script, asks for, in their order.

    Args:
        function: What is called.

        path: The file of the script.

        dialect: Of the database that the operations are for.

    Raises:
        ScriptRefusal: It does what only a database can answer, or fails.
    """
    recorder = _Recorder(path, dialect)
    context = MigrationContext.configure(dialect=dialect, opts={"as_sql": True, "output_buffer": _Nowhere()})
    with Operations.context(context) as operations:
        recorder.attach(operations)
        try:
            _ = function()
        except ScriptRefusal:
            raise
        except NotImplementedError as error:
            raise ScriptRefusal(f"{path.name}, line {_line(path, error)}: {error}") from error
        except Exception as error:
            # Anything that a script may do without a database to answer it.
            raise ScriptRefusal(
                f"{path.name}, line {_line(path, error)}: it cannot be carried out without a database that answers it "
                f"({type(error).__name__}: {error}). {_INSTEAD}"
            ) from error
    return recorder.found


_INSTEAD = "Write what it changes with op.execute, in SQL that decides for itself"


_WRITTEN_OUT = "Write the values into it, with bindparams or as literals"


class _Recorder:
    def __init__(self, path: Path, dialect: Dialect) -> None:
        self.found: list[Recorded] = []
        self._path = path
        self._dialect = dialect
        self._context: Any = None
        self._is_in_autocommit = False

    def attach(self, operations: Operations) -> None:
        """Let *operations* be recorded here instead of being carried out."""
        self._context = operations.migration_context
        self._context.autocommit_block = self._autocommit_block
        replaced: Any = operations
        replaced.invoke = self._invoke
        replaced.get_bind = self._get_bind
        replaced.run_async = self._refuse_async
        replaced.batch_alter_table = self._batch

    def _invoke(self, operation: MigrateOperation) -> Any:
        match operation:
            case BulkInsertOp() | ExecuteSQLOp():
                self._execute_all(operation)
            case CreateTableOp():
                self._add(operation)
                return operation.to_table(self._context)
            case _:
                self._add(operation)
        return None

    def _execute_all(self, operation: MigrateOperation) -> None:
        options = dict(getattr(operation, "execution_options", None) or {})
        if self._is_in_autocommit:
            options["isolation_level"] = "AUTOCOMMIT"
        for each in self._texts(operation):
            self._add(ExecuteSQLOp(each, execution_options=options or None))

    def _texts(self, operation: MigrateOperation) -> list[str]:
        try:
            return sql_texts(operation, self._dialect)
        except ScriptRefusal as error:
            raise ScriptRefusal(
                f"{self._path.name}, line {_calling_line(self._path)}: {error}. {_WRITTEN_OUT}"
            ) from error

    def _add(self, operation: MigrateOperation) -> None:
        self.found.append(Recorded(operation=operation, line=_calling_line(self._path)))

    @contextlib.contextmanager
    def _batch(self, table_name: str, schema: str | None = None, **_: Any) -> Iterator[BatchOperations]:
        place: Any = SimpleNamespace(table_name=table_name, schema=schema, dialect=self._dialect)
        batch: Any = BatchOperations(self._context, impl=place)
        batch.invoke = self._invoke
        batch.get_bind = self._get_bind
        yield batch

    @contextlib.contextmanager
    def _autocommit_block(self) -> Iterator[None]:
        self._is_in_autocommit = True
        try:
            yield
        finally:
            self._is_in_autocommit = False

    def _get_bind(self) -> MockConnection:
        return MockConnection(self._dialect, self._execute)

    def _execute(self, statement: Any, *parameters: Any, **_: Any) -> None:
        if any(parameters):
            raise ScriptRefusal(
                f"{self._path.name}, line {_calling_line(self._path)}: a statement has parameters apart from it. "
                f"{_WRITTEN_OUT}"
            )
        match statement:
            case CreateEnumType():
                made = statement.element
                self._add(CreateEnumOp(str(made.name), tuple(made.enums), schema=made.schema))
            case DropEnumType():
                gone = statement.element
                self._add(DropEnumOp(str(gone.name), tuple(gone.enums), schema=gone.schema))
            case _:
                self._execute_all(ExecuteSQLOp(statement))

    def _refuse_async(self, *_: Any, **__: Any) -> NoReturn:
        raise ScriptRefusal(
            f"{self._path.name}, line {_calling_line(self._path)}: it talks to the database itself. {_INSTEAD}"
        )


class _Nowhere:
    def write(self, _: str) -> None:
        """Drop the text."""

    def flush(self) -> None:
        """Do nothing."""


def _calling_line(path: Path) -> int:
    """Return the line of the script at *path* that is being executed."""
    name, line, frame = path.name, 1, sys._getframe()  # noqa: SLF001 (no other way tells the line)
    while frame is not None:
        if Path(frame.f_code.co_filename).name == name:
            return frame.f_lineno
        frame = frame.f_back  # type: ignore[assignment]
    return line


def _line(path: Path, error: BaseException) -> int:
    line, trace = 1, error.__traceback__
    while trace is not None:
        if Path(trace.tb_frame.f_code.co_filename).name == path.name:
            line = trace.tb_lineno
        trace = trace.tb_next
    return line
