"""Differences as steps for SQLite."""

from collections.abc import Iterable, Sequence
from contextlib import closing

from alembic.operations.ops import (
    CreateIndexOp,
    CreateTableOp,
    DropConstraintOp,
    DropIndexOp,
    ExecuteSQLOp,
)
from sqlalchemy import Connection
from sqlalchemy.engine import Dialect
from sqlalchemy.exc import CompileError

from fastapi_easy.domain.migrations.hints import Hints
from fastapi_easy.domain.migrations.step import Reversibility, Step, StepMode
from fastapi_easy.infrastructure.migrations.relational.operations import Detected
from fastapi_easy.infrastructure.migrations.relational.sqlite import ordering
from fastapi_easy.infrastructure.migrations.relational.sqlite.altering import TableAltering
from fastapi_easy.infrastructure.migrations.relational.sqlite.definition.tokens import fold, quote
from fastapi_easy.infrastructure.migrations.relational.sqlite.native import changes_nothing
from fastapi_easy.infrastructure.migrations.relational.sqlite.ordering import operation_of
from fastapi_easy.infrastructure.migrations.relational.sqlite.probes import index_probe, table_probe
from fastapi_easy.infrastructure.migrations.relational.sqlite.refusal import SqliteRefusal
from fastapi_easy.infrastructure.migrations.relational.sqlite.renaming import Renaming
from fastapi_easy.infrastructure.migrations.relational.sqlite.rendering import (
    render_index,
    render_sql,
    render_table,
)
from fastapi_easy.infrastructure.migrations.relational.sqlite.scratch import SchemaObject, Scratch
from fastapi_easy.infrastructure.migrations.relational.sqlite.step_list import Reverse, StepList
from fastapi_easy.infrastructure.migrations.relational.sqlite.summaries import summary_of


def compile_sqlite_steps(connection: Connection, detected: Sequence[Detected], hints: Hints) -> list[Step]:
    """Return the steps that carry out *detected*, in an order in which SQLite can.

    What SQLite alters itself is a step of mode `TRANSACTION`. Every other change of a table goes into one step of mode
    `REBUILD` that builds the table anew. Whoever executes such a step, or a reverse of that mode, has to

    1. `PRAGMA foreign_keys = OFF` and `PRAGMA legacy_alter_table = ON`, outside of a transaction;
    2. `BEGIN IMMEDIATE`, and note what `PRAGMA foreign_key_check` finds;
    3. execute the statements, and roll back if it finds more than before, or fails now and did not before;
    4. commit, and in any case set both pragmas back.

    Every step is tried on an empty copy of the schema in memory, so statements that SQLite does not accept, and views
    and triggers that would be broken, are found before anything is executed.

    Args:
        connection: On the database; it is only read.

        detected: The differences. After a renaming they have the new names.

        hints: What only a person knows. `using` is an expression of SQLite's here, and takes the place of the check
            that no value is lost.

    Raises:
        SqliteRefusal: A difference cannot be carried out.
    """
    (steps,) = compile_sqlite_parts(connection, [detected], hints)
    return steps


def compile_sqlite_parts(
    connection: Connection, parts: Sequence[Sequence[Detected]], hints: Hints
) -> list[list[Step]]:
    """Return the steps of several parts that are carried out one after the other, such as migration scripts.

    Each part is compiled for the schema that those before it lead to. Within a part the order is SQLite's, as
    `compile_sqlite_steps` says.

    Raises:
        SqliteRefusal: A difference cannot be carried out.
    """
    with closing(Scratch(connection)) as scratch:
        try:
            return [_compiled(scratch, connection.dialect, each, hints) for each in parts]
        except CompileError as error:
            raise SqliteRefusal(f"this cannot be written for SQLite: {error}") from error


def _compiled(scratch: Scratch, dialect: Dialect, part: Sequence[Detected], hints: Hints) -> list[Step]:
    compiler = _Compiler(scratch, dialect, hints)
    for each in ordering.segments([each for each in part if not changes_nothing(each)]):
        compiler.add(each)
    return compiler.steps


