"""Declared tables as the server at hand would store them: it is shown them, and forgets them again.

No other way tells spellings from differences: PostgreSQL turns `status IN ('a', 'b')` into
`status = ANY (ARRAY['a'::text, 'b'::text])`. PostgreSQL gets temporary tables in a savepoint that is rolled back, MySQL
and MariaDB get temporary tables, SQLite gets a database in memory. Nobody else sees any of them.
"""

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

import sqlalchemy
from sqlalchemy import (
    Connection,
    Table,
)
from sqlalchemy.exc import CompileError, DBAPIError
from sqlalchemy.pool import StaticPool

from fastapi_easy.infrastructure.migrations.relational.detection.catalogue.mysql import read_table
from fastapi_easy.infrastructure.migrations.relational.detection.catalogue.postgres import (
    quote,
    read_temporary,
)
from fastapi_easy.infrastructure.migrations.relational.detection.catalogue.shapes import (
    SchemaShape,
)
from fastapi_easy.infrastructure.migrations.relational.detection.catalogue.sql_tokens import unquote
from fastapi_easy.infrastructure.migrations.relational.detection.catalogue.sqlite import read_sqlite
from fastapi_easy.infrastructure.migrations.relational.detection.declared.objects import (
    native_enumeration,
)
from fastapi_easy.infrastructure.migrations.relational.detection.declared.shown_table import (
    AsWritten,
    DeclaredShape,
    ShownTable,
)
from fastapi_easy.infrastructure.relational.server import server_name_of

_TEMPORARY_FIRST: Final = """
SELECT set_config('search_path', concat_ws(', ', 'pg_temp', nullif(current_setting('search_path'), '')), true)
"""
_ATTEMPTS: Final = 20


def show(
    connection: Connection,
    tables: Sequence[tuple[str, Table]],
    enumerations: Mapping[str, tuple[str, ...]],
    written: AsWritten | None = None,
) -> dict[str, DeclaredShape]:
    """Return each of *tables* as the server would store it.

    Args:
        connection: Where. It may be in a transaction or not; neither changes.

        tables: By the name that `Change.table` has. They are changed meanwhile, and changed back.

        enumerations: The stored enumeration types of PostgreSQL.

        written: What the user's own classes say of the columns.
    """
    server = server_name_of(connection.dialect.name)
    if not tables:
        return {}
    if server == "postgresql":
        return _show_postgres(connection, tables, enumerations, written)
    if server == "mysql":
        return {name: _show_mysql(connection, name, table, written) for name, table in tables}
    return _show_sqlite(connection, tables, written)


def _show_postgres(
    connection: Connection,
    tables: Sequence[tuple[str, Table]],
    enumerations: Mapping[str, tuple[str, ...]],
    written: AsWritten | None,
) -> dict[str, DeclaredShape]:
    shown = [ShownTable(name, table, connection, number) for number, (name, table) in enumerate(tables)]
    stored = SchemaShape()
    with _unless_refused(), _rolled_back(connection, "fe_shapes"):
        _execute(connection, _TEMPORARY_FIRST)
        other = _create_enumerations(connection, tables, enumerations)
        blocks = []
        for each in shown:
            with contextlib.suppress(CompileError), each.renamed(written, drop_type_schemas=other):
                blocks.append(_block(each.statements()))
        # In one statement, as a server may be far away.
        body = quote(f"BEGIN {' '.join(blocks)} END")
        _execute_compiled(connection, f"DO LANGUAGE plpgsql {body}")
        stored = read_temporary(connection)
    return {
        each.name: each.result(stored.tables[each.shown])
        if each.shown in stored.tables
        else each.guess(written)
        for each in shown
    }


def _block(statements: Sequence[str]) -> str:
    """Return PL/pgSQL that executes *statements*, and does nothing if one fails.

    A table that cannot be shown, for want of an extension or of a function, must not hide the others.
    """
    executed = " ".join(f"EXECUTE {quote(each)};" for each in statements)
    return f"BEGIN {executed} EXCEPTION WHEN OTHERS THEN NULL; END;"


def _create_enumerations(
    connection: Connection, tables: Sequence[tuple[str, Table]], stored: Mapping[str, tuple[str, ...]]
) -> bool:
    """Create the enumeration types that are not stored like that, and return whether there are any."""
    default = connection.dialect.default_schema_name
    created: dict[str, tuple[str, ...]] = {}
    for _, table in tables:
        for column in table.columns:
            enumeration = native_enumeration(column.type, connection.dialect)
            if enumeration is None:
                continue
            schema, labels = enumeration.schema, tuple(enumeration.enums)
            full = str(enumeration.name) if schema in {None, default} else f"{schema}.{enumeration.name}"
            if stored.get(full) != labels:
                created[str(enumeration.name)] = labels
    if created:
        # All of them: a table names the schema of either every type, or of none.
        for _, table in tables:
            for column in table.columns:
                enumeration = native_enumeration(column.type, connection.dialect)
                if enumeration is not None:
                    created[str(enumeration.name)] = tuple(enumeration.enums)
    for name, labels in created.items():
        listed = ", ".join(quote(each) for each in labels)
        identifier = '"' + name.replace('"', '""') + '"'
        _execute(connection, f"CREATE TYPE pg_temp.{identifier} AS ENUM ({listed})")
    return bool(created)


