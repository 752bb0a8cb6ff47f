"""Creates missing tables, and compares those that exist with what is declared."""

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, assert_never

import sqlalchemy
from sqlalchemy import Column, Connection, MetaData, Table
from sqlalchemy.engine import Dialect
from sqlalchemy.exc import CompileError, DBAPIError

from fastapi_easy.infrastructure.persistence.sqlalchemy.mapped_tables import MappedTable
from fastapi_easy.infrastructure.persistence.sqlalchemy.tables.mapping import VIEW
from fastapi_easy.infrastructure.persistence.sqlalchemy.tables.soft_delete import (
    find_strict_constraints,
)
from fastapi_easy.infrastructure.relational.catalogue.table_columns import TableColumns
from fastapi_easy.infrastructure.relational.catalogue.triggers import may_fill_new_rows
from fastapi_easy.infrastructure.relational.catalogue.type_families import family_of, stands_for
from fastapi_easy.infrastructure.relational.column_types import OWN_COLUMN, ColumnType, info_of
from fastapi_easy.infrastructure.relational.server import server_name_of
from fastapi_easy.infrastructure.relational.sqlite.text_index import create_text_indexes

_LOCK: Final = "fastapi_easy.schema"
_LOCK_NUMBER: Final = 0x66617374
"""The same for every process that creates tables; "fast" in ASCII."""

_LOCK_LIMIT: Final = 10
"""Seconds to wait while another process creates tables."""


def create(connection: Connection, metadata: MetaData, tables: Sequence[Table] | None = None) -> None:
    """Create what is missing of *tables*, or of all of *metadata*, with its indexes. Safe when many do so at once."""
    try:
        with schema_lock(connection):
            metadata.create_all(connection, tables=tables, checkfirst=True)
            _create_text_indexes(connection, metadata)
    except DBAPIError as error:
        if error.connection_invalidated:
            raise
        # Another program, which does not take our lock, has created a table meanwhile: create the others.
        with schema_lock(connection):
            metadata.create_all(connection, tables=tables, checkfirst=True)
            _create_text_indexes(connection, metadata)


def _create_text_indexes(connection: Connection, metadata: MetaData) -> None:
    if connection.dialect.name == "sqlite":
        create_text_indexes(connection, metadata)


def is_fresh(connection: Connection, tables: Sequence[MappedTable]) -> bool:
    """Return whether none of *tables* exists yet."""
    created = [each.table for each in tables if not each.table.info.get(VIEW)]
    stored = TableColumns(connection, created)
    return all(stored.of(each) is None for each in created)


def compare(connection: Connection, tables: Sequence[MappedTable]) -> list[str]:
    """Return a sentence for each difference between the stored tables and *tables*."""
    inspector = sqlalchemy.inspect(connection)
    columns = TableColumns(connection, [each.table for each in tables])
    differences: list[str] = []
    for mapped in tables:
        table = mapped.table
        stored = columns.of(table)
        if stored is None:
            kind = "view" if table.info.get(VIEW) else "table"
            differences.append(f"{mapped.name}: the {kind} {table.name} does not exist")
            continue
        differences += _differences(mapped, stored, connection.dialect)
        differences += _unfilled_columns(connection, mapped, stored)
        differences += _uncounted_keys(connection, mapped, stored, columns)
        if mapped.deleted_column is not None:
            differences += [
                f"{mapped.name}: {each}"
                for each in find_strict_constraints(inspector, table, mapped.deleted_column)
            ]
    return differences


@contextlib.contextmanager
def schema_lock(connection: Connection) -> Iterator[None]:
    """Keep other processes from creating anything during the block, in one transaction where that can be."""
    begin: tuple[str, ...]
    server = server_name_of(connection.dialect.name)
    match server:
        case "postgresql":
            begin = (
                "BEGIN",
                f"SET LOCAL lock_timeout = '{_LOCK_LIMIT}s'",
                f"SELECT pg_advisory_xact_lock({_LOCK_NUMBER})",
            )
            end, undo = "COMMIT", "ROLLBACK"
        case "sqlite":
            begin, end, undo = ("BEGIN IMMEDIATE",), "COMMIT", "ROLLBACK"
        case "mysql":
            # Not a transaction, which MySQL would end at each CREATE TABLE.
            begin = (f"SELECT GET_LOCK('{_LOCK}', {_LOCK_LIMIT})",)
            end = undo = f"SELECT RELEASE_LOCK('{_LOCK}')"
        case _:
            assert_never(server)
    for sql in begin:
        _ = connection.exec_driver_sql(sql)
    try:
        yield
    except BaseException:
        if not connection.invalidated:
            _ = connection.exec_driver_sql(undo)
        raise
    _ = connection.exec_driver_sql(end)


