"""The journal of a relational database: rows about a change, written in its transaction."""

import weakref
from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby
from typing import Any, Final

from returns.result import Failure, Success
from sqlalchemy import Connection, Executable, MetaData, insert
from sqlalchemy.schema import CreateIndex, CreateTable

from fastapi_easy.domain.changes.journal import JournalRow, SystemTable
from fastapi_easy.domain.errors import Outcome
from fastapi_easy.domain.values.plain_json import to_plain_json
from fastapi_easy.infrastructure.persistence.sqlalchemy.connection import SqlAlchemyDatabase
from fastapi_easy.infrastructure.persistence.sqlalchemy.schema import create
from fastapi_easy.infrastructure.persistence.sqlalchemy.statements.array_inserts import insert_arrays
from fastapi_easy.infrastructure.relational.driver.executor import Parameters
from fastapi_easy.infrastructure.relational.errors import DATABASE_ERRORS, as_unavailable
from fastapi_easy.infrastructure.relational.system_tables.journal_tables import table_of, tables_of
from fastapi_easy.infrastructure.relational.transaction import Transaction

_existing_tables: Final["weakref.WeakKeyDictionary[SqlAlchemyDatabase, set[SystemTable]]"] = (
    weakref.WeakKeyDictionary()
)
"""The tables that are known to exist in each database."""

_inserts: Final[
    "weakref.WeakKeyDictionary[SqlAlchemyDatabase, dict[tuple[SystemTable, bool], Executable]]"
] = weakref.WeakKeyDictionary()


async def prepare(database: SqlAlchemyDatabase, systems: Iterable[SystemTable]) -> Outcome[Sequence[str]]:
    """Create the tables of *systems* where they are missing. Safe when many do so at once.

    Fails with:
        Unavailable: The database did not answer.
    """
    try:
        await ensure_tables(database, systems)
    except DATABASE_ERRORS as error:
        return _unavailable(error, database)
    return Success(())


async def ensure_tables(
    database: SqlAlchemyDatabase, systems: Iterable[SystemTable], transaction: Transaction | None = None
) -> None:
    """Create the tables of *systems* where they are missing. Called for each write, and asks the database once.

    Args:
        database: The database.

        systems: The tables.

        transaction: One that is open already: on SQLite it holds the lock that creating a table needs.
    """
    known = _existing_tables.setdefault(database, set())
    missing = [each for each in systems if each not in known]
    if not missing:
        return
    if transaction is not None and database.executor.engine.dialect.name == "sqlite":
        # Not remembered: a rollback of the transaction would undo it.
        for each in missing:
            table = table_of(each)
            _ = await transaction.execute(CreateTable(table, if_not_exists=True), {}, writes=True)
            for index in table.indexes:
                _ = await transaction.execute(CreateIndex(index, if_not_exists=True), {}, writes=True)
        return
    tables = tables_of(missing)
    await database.executor.run_sync(lambda connection: _create(connection, tables))
    known.update(missing)


async def insert_rows(
    database: SqlAlchemyDatabase, transaction: Transaction, rows: Sequence[JournalRow]
) -> Outcome[None]:
    """Insert *rows* in *transaction*, those of one table together.

    Fails with:
        Unavailable: The database did not answer, or had ended the transaction.
    """
    try:
        await ensure_tables(database, {row.table for row in rows}, transaction)
        for system, those in groupby(sorted(rows, key=lambda row: row.table.name), lambda row: row.table):
            given = [_values(row) for row in those]
            statement, parameters = _insertion(database, system, given)
            _ = await transaction.execute(statement, parameters, writes=True)
    except DATABASE_ERRORS as error:
        return _unavailable(error, database)
    return Success(None)


def _insertion(
    database: SqlAlchemyDatabase, system: SystemTable, given: Sequence[Mapping[str, object]]
) -> tuple[Executable, Parameters]:
    """Return what inserts the rows *given* into *system*, and its values: statements for good, each compiled once."""
    dialect = database.executor.engine.dialect
    # Of many rows one list for each column, where the driver can send lists.
    in_lists = len(given) > 1 and dialect.driver == "asyncpg"
    made = _inserts.setdefault(database, {})
    found = made.get((system, in_lists))
    if found is None:
        table = table_of(system)
        # Inline: nobody asks for the numbers that the database gives to rows.
        found = insert_arrays(table, [*given[0]], dialect) if in_lists else insert(table).inline()
        made[system, in_lists] = found
    if in_lists:
        return found, {name: [row[name] for row in given] for name in given[0]}
    return found, given[0] if len(given) == 1 else given


def column_value(row: JournalRow, name: str) -> object:
    """Return the value of field *name* of *row* as its column takes it."""
    value = row.values.get(name)
    return to_plain_json(value) if name in row.table.documents else value


def _values(row: JournalRow) -> dict[str, object]:
    number = row.table.number
    return {each.name: column_value(row, each.name) for each in row.table.fields if each.name != number}


def _create(connection: Connection, tables: MetaData) -> None:
    create(connection, tables)


def _unavailable(error: BaseException, database: SqlAlchemyDatabase) -> Failure[Any]:
    unavailable = as_unavailable(error, database.name)
    if unavailable is None:
        raise error
    return Failure(unavailable)