def _show_mysql(connection: Connection, name: str, table: Table, written: AsWritten | None) -> DeclaredShape:
    each = ShownTable(name, table, connection, 0)
    try:
        with each.renamed(written):
            created, *indexes = each.statements()
        _execute_compiled(connection, created.replace("CREATE TABLE", "CREATE TEMPORARY TABLE", 1))
    except (DBAPIError, CompileError) as error:
        _raise_if_lost(error)
        return each.guess(written)
    try:
        for index in indexes:
            _execute_compiled(connection, index)
        return each.result(read_table(connection, each.shown))
    except DBAPIError as error:
        _raise_if_lost(error)
        return each.guess(written)
    finally:
        if not connection.invalidated:
            _execute(connection, f"DROP TEMPORARY TABLE {each.shown}")


def _show_sqlite(
    connection: Connection, tables: Sequence[tuple[str, Table]], written: AsWritten | None
) -> dict[str, DeclaredShape]:
    shown = [ShownTable(name, table, connection, number) for number, (name, table) in enumerate(tables)]
    # One database for all of them: a new one takes longer than a table.
    engine = sqlalchemy.create_engine("sqlite://", poolclass=StaticPool)
    try:
        with engine.connect() as scratch:
            created = {each.shown for each in shown if _create_on_sqlite(scratch, each, written)}
            stored = read_sqlite(scratch, [None], None).tables
    finally:
        engine.dispose()
    return {
        each.name: each.result(stored[each.shown]) if each.shown in created else each.guess(written)
        for each in shown
    }


def _create_on_sqlite(scratch: Connection, each: ShownTable, written: AsWritten | None) -> bool:
    """Create what *each* stands for, and return whether all of it could be."""
    try:
        with each.renamed(written):
            statements = each.statements()
    except CompileError:
        return False
    return all(_execute_with_stubs(scratch, statement) for statement in statements)


def _execute_with_stubs(scratch: Connection, statement: str) -> bool:
    """Execute *statement*, with functions and collations that do nothing in place of those that it lacks."""
    for _ in range(_ATTEMPTS):
        try:
            _execute_compiled(scratch, statement)
        except DBAPIError as error:
            message = str(error.orig)
            driver: Any = scratch.connection.dbapi_connection
            missing = unquote(message.rpartition(": ")[2])
            if "no such function" in message:
                driver.create_function(missing, -1, lambda *_: None, deterministic=True)
            elif "no such collation sequence" in message:
                driver.create_collation(missing, lambda one, other: (one > other) - (one < other))
            else:
                return False
        else:
            return True
    return False


def _execute(connection: Connection, sql: str) -> None:
    _ = connection.exec_driver_sql(sql, execution_options={"no_parameters": True})


def _execute_compiled(connection: Connection, sql: str) -> None:
    # With parameters, though there are none: what SQLAlchemy has compiled has its percent signs doubled for that.
    _ = connection.exec_driver_sql(sql)


@contextlib.contextmanager
def _rolled_back(connection: Connection, name: str) -> Iterator[None]:
    """Undo all that the block does, whether or not there is a transaction already."""
    if _is_in_transaction(connection):
        begin, *undo = f"SAVEPOINT {name}", f"ROLLBACK TO SAVEPOINT {name}", f"RELEASE SAVEPOINT {name}"
    else:
        begin, *undo = "BEGIN", "ROLLBACK"
    _execute(connection, begin)
    try:
        yield
    finally:
        if not connection.invalidated:
            for statement in undo:
                _execute(connection, statement)


def _is_in_transaction(connection: Connection) -> bool:
    """Return whether the driver has begun a transaction: SQLAlchemy thinks so even where each statement commits."""
    driver: Any = connection.connection.driver_connection
    asked = getattr(driver, "is_in_transaction", None)
    return bool(driver.info.transaction_status) if asked is None else bool(asked())


@contextlib.contextmanager
def _unless_refused() -> Iterator[None]:
    """Go on without the rest of the block when the server refuses it, but not when it is gone."""
    try:
        yield
    except DBAPIError as error:
        _raise_if_lost(error)


def _raise_if_lost(error: Exception) -> None:
    if isinstance(error, DBAPIError) and error.connection_invalidated:
        raise error
