"""What the other operations of the same steps do to a table, where one cannot be compiled without."""

from collections.abc import Iterable
from typing import Any

from alembic.operations.ops import (
    AddColumnOp,
    AddConstraintOp,
    CreateForeignKeyOp,
    CreateIndexOp,
    CreateUniqueConstraintOp,
    DropColumnOp,
    DropConstraintOp,
    DropIndexOp,
)
from sqlalchemy import Column, ForeignKeyConstraint, PrimaryKeyConstraint, UniqueConstraint

from fastapi_easy.domain.migrations.change import Change
from fastapi_easy.infrastructure.migrations.relational.compiling.mysql.constraints import servers_name
from fastapi_easy.infrastructure.migrations.relational.compiling.mysql.situation import MySQLSituation
from fastapi_easy.infrastructure.migrations.relational.compiling.prepared import Work, table_key
from fastapi_easy.infrastructure.migrations.relational.compiling.tables_in_order import (
    TableCreation,
    TableKey,
    references,
)
from fastapi_easy.infrastructure.migrations.relational.operations import ChangePrimaryKeyOp
from fastapi_easy.infrastructure.migrations.relational.probing.mysql_catalogue import key_columns


class OtherWork:
    """What the same steps do to each table.

    Args:
        work: Everything that changes.

        situation: What is known.

        is_in_order: It is everything that is done before something else, in the order in which it is done.
    """

    def __init__(self, work: list[Work], situation: MySQLSituation, *, is_in_order: bool = False) -> None:
        self._situation = situation
        self._is_in_order = is_in_order
        self._servers_indexes: dict[TableKey, dict[str, tuple[str, ...]]] = {}
        self._keys: dict[TableKey, ChangePrimaryKeyOp] = {}
        self._dropped: dict[tuple[TableKey, str], DropIndexOp] = {}
        self._created: set[tuple[TableKey, str]] = set()
        self._added: dict[TableKey, list[tuple[str, ...]]] = {}
        self._references: set[tuple[TableKey, str]] = set()
        self._gone_references: set[tuple[TableKey, str]] = set()
        self._unnamed: dict[tuple[TableKey, type], int] = {}
        for each in work:
            self._read(each.what)

    def has_new_key(self, operation: AddColumnOp) -> bool:
        """Tell whether the table of an added column gets another primary key."""
        return table_key(operation) in self._keys

    def is_key(self, operation: DropColumnOp) -> bool:
        """Tell whether a dropped column is part of a primary key that changes."""
        key = self._keys.get(table_key(operation))
        return key is not None and str(operation.column_name) in key.before

    def replaced_by(self, operation: CreateIndexOp) -> DropIndexOp | None:
        """Return the index of the same name that an index takes the place of; `None` for none."""
        return self._dropped.get(self._index(operation))

    def is_replaced(self, operation: DropIndexOp) -> bool:
        """Tell whether another index of the same name takes the place of a dropped one."""
        return self._index(operation) in self._created

    def is_needed(self, operation: DropIndexOp, changes: tuple[Change, ...]) -> bool:
        """Tell whether a foreign key that stays needs a dropped index."""
        table, name = self._index(operation)
        stored = self._situation.stored_table(*table)
        if stored is None or name not in stored.keys:
            return any("supports_foreign_key" in each.facts for each in changes)
        columns = key_columns(stored.keys[name])
        held = [
            key_columns(line)
            for reference, line in stored.references.items()
            if (table, reference) not in self._gone_references
        ]
        return any(columns[: len(each)] == each for each in held)

    def kept_indexes(self, operation: DropConstraintOp) -> frozenset[str]:
        """Return the indexes of a table that a dropped foreign key is not to take along."""
        table = table_key(operation)
        mentioned = {*self._dropped, *self._created, *self._references}
        return frozenset(name for key, name in mentioned if key == table)

    def indexed(self, operation: AddConstraintOp) -> list[tuple[str, ...]]:
        """Return the columns of every index that a table has when its foreign keys are added."""
        table = self._table(operation)
        found = list(self._added.get(table, ()))
        stored = self._situation.stored_table(*table)
        if stored is not None:
            gone = {name for key, name in {*self._dropped, *self._gone_references} if key == table}
            found += [key_columns(line) for name, line in stored.keys.items() if name not in gone]
            found += [key_columns(stored.primary_key)] if stored.primary_key else []
        return found

    def superseded(self, operation: CreateIndexOp | AddConstraintOp) -> list[str]:
        """Return the clauses that bring back the indexes which the server drops once a new one serves instead.

        It has made them for foreign keys by itself.
        """
        if isinstance(operation, CreateIndexOp):
            table = table_key(operation)
            columns = _columns(operation.to_index().expressions)
        else:
            constraint = operation.to_constraint()
            if not isinstance(constraint, UniqueConstraint):
                return []
            table, columns = self._table(operation), _columns(list(constraint.columns))
        unless = "IF NOT EXISTS " if self._situation.server.is_mariadb else ""
        new = [
            f"ADD KEY {unless}{self._situation.quoted(name)} ({', '.join(map(self._situation.quoted, each))})"
            for name, each in self._servers_indexes.get(table, {}).items()
            if columns[: len(each)] == each
        ]
        stored = self._situation.stored_table(*table)
        if stored is None:
            return new
        gone = {name for key, name in {*self._dropped, *self._gone_references} if key == table}
        held = {name: key_columns(line) for name, line in stored.references.items() if name not in gone}
        lost = [
            line
            for name, line in stored.keys.items()
            if line.startswith("KEY ")
            and any(
                name in {reference, each[0]} and key_columns(line) == each for reference, each in held.items()
            )
            and columns[: len(key_columns(line))] == key_columns(line)
        ]
        return [*new, *(f"ADD KEY {unless}{line.removeprefix('KEY ')}" for line in lost)]

    def number(self, operation: AddConstraintOp) -> int:
        """Return which constraint without a name it is on its table, from 1."""
        constraint = operation.to_constraint()
        if constraint.name is not None:
            return 1
        key = (self._table(operation), type(constraint))
        self._unnamed[key] = self._unnamed.get(key, 0) + 1
        return self._unnamed[key]

    def _read(self, what: Any) -> None:
        match what:
            case ChangePrimaryKeyOp():
                self._keys[what.schema, what.table] = what
                self._add((what.schema, what.table), what.after)
            case CreateIndexOp():
                self._created.add(self._index(what))
                self._add(table_key(what), _columns(what.to_index().expressions))
            case DropIndexOp():
                self._dropped[self._index(what)] = what
            case CreateForeignKeyOp():
                self._references.add((self._table(what), str(what.constraint_name)))
                self._refer(self._table(what), what.to_constraint())
            case DropConstraintOp():
                self._gone_references.add((table_key(what), str(what.constraint_name)))
            case CreateUniqueConstraintOp():
                self._add(self._table(what), tuple(map(str, what.columns)))
            case TableCreation():
                self._read_table(what)
            case _:
                pass

    def _read_table(self, created: TableCreation) -> None:
        for constraint in created.table.constraints:
            if isinstance(constraint, PrimaryKeyConstraint | UniqueConstraint):
                self._add(created.key, tuple(str(each.name) for each in constraint.columns))
        for index in (*created.table.indexes, *(each.to_index() for each in created.indexes)):
            self._add(created.key, _columns(index.expressions))
        for reference in references(created.table):
            if not reference.use_alter:
                self._refer(created.key, reference, is_new=True)

    def _add(self, table: TableKey, columns: tuple[str, ...]) -> None:
        self._added.setdefault(table, []).append(columns)
        made = self._servers_indexes.get(table, {})
        for name in [name for name, each in made.items() if columns[: len(each)] == each]:
            del made[name]

    def _refer(self, table: TableKey, reference: ForeignKeyConstraint, *, is_new: bool = False) -> None:
        """Note the index that the server makes for *reference*, if it has none to use."""
        if not self._is_in_order:
            return
        columns = tuple(reference.column_keys)
        stored = None if is_new else self._situation.stored_table(*table)
        lines = [] if stored is None else [*stored.keys.values(), *filter(None, [stored.primary_key])]
        indexed = [*self._added.get(table, ()), *map(key_columns, lines)]
        if not any(each[: len(columns)] == columns for each in indexed):
            name = self._situation.write.constraint_name(reference)
            if name is None:
                name = columns[0] if is_new else servers_name(reference, stored, self._situation, 1)
            self._servers_indexes.setdefault(table, {})[name] = columns

    def _index(self, operation: CreateIndexOp | DropIndexOp) -> tuple[TableKey, str]:
        return (table_key(operation), self._situation.write.index_name(operation.to_index()))

    def _table(self, operation: AddConstraintOp) -> TableKey:
        table = operation.to_constraint().table
        return (table.schema, str(table.name))


def _columns(expressions: Iterable[Any]) -> tuple[str, ...]:
    return tuple(str(each.name) if isinstance(each, Column) else "" for each in expressions)
