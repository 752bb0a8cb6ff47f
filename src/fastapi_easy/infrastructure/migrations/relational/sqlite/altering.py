"""Steps that change one table: what SQLite can do itself, or the table built anew."""

import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import replace

from alembic.operations.ops import AddColumnOp, CreateForeignKeyOp, DropColumnOp, MigrateOperation
from sqlalchemy.engine import Dialect

from fastapi_easy.domain.migrations.change import Change
from fastapi_easy.domain.migrations.hints import Hints
from fastapi_easy.domain.migrations.step import Probe, Reversibility, Step, StepMode
from fastapi_easy.infrastructure.migrations.relational.operations import Detected
from fastapi_easy.infrastructure.migrations.relational.sqlite.definition.edits import mentions
from fastapi_easy.infrastructure.migrations.relational.sqlite.definition.parsing import parse_table
from fastapi_easy.infrastructure.migrations.relational.sqlite.definition.table_text import (
    ColumnText,
    TableText,
)
from fastapi_easy.infrastructure.migrations.relational.sqlite.definition.tokens import (
    fold,
    normal_form,
    quote,
)
from fastapi_easy.infrastructure.migrations.relational.sqlite.native import native_statements
from fastapi_easy.infrastructure.migrations.relational.sqlite.probes import column_probe, table_probe
from fastapi_easy.infrastructure.migrations.relational.sqlite.rebuild import Rebuild, rebuild_statements
from fastapi_easy.infrastructure.migrations.relational.sqlite.refusal import SqliteRefusal
from fastapi_easy.infrastructure.migrations.relational.sqlite.renaming import Renaming
from fastapi_easy.infrastructure.migrations.relational.sqlite.scratch import SchemaObject
from fastapi_easy.infrastructure.migrations.relational.sqlite.step_list import Reverse, StepList
from fastapi_easy.infrastructure.migrations.relational.sqlite.summaries import summary_of
from fastapi_easy.infrastructure.migrations.relational.sqlite.table_changes import ChangedTable, change_table


