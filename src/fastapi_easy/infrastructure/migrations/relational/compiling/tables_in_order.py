"""New and dropped tables in an order in which references hold; what goes in circles is a step of its own."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

from alembic.operations.ops import CreateIndexOp, CreateTableOp, DropTableOp
from sqlalchemy import ForeignKeyConstraint, Table

from fastapi_easy.domain.migrations.change import Change
from fastapi_easy.infrastructure.migrations.relational.compiling.ordering import referred_first

TableKey: TypeAlias = tuple[str | None, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class TableCreation:
    """A new table with its indexes.

    Attributes:
        table: A copy; references that are added later have `use_alter`.

        changes: What was detected.

        indexes: Those that are created with it.
    """

    table: Table
    changes: tuple[Change, ...]
    indexes: tuple[CreateIndexOp, ...] = ()

    @property
    def key(self) -> TableKey:
        """Its schema and name."""
        return key_of(self.table)


@dataclass(frozen=True, slots=True, kw_only=True)
class TableRemoval:
    """A table that goes, with its indexes.

    Attributes:
        table: A copy of what it was, as far as known; references that go first have `use_alter`.

        changes: What was detected.

        is_known: Whether `table` has columns.

        indexes: Its indexes, for the way back.
    """

    table: Table
    changes: tuple[Change, ...]
    is_known: bool
    indexes: tuple[CreateIndexOp, ...] = ()

    @property
    def key(self) -> TableKey:
        """Its schema and name."""
        return key_of(self.table)

    @property
    def circular(self) -> list[ForeignKeyConstraint]:
        """Its references to tables that are dropped before it."""
        return [each for each in references(self.table) if each.use_alter]


def creation(operation: CreateTableOp, changes: tuple[Change, ...]) -> TableCreation:
    """Return what *operation* creates."""
    return TableCreation(table=operation.to_table(), changes=changes)


def removal(operation: DropTableOp, changes: tuple[Change, ...]) -> TableRemoval:
    """Return what *operation* drops."""
    table = operation.to_table()
    for each in references(table):
        each.use_alter = False
    return TableRemoval(table=table, changes=changes, is_known=bool(table.columns))


def key_of(table: Table) -> TableKey:
    """Return the schema and name of *table*."""
    return (table.schema, str(table.name))


def references(table: Table) -> list[ForeignKeyConstraint]:
    """Return the foreign keys of *table*, always in the same order."""
    return sorted(table.foreign_key_constraints, key=lambda each: (str(each.name), each.column_keys))


def referred_table(constraint: ForeignKeyConstraint) -> TableKey:
    """Return the schema and name of the table that *constraint* refers to."""
    table = constraint.elements[0].target_fullname.rpartition(".")[0]
    schema, _, name = table.rpartition(".")
    return (schema or None, name)


def creations_in_order(creations: Sequence[TableCreation]) -> list[TableCreation]:
    """Return new tables so that each comes after those it refers to; what cannot be so has `use_alter` then."""
    by_key = {each.key: each for each in creations}
    refers = {
        key: {referred_table(one) for one in references(each.table) if not one.use_alter} - {key}
        for key, each in by_key.items()
    }
    ordered = referred_first(list(creations), lambda each: each.key, refers)
    later = set(by_key)
    for each in ordered:
        later.discard(each.key)
        for one in references(each.table):
            one.use_alter = one.use_alter or referred_table(one) in later
    return ordered


def removals_in_order(removals: Sequence[TableRemoval]) -> list[TableRemoval]:
    """Return dropped tables so that each comes before those it refers to; what cannot be so has `use_alter` then."""
    refers = {
        each.key: {referred_table(one) for one in references(each.table)} - {each.key} for each in removals
    }
    ordered = referred_first(list(removals), lambda each: each.key, refers)[::-1]
    gone: set[TableKey] = set()
    for each in ordered:
        for one in references(each.table):
            one.use_alter = referred_table(one) in gone
        gone.add(each.key)
    return ordered