class _Compiler:
    def __init__(self, scratch: Scratch, dialect: Dialect, hints: Hints) -> None:
        self._scratch = scratch
        self._dialect = dialect
        self._list = StepList(scratch)
        self._renaming = Renaming(self._list)
        self._altering = TableAltering(self._list, dialect, hints, self._renaming)

    @property
    def steps(self) -> list[Step]:
        return self._list.steps

    def add(self, segment: Sequence[Detected]) -> None:
        phases: dict[int, list[Detected]] = {each: [] for each in ordering.PHASES}
        for each in (self._as_index(each) for each in segment):
            phases[ordering.phase(each.operation)].append(each)
        for each in phases[ordering.RUN_SQL]:
            self._run(each)
        first, tables = ordering.divided_by_name(phases[ordering.DROP_TABLE], phases[ordering.RENAME_TABLE])
        self._drop_tables(first)
        for each in phases[ordering.RENAME_TABLE]:
            self._renaming.rename_table(each)
        renamed = phases[ordering.RENAME_COLUMN]
        first, changes = ordering.divided_by_column(phases[ordering.CHANGE_TABLE], renamed)
        for table, group in self._by_table(first).items():
            self._altering.change(table, group)
        changes += self._renaming.rename_columns(renamed)
        for each in phases[ordering.DROP_INDEX]:
            self._drop_index(each)
        for each in phases[ordering.CREATE_TABLE]:
            self._create_table(each)
        indexes = self._change_tables(changes, phases[ordering.CREATE_INDEX])
        self._drop_tables(tables)
        for each in indexes:
            self._create_index(each)

    def _change_tables(self, changes: Iterable[Detected], indexes: Sequence[Detected]) -> list[Detected]:
        """Change tables; what new foreign keys point to is made a key before.

        Returns:
            The indexes that are left to be created.
        """
        groups = self._by_table(changes)
        referring = {
            table: targets for table, group in groups.items() if (targets := ordering.targets(group))
        }
        for table, group in groups.items():
            if table not in referring:
                self._altering.change(table, group)
        keys = [
            each
            for each in indexes
            if referring
            and operation_of(each, CreateIndexOp).unique
            and self._table_of(each) not in referring
        ]
        for each in keys:
            self._create_index(each)
        while referring:
            free = [name for name, targets in referring.items() if not targets & (referring.keys() - {name})]
            table = next(iter(free or referring))
            del referring[table]
            self._altering.change(table, groups[table])
        return [each for each in indexes if each not in keys]

    def _by_table(self, changes: Iterable[Detected]) -> dict[str, list[Detected]]:
        """Return *changes* by their tables, in the order of their first one."""
        found: dict[str, list[Detected]] = {}
        for each in changes:
            found.setdefault(self._table_of(each), []).append(each)
        return found

    def _table_of(self, detected: Detected) -> str:
        return fold(self._renaming.table(ordering.table_of(detected.operation)))

    def _as_index(self, detected: Detected) -> Detected:
        """Return *detected*, as the end of an index where it names one and calls it a constraint."""
        operation = detected.operation
        if (
            isinstance(operation, DropConstraintOp)
            and operation.constraint_name is not None
            and operation.constraint_type in {"unique", None}
        ):
            index = self._scratch.index(str(operation.constraint_name))
            if index is not None:
                dropped = DropIndexOp(index.name, table_name=index.table)
                return Detected(change=detected.change, operation=dropped)
        return detected

    def _run(self, detected: Detected) -> None:
        operation = operation_of(detected, ExecuteSQLOp)
        step = Step(
            changes=(detected.change,),
            summary=summary_of([detected.change]),
            statements=(render_sql(operation, self._dialect),),
        )
        self._list.append_unchecked(step)

    def _create_table(self, detected: Detected) -> None:
        operation = operation_of(detected, CreateTableOp)
        _ = ordering.table_of(operation)
        statement = render_table(operation, self._dialect)
        step = Step(
            changes=(detected.change,),
            summary=summary_of([detected.change]),
            statements=(statement,),
            reversibility=Reversibility.FULL,
            probe=table_probe(operation.table_name),
        )
        # Where foreign keys are on, SQLite deletes what refers to the rows of a table that is dropped.
        drop = [f"DROP TABLE {quote(operation.table_name)}"]
        self._list.append(step, Reverse(make=lambda: drop, mode=StepMode.REBUILD))

    def _create_index(self, detected: Detected) -> None:
        operation = operation_of(detected, CreateIndexOp)
        statement = render_index(operation, self._dialect)
        name = str(operation.index_name)
        step = Step(
            changes=(detected.change,),
            summary=summary_of([detected.change]),
            statements=(statement,),
            reversibility=Reversibility.FULL,
            probe=index_probe(name, statement),
            lock="RESERVED",
        )
        self._list.append(step, Reverse(make=lambda: [f"DROP INDEX {quote(name)}"]))

    def _drop_index(self, detected: Detected) -> None:
        operation = operation_of(detected, DropIndexOp)
        index = self._scratch.index(str(operation.index_name))
        if index is None:
            raise SqliteRefusal(f"there is no index {operation.index_name}")
        step = Step(
            changes=(detected.change,),
            summary=summary_of([detected.change]),
            statements=(f"DROP INDEX {quote(index.name)}",),
            reversibility=Reversibility.FULL,
            probe=index_probe(index.name, absent=True),
        )
        self._list.append(step, Reverse(make=lambda: [index.sql]))

    def _drop_tables(self, dropped: Sequence[Detected]) -> None:
        """Drop tables, each after those that refer to it; those that refer to each other go together."""
        left = {fold(ordering.table_of(each.operation)): each for each in dropped}
        while left:
            free = [name for name in left if not (self._scratch.referring_to(name) & left.keys()) - {name}]
            names = free[:1] or list(left)
            self._drop([left.pop(each) for each in names])

    def _drop(self, dropped: Sequence[Detected]) -> None:
        tables = [self._stored_table(ordering.table_of(each.operation)) for each in dropped]
        is_referred_to = any(self._scratch.referring_to(each.name) for each in tables)
        reverse = [
            sql
            for each in tables
            for sql in (each.sql, *(other.sql for other in self._scratch.belonging_to(each.name)))
        ]
        changes = tuple(each.change for each in dropped)
        step = Step(
            changes=changes,
            summary=summary_of(changes),
            statements=tuple(f"DROP TABLE {quote(each.name)}" for each in tables),
            reversibility=Reversibility.SCHEMA_ONLY,
            # Where foreign keys are on, SQLite deletes the rows first, and with them what refers to them.
            mode=StepMode.REBUILD if is_referred_to else StepMode.TRANSACTION,
            probe=table_probe(tables[-1].name, absent=True),
            destructive=True,
            lock="RESERVED",
        )
        self._list.append(step, Reverse(make=lambda: reverse))

    def _stored_table(self, name: str) -> SchemaObject:
        found = self._scratch.table(name)
        if found is None:
            raise SqliteRefusal(f"there is no table {name}")
        return found
