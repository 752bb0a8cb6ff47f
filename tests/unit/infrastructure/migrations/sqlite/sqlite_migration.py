"""What the tests of SQLite's steps share: a database, its differences as Alembic sees them, and an executor."""

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from alembic.autogenerate import produce_migrations
from alembic.migration import MigrationContext
from alembic.operations import ops
from sqlalchemy import Connection, MetaData, create_engine
from sqlalchemy.pool import NullPool

from fastapi_easy.domain.migrations.change import Change, ChangeKind
from fastapi_easy.domain.migrations.hints import Hints
from fastapi_easy.domain.migrations.step import Effect, Step, StepMode
from fastapi_easy.infrastructure.migrations.relational.operations import Detected
from fastapi_easy.infrastructure.migrations.relational.sqlite.compiling import compile_sqlite_steps
from fastapi_easy.infrastructure.migrations.relational.sqlite.definition.tokens import normal_form
from fastapi_easy.infrastructure.migrations.relational.sqlite.probes import find_sqlite_effect


class StoredDatabase:
    """A database file with foreign keys on, as the system opens it.

    Args:
        path: Of the file.

        scripts: The statements that make it.
    """

    def __init__(self, path: Path, *scripts: str) -> None:
        self.path = path
        with closing(sqlite3.connect(path)) as connection:
            connection.execute("PRAGMA synchronous = OFF")
            for each in scripts:
                connection.executescript(each)

    @contextmanager
    def connect(self) -> Iterator[Connection]:
        engine = create_engine(f"sqlite:///{self.path}", poolclass=NullPool)
        with engine.connect() as connection:
            yield connection
        engine.dispose()

    def rows(self, statement: str) -> list[tuple[Any, ...]]:
        with closing(sqlite3.connect(self.path)) as connection:
            return connection.execute(statement).fetchall()

    def write(self, script: str) -> None:
        with closing(sqlite3.connect(self.path, isolation_level=None)) as connection:
            connection.execute("PRAGMA synchronous = OFF")
            connection.execute("PRAGMA foreign_keys = ON")
            connection.executescript(script)

    def schema(self) -> dict[tuple[str, str], str]:
        """Return everything stored in the schema, each as a text in which quotes and white space do not count."""
        found = self.rows(
            "SELECT type, name, sql FROM sqlite_master WHERE sql IS NOT NULL AND name <> 'sqlite_sequence'"
        )
        return {(kind, name): normal_form(sql) for kind, name, sql in found}

    def steps(self, *detected: Detected, hints: Hints | None = None) -> list[Step]:
        with self.connect() as connection:
            return compile_sqlite_steps(connection, detected, hints or Hints())

    def effect(self, step: Step) -> Effect:
        with self.connect() as connection:
            return find_sqlite_effect(connection, step.probe)

    def migrate(self, *detected: Detected, hints: Hints | None = None) -> list[Step]:
        """Carry out *detected*, looking with each step's probe before and after."""
        steps = self.steps(*detected, hints=hints)
        for each in steps:
            before = self.effect(each)
            self.execute(each)
            assert (before, self.effect(each)) in {
                (Effect.NOT_APPLIED, Effect.APPLIED),
                (Effect.UNKNOWN, Effect.UNKNOWN),
            }
        return steps

    def go_back(self, steps: Sequence[Step]) -> None:
        for each in reversed(steps):
            self.execute(each, reverse=True)
            assert self.effect(each) in {Effect.NOT_APPLIED, Effect.UNKNOWN}

    def execute(self, step: Step, *, reverse: bool = False) -> None:
        """Execute *step* as `compile_sqlite_steps` asks for."""
        statements, mode = (step.reverse, step.reverse_mode) if reverse else (step.statements, step.mode)
        is_rebuild = mode is StepMode.REBUILD
        with closing(sqlite3.connect(self.path, isolation_level=None)) as connection:
            connection.execute("PRAGMA synchronous = OFF")
            connection.execute(f"PRAGMA foreign_keys = {'OFF' if is_rebuild else 'ON'}")
            connection.execute(f"PRAGMA legacy_alter_table = {'ON' if is_rebuild else 'OFF'}")
            connection.execute("BEGIN IMMEDIATE")
            before = violations(connection)
            for each in statements:
                connection.execute(each)
            if is_rebuild and not violations(connection) <= before:
                raise sqlite3.IntegrityError("more violations than before")
            connection.execute("COMMIT")


def violations(connection: sqlite3.Connection) -> frozenset[Any]:
    try:
        return frozenset(row for row in connection.execute("PRAGMA foreign_key_check"))
    except sqlite3.Error as error:
        return frozenset({str(error)})


def difference(database: StoredDatabase, declared: MetaData) -> list[Detected]:
    """Return what Alembic finds, with a change for each operation."""
    with database.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_server_default": True})
        found = produce_migrations(context, declared).upgrade_ops
    assert found is not None
    return [detect(each) for each in _flat(found.ops)]


def _flat(operations: Sequence[ops.MigrateOperation]) -> Iterator[ops.MigrateOperation]:
    for each in operations:
        if isinstance(each, ops.OpContainer):
            yield from _flat(each.ops)
        else:
            yield each


_KINDS: dict[type[ops.MigrateOperation], ChangeKind] = {
    ops.CreateTableOp: ChangeKind.CREATE_TABLE,
    ops.DropTableOp: ChangeKind.DROP_TABLE,
    ops.RenameTableOp: ChangeKind.RENAME_TABLE,
    ops.AddColumnOp: ChangeKind.ADD_COLUMN,
    ops.DropColumnOp: ChangeKind.DROP_COLUMN,
    ops.AlterColumnOp: ChangeKind.CHANGE_TYPE,
    ops.CreateIndexOp: ChangeKind.CREATE_INDEX,
    ops.DropIndexOp: ChangeKind.DROP_INDEX,
    ops.CreateUniqueConstraintOp: ChangeKind.ADD_UNIQUE,
    ops.CreateForeignKeyOp: ChangeKind.ADD_FOREIGN_KEY,
    ops.CreateCheckConstraintOp: ChangeKind.ADD_CHECK,
    ops.CreatePrimaryKeyOp: ChangeKind.ADD_PRIMARY_KEY,
    ops.DropConstraintOp: ChangeKind.DROP_UNIQUE,
    ops.ExecuteSQLOp: ChangeKind.RUN_SQL,
}


def detect(operation: ops.MigrateOperation) -> Detected:
    """Return *operation* with a change that says as little as possible of it."""
    kind = _KINDS.get(type(operation), ChangeKind.UNKNOWN)
    table = getattr(operation, "table_name", None) or getattr(operation, "source_table", "")
    column = getattr(operation, "column", None)
    name = getattr(operation, "column_name", None) or getattr(operation, "index_name", None)
    return Detected(
        change=Change(
            kind=kind, table=str(table), name=str(column.name if column is not None else name or "")
        ),
        operation=operation,
    )


def drop_column(table: str, column: str) -> Detected:
    return detect(ops.DropColumnOp(table, column))


def add_column(table: str, column: Any) -> Detected:
    return detect(ops.AddColumnOp(table, column))


def alter_column(table: str, column: str, **changes: Any) -> Detected:
    return detect(ops.AlterColumnOp(table, column, **changes))
