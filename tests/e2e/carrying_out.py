"""Carries out what was detected in the plainest way: for tests of what is left after that."""

from collections.abc import Sequence
from typing import Any

import sqlalchemy
from alembic.migration import MigrationContext
from alembic.operations import Operations
from sqlalchemy import Column, Connection, MetaData
from sqlalchemy.schema import CreateColumn

from fastapi_easy.domain.migrations.change import ChangeKind
from fastapi_easy.infrastructure.migrations.relational.operations import (
    AddEnumLabelOp,
    ChangePrimaryKeyOp,
    CreateEnumOp,
    Detected,
    DropEnumOp,
    ReplaceColumnOp,
    ReplaceEnumOp,
)

ORDER = (
    ChangeKind.DROP_FOREIGN_KEY,
    ChangeKind.DROP_CHECK,
    ChangeKind.DROP_UNIQUE,
    ChangeKind.DROP_INDEX,
)
"""What comes first; the others keep their order, with the types that nobody has any more at the end."""


def clear(connection: Connection) -> None:
    """Drop every table, view and type."""
    match connection.dialect.name:
        case "postgresql":
            run(connection, "DROP SCHEMA public CASCADE", "CREATE SCHEMA public")
        case "sqlite":
            _drop_all(connection, "PRAGMA foreign_keys = OFF", "PRAGMA foreign_keys = ON")
        case _:
            _drop_all(connection, "SET foreign_key_checks = 0", "SET foreign_key_checks = 1")
    connection.commit()


def _drop_all(connection: Connection, before: str, after: str) -> None:
    quote = connection.dialect.identifier_preparer.quote_identifier
    inspector = sqlalchemy.inspect(connection)
    run(connection, before)
    run(connection, *(f"DROP VIEW {quote(name)}" for name in inspector.get_view_names()))
    run(connection, *(f"DROP TABLE {quote(name)}" for name in inspector.get_table_names()))
    run(connection, after)


def run(connection: Connection, *statements: str) -> None:
    """Execute *statements* as they are."""
    for each in statements:
        _ = connection.exec_driver_sql(each, execution_options={"no_parameters": True})


def carry_out(connection: Connection, detected: Sequence[Detected], target: MetaData) -> None:
    """Carry out *detected*; SQLite, which can alter next to nothing, gets new tables."""
    if connection.dialect.name == "sqlite":
        clear(connection)
        target.create_all(connection)
        connection.commit()
        return
    ends = {ChangeKind.DROP_TYPE}
    ordered = sorted(
        detected,
        key=lambda each: (
            ORDER.index(each.change.kind)
            if each.change.kind in ORDER
            else len(ORDER) + (each.change.kind in ends)
        ),
    )
    operations: Any = Operations(MigrationContext.configure(connection))
    for each in ordered:
        if each.change.facts.get("needs_using"):
            facts = each.change.facts
            through = "::int" if facts["type_before"] == "boolean" else ""
            each.operation.kw["postgresql_using"] = f"{each.change.name}{through}::{facts['type_after']}"
        _carry_out(connection, operations, each.operation)
    connection.commit()


def _carry_out(connection: Connection, operations: Operations, operation: Any) -> None:
    match operation:
        case CreateEnumOp():
            run(connection, f"CREATE TYPE {operation.name} AS ENUM ({_labels(operation.labels)})")
        case DropEnumOp():
            run(connection, f"DROP TYPE {operation.name}")
        case AddEnumLabelOp():
            place = "" if operation.before is None else f" BEFORE '{operation.before}'"
            run(connection, f"ALTER TYPE {operation.name} ADD VALUE '{operation.label}'{place}")
            connection.commit()
        case ReplaceEnumOp():
            run(connection, f"ALTER TYPE {operation.name} RENAME TO old_type")
            run(connection, f"CREATE TYPE {operation.name} AS ENUM ({_labels(operation.after)})")
            for _, table, column in operation.used_by:
                run(
                    connection,
                    f"ALTER TABLE {table} ALTER {column} TYPE {operation.name}"
                    f" USING {column}::text::{operation.name}",
                )
            run(connection, "DROP TYPE old_type")
        case ChangePrimaryKeyOp():
            if operation.before:
                name = operation.name_before
                what = "PRIMARY KEY" if connection.dialect.name != "postgresql" else f"CONSTRAINT {name}"
                run(connection, f"ALTER TABLE {operation.table} DROP {what}")
            if operation.after:
                run(
                    connection,
                    f"ALTER TABLE {operation.table} ADD PRIMARY KEY ({', '.join(operation.after)})",
                )
        case ReplaceColumnOp():
            _replace(connection, operation)
        case _:
            operations.invoke(operation)


def _labels(labels: Sequence[str]) -> str:
    return ", ".join(f"'{each}'" for each in labels)


def _replace(connection: Connection, operation: ReplaceColumnOp) -> None:
    column: Column[Any] = operation.after
    table, name = operation.table, column.name
    written = str(CreateColumn(column).compile(dialect=connection.dialect))
    match operation.what, connection.dialect.name:
        case "computed", _:
            run(connection, f"ALTER TABLE {table} DROP COLUMN {name}")
            run(connection, f"ALTER TABLE {table} ADD COLUMN {written}")
        case "collation", "postgresql":
            run(
                connection, f"ALTER TABLE {table} ALTER {name} TYPE {column.type.compile(connection.dialect)}"
            )
        case "identity", "postgresql":
            run(connection, f"ALTER TABLE {table} ALTER {name} DROP IDENTITY IF EXISTS")
            run(connection, f"ALTER TABLE {table} ALTER {name} DROP DEFAULT")
            kind = "ALWAYS" if column.identity is not None and column.identity.always else "BY DEFAULT"
            run(connection, f"ALTER TABLE {table} ALTER {name} ADD GENERATED {kind} AS IDENTITY")
        case _:
            run(connection, f"ALTER TABLE {table} MODIFY COLUMN {written}")