def _differences(mapped: MappedTable, stored: Mapping[str, Any], dialect: Dialect) -> Iterator[str]:
    table, entity = mapped.table, mapped.declared_by
    for column in table.columns:
        if info_of(column).get(OWN_COLUMN) or column.system:
            continue
        found = stored.get(column.name)
        place = f"{mapped.name}: the column {table.name}.{column.name}"
        if found is None:
            yield f"{place} does not exist; add it"
            continue
        # What a view may hold the database does not say.
        if not (column.primary_key or table.info.get(VIEW)) and bool(found["nullable"]) != bool(
            column.nullable
        ):
            allowed, forbidden = ("the database", entity) if found["nullable"] else (entity, "the database")
            yield f"{place} may be null in {allowed} but not in {forbidden}; change one of them"
        wanted, there = _family(column.type, dialect), _family(found["type"], dialect)
        if wanted and there and not _is_same(wanted, there, dialect.name):
            yield f"{place} holds a {there} in the database but a {wanted} in {entity}; change one of them"


def _unfilled_columns(
    connection: Connection, mapped: MappedTable, stored: Mapping[str, Any]
) -> Iterator[str]:
    """Yield a sentence for each column that keeps new rows from being stored, since nothing gives it a value."""
    table = mapped.table
    columns: list[Column[Any]] = list(table.columns)
    declared = {column.name for column in columns}
    filled = {column.name for column in columns if _is_filled_by_class(column)}
    given = (declared if mapped.given is None else mapped.given) | filled
    unfilled = [
        name
        for name, found in stored.items()
        if name not in given and not found["nullable"] and not _has_store_default(found)
    ]
    server = server_name_of(connection.dialect.name)
    if not unfilled or not mapped.has_new_rows or may_fill_new_rows(connection, server, table):
        return
    for name in unfilled:
        place = f"{mapped.name}: the column {table.name}.{name} must not be null, has no default and"
        if name in declared:
            yield f"{place} takes no value from callers; give it a default, or operations that create nothing"
        else:
            yield f"{place} is not in {mapped.declared_by}; give it a default, or add it to the class"


def _uncounted_keys(
    connection: Connection, mapped: MappedTable, stored: Mapping[str, Any], columns: TableColumns
) -> Iterator[str]:
    """Yield a sentence for each part of the key to which nothing in the database gives a value."""
    table, server = mapped.table, server_name_of(connection.dialect.name)
    # A sequence that the class names is asked with each insert.
    asked = {column.name for column in table.columns if _is_filled_by_class(column)}
    uncounted = [
        name
        for name in mapped.counted - asked
        if name in stored
        and not (columns.is_rowid(table, name) if server == "sqlite" else _has_store_default(stored[name]))
    ]
    if not uncounted or not mapped.has_new_rows or may_fill_new_rows(connection, server, table):
        return
    for name in uncounted:
        yield (
            f"{mapped.name}: nothing in the database gives the key {table.name}.{name} a value; declare the resource"
            " with key='client' if callers give it, or make the column an identity"
        )


def _is_filled_by_class(column: Column[Any]) -> bool:
    return bool(info_of(column).get(OWN_COLUMN)) or column.default is not None


def _has_store_default(found: Mapping[str, Any]) -> bool:
    return bool(
        found.get("default") is not None
        or found.get("computed")
        or found.get("identity")
        or found.get("autoincrement") is True
    )


def _family(type_: ColumnType, dialect: Dialect) -> str | None:
    try:
        written = type_.compile(dialect)
    except CompileError:
        return None
    return family_of(written)


def _is_same(wanted: str, there: str, dialect: str) -> bool:
    return stands_for(there, wanted, dialect) or stands_for(wanted, there, dialect)
