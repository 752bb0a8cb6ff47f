"""What differs between the stored schema and the declared one."""

from collections.abc import Collection, Iterator, Mapping
from typing import Any

from sqlalchemy import Column, Connection, MetaData, Table
from sqlalchemy.types import NullType

from fastapi_easy.domain.migrations.hints import Hints
from fastapi_easy.infrastructure.migrations.relational.detection.catalogue.column_types import StoredTypes
from fastapi_easy.infrastructure.migrations.relational.detection.catalogue.reading import read_schema
from fastapi_easy.infrastructure.migrations.relational.detection.catalogue.shapes import (
    SchemaShape,
    TableShape,
)
from fastapi_easy.infrastructure.migrations.relational.detection.columns import compare_columns
from fastapi_easy.infrastructure.migrations.relational.detection.constraints import (
    compare_checks,
    compare_key,
    compare_references,
)
from fastapi_easy.infrastructure.migrations.relational.detection.declared.objects import (
    copy_metadata,
    name_of,
)
from fastapi_easy.infrastructure.migrations.relational.detection.declared.shown import show
from fastapi_easy.infrastructure.migrations.relational.detection.declared.shown_table import AsWritten
from fastapi_easy.infrastructure.migrations.relational.detection.enumerations import compare_enumerations
from fastapi_easy.infrastructure.migrations.relational.detection.left_behind import left_behind
from fastapi_easy.infrastructure.migrations.relational.detection.pair import TablePair
from fastapi_easy.infrastructure.migrations.relational.detection.renaming import (
    Renames,
    applicable,
    renamed,
)
from fastapi_easy.infrastructure.migrations.relational.detection.rules import compare_rules
from fastapi_easy.infrastructure.migrations.relational.detection.tables import (
    compare_comment,
    created_tables,
    dropped_tables,
)
from fastapi_easy.infrastructure.migrations.relational.detection.text_indexes import (
    dropped_and_created_text_indexes,
)
from fastapi_easy.infrastructure.migrations.relational.operations import Detected
from fastapi_easy.infrastructure.relational.catalogue.declared_tables import DeclaredTables
from fastapi_easy.infrastructure.relational.column_types import SpelledType
from fastapi_easy.infrastructure.relational.server import server_name_of
from fastapi_easy.infrastructure.relational.system_tables.own_tables import UNCOMPARED, is_own


def detect(
    connection: Connection, declared: DeclaredTables, hints: Hints, created_by_us: Collection[str]
) -> list[Detected]:
    """Compare the stored schema with the declared one.

    Nothing is changed for anybody else: see `declared.shown` for what is asked of the server. Read only.

    Args:
        connection: To the database; in a transaction or not.

        declared: The schema that there should be.

        hints: What only a person knows. Renames that are done already are passed over.

        created_by_us: The names of tables that this system has created, as `Change.table` has them: those of them that
            nobody declares any more are dropped. Others are left alone, unless `hints.drop_undeclared` says otherwise.

    Returns:
        The differences: renames first, then types, new tables, columns, what concerns several columns, and last what is
        dropped. Those of one column expect that the ones before them are carried out. Each operation can be reversed.
    """
    dialect, server = connection.dialect, server_name_of(connection.dialect.name)
    metadata = copy_metadata(declared.metadata)
    tables = {
        name_of(table, dialect): table
        for table in metadata.tables.values()
        if name_of(table, dialect) not in UNCOMPARED
    }
    droppable = _Droppable(hints, created_by_us, declared.system)
    wanted = {*tables, *hints.renamed_tables, *(each for each in created_by_us if droppable.may_go(each))}
    found = read_schema(
        connection, {table.schema for table in tables.values()}, None if hints.drop_undeclared else wanted
    )
    types = StoredTypes(connection)
    columns = {name: frozenset(each.name for each in table.columns) for name, table in tables.items()}
    renames = applicable(hints, found, columns)
    stored, detected = renamed(found, renames, types, server)
    gone = [
        shape
        for name, shape in stored.tables.items()
        if name not in tables and droppable.may_go(name) and name not in stored.partitions
    ]
    new = [table for name, table in tables.items() if name not in stored.tables and name not in stored.others]
    detected += compare_enumerations(stored, metadata, dialect, [each.name for each in gone])
    left = [] if server != "sqlite" or not new else left_behind(connection, stored, tables, declared.system)
    detected += created_tables(new, dialect, [*gone, *left])
    pairs = _pairs(connection, declared, metadata, tables, stored, renames, types)
    for pair in pairs:
        detected += compare_columns(connection, pair)
    for pair in pairs:
        detected += [
            *compare_key(pair),
            *compare_rules(pair),
            *compare_checks(pair),
            *compare_references(pair),
            *compare_comment(pair),
        ]
    dropped, created = dropped_and_created_text_indexes(connection, metadata)
    return [*dropped, *detected, *dropped_tables(gone, types, dialect), *created]


class _Droppable:
    def __init__(self, hints: Hints, created_by_us: Collection[str], system: Collection[str]) -> None:
        self._all = hints.drop_undeclared
        self._ours = frozenset(created_by_us)
        self._system = frozenset(system)

    def may_go(self, name: str) -> bool:
        """Return whether the table *name*, which nobody declares, is to be dropped."""
        if is_own(name) or name in self._system:
            return False
        return self._all or name in self._ours


def _pairs(
    connection: Connection,
    declared: DeclaredTables,
    metadata: MetaData,
    tables: Mapping[str, Table],
    stored: SchemaShape,
    renames: Renames,
    types: StoredTypes,
) -> list[TablePair]:
    for name, table in tables.items():
        if name in stored.tables:
            _spell_unknown(table, stored.tables[name])
    there = [(name, table) for name, table in sorted(tables.items()) if name in stored.tables]
    shown = show(connection, there, stored.enumerations)
    written = _as_written(declared, metadata)
    differing = {table.key for table in _tables_of(written)}
    others = [(name, table) for name, table in there if table.key in differing]
    shown_as_written = show(connection, others, stored.enumerations, written) if others else {}
    return [
        TablePair(
            name=name,
            stored=stored.tables[name],
            declared=shape,
            written=shown_as_written.get(name, shape).shape,
            dialect=connection.dialect,
            server=server_name_of(connection.dialect.name),
            types=types,
            stored_name=renames.stored_table(name),
            stored_columns=renames.stored_columns(renames.stored_table(name)),
        )
        for name, shape in shown.items()
    ]


def _spell_unknown(table: Table, stored: TableShape) -> None:
    """Give columns whose types SQLAlchemy does not know, and nobody can declare, those that are stored."""
    for column in table.columns:
        if (column.system or isinstance(column.type, NullType)) and column.name in stored.columns:
            column.type = SpelledType(stored.columns[column.name].type)
            column.system = False


def _tables_of(written: AsWritten) -> Iterator[Table]:
    for column in (*written.types, *written.defaults):
        yield column.table


def _as_written(declared: DeclaredTables, copied: MetaData) -> AsWritten:
    """Return what the user's classes say of the columns of *copied*."""

    def copy_of(column: Column[Any]) -> Column[Any]:
        return copied.tables[column.table.key].columns[column.key]

    types = {
        copy_of(column): written
        for column, written in declared.as_written.items()
        if column.table.key in copied.tables and written is not column.type
    }
    defaults = {
        copy_of(column): default
        for column, default in declared.defaults_as_written.items()
        if column.table.key in copied.tables
    }
    return AsWritten(types=types, defaults=defaults)
