"""Renamed tables and columns; SQLite changes what names them itself."""

import itertools
import sqlite3
from collections.abc import Iterable, Sequence
from contextlib import suppress

from alembic.operations.ops import AlterColumnOp, RenameTableOp

from fastapi_easy.domain.migrations.step import Reversibility, Step
from fastapi_easy.infrastructure.migrations.relational.operations import Detected
from fastapi_easy.infrastructure.migrations.relational.sqlite import ordering
from fastapi_easy.infrastructure.migrations.relational.sqlite.definition.parsing import parse_table
from fastapi_easy.infrastructure.migrations.relational.sqlite.definition.tokens import fold, quote
from fastapi_easy.infrastructure.migrations.relational.sqlite.ordering import operation_of
from fastapi_easy.infrastructure.migrations.relational.sqlite.probes import column_probe, table_probe
from fastapi_easy.infrastructure.migrations.relational.sqlite.refusal import SqliteRefusal
from fastapi_easy.infrastructure.migrations.relational.sqlite.step_list import Reverse, StepList
from fastapi_easy.infrastructure.migrations.relational.sqlite.summaries import summary_of


class Renaming:
    """What a plan renames.

    Args:
        steps: Where steps go.
    """

    def __init__(self, steps: StepList) -> None:
        self._steps = steps
        self._new_tables: dict[str, str] = {}
        self._old_names: dict[str, str] = {}

    def table(self, name: str) -> str:
        """Return what the table *name* is called now; another one may have got its name."""
        if self._steps.scratch.table(name) is not None:
            return name
        return self._new_tables.get(fold(name), name)

    def names_of(self, table: str, column: str) -> list[str]:
        """Return what hints may call a column: `table.column` with the new names and with the old ones."""
        old_column = self._old_names.get(fold(f"{table}.{column}"), column)
        old_tables = [old for old, new in self._new_tables.items() if fold(new) == fold(table)]
        return [fold(f"{each}.{name}") for each in (table, *old_tables) for name in (column, old_column)]

    def rename_table(self, detected: Detected) -> None:
        """Rename a table."""
        operation = operation_of(detected, RenameTableOp)
        old, new = ordering.table_of(operation), str(operation.new_table_name)
        # SQLite takes a name in another case of letters for one that is taken.
        way = (
            [old, self._steps.scratch.free_name(f"fe_new_{new}"), new]
            if fold(old) == fold(new)
            else [old, new]
        )
        pairs = list(itertools.pairwise(way))
        step = Step(
            changes=(detected.change,),
            summary=summary_of([detected.change]),
            statements=tuple(_rename_table(one, other) for one, other in pairs),
            reversibility=Reversibility.FULL,
            probe=table_probe(new),
        )
        back = [_rename_table(other, one) for one, other in reversed(pairs)]
        self._steps.append(step, Reverse(make=lambda: back))
        self._new_tables[fold(old)] = new

    def rename_columns(self, detected: Sequence[Detected]) -> list[Detected]:
        """Rename columns, and return what else is to be changed of them, under their new names."""
        groups: dict[str, list[Detected]] = {}
        for each in detected:
            groups.setdefault(self.table(ordering.table_of(each.operation)), []).append(each)
        for table, group in groups.items():
            self._rename_columns_of(table, group)
        return [rest for each in detected if (rest := _rest(each)) is not None]

    def _rename_columns_of(self, table: str, group: Sequence[Detected]) -> None:
        operations = [operation_of(each, AlterColumnOp) for each in group]
        wanted = {each.column_name: str(each.modify_name) for each in operations}
        pairs = list(self._in_order(table, wanted))
        changes = tuple(each.change for each in group)
        statements = tuple(_rename_column(table, *each) for each in pairs)
        step = Step(
            changes=changes,
            summary=summary_of(changes),
            statements=statements,
            reversibility=Reversibility.FULL,
            # Where columns take each other's names, all of them are there before.
            probe=column_probe(table, *wanted.values(), definition=self._definition_after(table, statements)),
        )
        back = [_rename_column(table, other, one) for one, other in reversed(pairs)]
        self._steps.append(step, Reverse(make=lambda: back))
        for old, new in wanted.items():
            self._old_names[fold(f"{table}.{new}")] = old

    def _definition_after(self, table: str, statements: Sequence[str]) -> str | None:
        scratch = self._steps.scratch
        with scratch.trial(), suppress(sqlite3.Error):
            scratch.execute(statements)
            found = scratch.table(table)
            return None if found is None else found.sql
        return None

    def _in_order(self, table: str, wanted: dict[str, str]) -> Iterable[tuple[str, str]]:
        """Yield the renamings of columns so that each name is free when its turn comes."""
        stored = self._steps.scratch.table(table)
        if stored is None:
            raise SqliteRefusal(f"there is no table {table}")
        taken = {fold(each.name) for each in parse_table(stored.sql).columns}
        left = dict(wanted)
        while left:
            old = next(
                (old for old, new in left.items() if fold(new) not in taken or fold(new) == fold(old)), None
            )
            if old is not None:
                new = left.pop(old)
            else:
                # They take each other's names, so one of them steps aside.
                old = next(iter(left))
                new = f"fe_new_{old}"
                left[new] = left.pop(old)
            yield old, new
            taken = taken - {fold(old)} | {fold(new)}


def _rest(detected: Detected) -> Detected | None:
    operation = operation_of(detected, AlterColumnOp)
    if (
        operation.modify_type is None
        and operation.modify_nullable is None
        and operation.modify_server_default is False
    ):
        return None
    rest = AlterColumnOp(
        operation.table_name,
        str(operation.modify_name),
        schema=operation.schema,
        modify_type=operation.modify_type,
        modify_nullable=operation.modify_nullable,
        modify_server_default=operation.modify_server_default,
    )
    return Detected(change=detected.change, operation=rest)


def _rename_table(old: str, new: str) -> str:
    return f"ALTER TABLE {quote(old)} RENAME TO {quote(new)}"


def _rename_column(table: str, old: str, new: str) -> str:
    return f"ALTER TABLE {quote(table)} RENAME COLUMN {quote(old)} TO {quote(new)}"