class TableAltering:
    """Makes the steps that change tables.

    Args:
        steps: Where they go.

        dialect: SQLite's.

        hints: What only a person knows.

        renaming: What was renamed before.
    """

    def __init__(self, steps: StepList, dialect: Dialect, hints: Hints, renaming: Renaming) -> None:
        self._steps = steps
        self._dialect = dialect
        self._hints = hints
        self._renaming = renaming

    def change(self, name: str, detected: Sequence[Detected]) -> None:
        """Carry out all changes of the definition of one table.

        Columns that SQLite can add come first, in steps of their own: whoever does not want the table built anew can
        have them all the same.

        Raises:
            SqliteRefusal: They cannot be carried out.
        """
        stored = self._stored(name)
        # One operation may stand for several differences.
        operations = list({id(each.operation): each for each in detected}.values())
        try:
            before = parse_table(stored.sql)
            changed = change_table(before, operations, self._dialect)
        except SqliteRefusal as refusal:
            raise SqliteRefusal(f"table {stored.name} cannot be changed: {refusal}") from refusal
        if changed.text.text == before.text and not changed.dropped:
            return
        fill = self._by_column(self._hints.fill, before, changed.text)
        native = native_statements(stored.name, operations, fill, self._dialect)
        if native is not None and self._is_possible([statement for _, statement in native]):
            for operation, statement in native:
                if isinstance(operation, AddColumnOp):
                    self._append_added(stored.name, operation, statement, detected)
                else:
                    self._append_dropped(stored.name, operation, statement, detected)
            return
        first = self._added_first(stored.name, detected, fill)
        if first:
            self.change(name, first)
            self.change(name, [each for each in detected if each not in first])
        else:
            self._append_rebuild(before, changed, fill, [each.change for each in detected])

    def _added_first(
        self, table: str, detected: Sequence[Detected], fill: Mapping[str, str]
    ) -> list[Detected]:
        """Return what adds columns that may be null, if SQLite can do that, and there is something else to do."""
        found: list[Detected] = []
        for each in detected:
            if isinstance(each.operation, AddColumnOp) and each.operation.column.nullable:
                group = [other for other in detected if _comes_with(other.operation, each.operation)]
                native = native_statements(table, group, fill, self._dialect)
                if native and self._is_possible([statement for _, statement in native]):
                    found += group
        return found if len(found) < len(detected) else []

    def _stored(self, name: str) -> SchemaObject:
        found = self._steps.scratch.table(self._renaming.table(name))
        if found is None:
            raise SqliteRefusal(f"there is no table {name}")
        return found

    def _by_column(self, hinted: Mapping[str, str], *tables: TableText) -> dict[str, str]:
        """Return what hints say of the columns of a table, by column."""
        folded = {fold(name): value for name, value in hinted.items()}
        found = {}
        for name, column in ((table.name, column) for table in tables for column in table.columns):
            names = self._renaming.names_of(name, column.name)
            value = next((folded[each] for each in names if each in folded), None)
            if value is not None:
                found[fold(column.name)] = value
        return found

    def _is_possible(self, statements: Sequence[str]) -> bool:
        with self._steps.scratch.trial():
            try:
                self._steps.scratch.execute(statements)
            except sqlite3.Error:
                return False
        return True

    def _append_added(
        self, table: str, operation: AddColumnOp, statement: str, group: Sequence[Detected]
    ) -> None:
        name = operation.column.name
        changes = tuple(each.change for each in group if _comes_with(each.operation, operation))
        step = Step(
            changes=changes,
            summary=summary_of(changes),
            statements=(statement,),
            reversibility=Reversibility.FULL,
            probe=column_probe(table, name),
        )
        native = Reverse(make=lambda: [f"ALTER TABLE {quote(table)} DROP COLUMN {quote(name)}"])
        self._steps.append(step, native, self._as_before(table, {}))

    def _append_dropped(
        self, table: str, operation: DropColumnOp, statement: str, group: Sequence[Detected]
    ) -> None:
        name = operation.column_name
        before = parse_table(self._stored(table).sql)
        changes = tuple(each.change for each in group if each.operation is operation)
        loses = _is_stored(before.column(name))
        step = Step(
            changes=changes,
            summary=summary_of(changes),
            statements=(statement,),
            reversibility=Reversibility.SCHEMA_ONLY if loses else Reversibility.FULL,
            probe=column_probe(table, name, absent=True),
            destructive=loses,
            lock="RESERVED",
            rewrites=True,
        )
        self._steps.append(step, self._as_before(table, self._by_column(self._hints.fill, before)))

    def _append_rebuild(
        self, before: TableText, changed: ChangedTable, fill: Mapping[str, str], changes: Sequence[Change]
    ) -> None:
        after = changed.text
        kept = frozenset(fold(each.name) for each in before.columns) - changed.dropped
        missing = [each.name for each in before.columns if after.column(each.name) is None]
        around = self._steps.scratch.belonging_to(before.name)
        lost = [each for each in around if each.kind == "index" and _is_index_on(each.sql, missing)]
        belonging = [each.sql for each in around if each not in lost]
        fill = {
            name: value
            for name, value in fill.items()
            if name not in kept or _becomes_not_null(name, before, after)
        }
        rebuild = Rebuild(
            before=before,
            after=after,
            belonging=tuple(belonging),
            kept=kept,
            fill=fill,
            using=self._by_column(self._hints.using, before, after),
        )
        loses = any(
            _is_stored(each) and (fold(each.name) not in kept or not _is_stored(after.column(each.name)))
            for each in before.columns
        )
        # A column that goes and comes back as it was cannot be seen.
        is_visible = normal_form(after.text) != normal_form(before.text)
        rebuilt = tuple(replace(each, facts={**each.facts, "rebuild": True}) for each in changes)
        step = Step(
            changes=rebuilt,
            summary=summary_of(rebuilt, rebuild=True)
            + "".join(f", and with it index {each.name}" for each in lost),
            statements=rebuild_statements(self._steps.scratch, rebuild),
            reversibility=Reversibility.SCHEMA_ONLY if loses or fill.keys() & kept else Reversibility.FULL,
            mode=StepMode.REBUILD,
            probe=table_probe(before.name, after.text) if is_visible else Probe(),
            destructive=loses,
            lock="RESERVED",
            rewrites=True,
        )
        old = self._by_column(self._hints.fill, before)
        self._steps.append(step, self._as_before(before.name, old, kept))

    def _as_before(self, table: str, fill: Mapping[str, str], kept: frozenset[str] | None = None) -> Reverse:
        """Return the way back to the definition that *table* has now, with its indexes and triggers."""
        scratch = self._steps.scratch
        target = parse_table(self._stored(table).sql)
        belonging = tuple(each.sql for each in scratch.belonging_to(table))
        columns = frozenset(fold(each.name) for each in target.columns) if kept is None else kept

        def make() -> tuple[str, ...]:
            current = parse_table(self._stored(table).sql)
            present = {fold(each.name) for each in current.columns}
            back = Rebuild(
                before=current,
                after=target,
                belonging=belonging,
                kept=columns & present,
                fill={name: value for name, value in fill.items() if name not in columns & present},
            )
            return rebuild_statements(scratch, back)

        return Reverse(make=make, mode=StepMode.REBUILD)


def _is_stored(column: ColumnText | None) -> bool:
    """Tell whether rows hold values of *column*: it is there, and not computed."""
    return column is not None and column.clause("generated") is None


def _becomes_not_null(name: str, before: TableText, after: TableText) -> bool:
    old, new = before.column(name), after.column(name)
    return (
        old is not None
        and new is not None
        and old.clause("not null") is None
        and new.clause("not null") is not None
    )


def _comes_with(operation: MigrateOperation, added: AddColumnOp) -> bool:
    """Tell whether *operation* is carried out by adding a column: it is that, or the foreign key of that column."""
    if isinstance(operation, CreateForeignKeyOp):
        return [fold(each) for each in operation.local_cols] == [fold(added.column.name)]
    return operation is added


def _is_index_on(sql: str, columns: Sequence[str]) -> bool:
    return mentions(sql[sql.index("(") :], columns)
