"""What knows each kind of relational database.

Each tool, and Alembic, is imported by whoever uses it: a start that has nothing to do does without.
"""
# ruff: noqa: PLC0415 (the reason is above)

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final, assert_never

from sqlalchemy import Connection
from sqlalchemy.engine import Dialect

from fastapi_easy.domain.migrations.change import Change, ChangeKind
from fastapi_easy.domain.migrations.hints import Hints
from fastapi_easy.domain.migrations.risk import Statistics
from fastapi_easy.domain.migrations.step import Effect, Probe, Step
from fastapi_easy.domain.migrations.stopped import MigrationStop
from fastapi_easy.domain.ports.schema_store import StoredSchema
from fastapi_easy.infrastructure.migrations.relational.compiling.unknown_operation import UnknownOperation
from fastapi_easy.infrastructure.migrations.relational.sqlite.backup import (
    BackupFailed,
    NoSpaceForBackup,
    backup_sqlite,
)
from fastapi_easy.infrastructure.migrations.relational.sqlite.refusal import SqliteRefusal
from fastapi_easy.infrastructure.migrations.relational.tools import SchemaTools
from fastapi_easy.infrastructure.relational.catalogue.declared_tables import DeclaredTables, OldRowValue
from fastapi_easy.infrastructure.relational.server import ServerName, detect_server, server_name_of

_BEGIN: Final[dict[ServerName, str]] = {
    "postgresql": "BEGIN READ ONLY",
    "mysql": "START TRANSACTION READ ONLY",
}
"""SQLite begins with the savepoint itself."""


def tools_for(server: ServerName) -> SchemaTools:
    """Return what knows the databases of *server*."""
    return SchemaTools(
        describe=_describe,
        checksum=_checksum,
        detect=_detect,
        compile=_compile,
        measure=_measure,
        find_effect=_find_effect,
        back_up=backup_sqlite if server == "sqlite" else None,
        refusals={
            NoSpaceForBackup: MigrationStop.NO_SPACE,
            BackupFailed: MigrationStop.FAILED,
            SqliteRefusal: MigrationStop.UNSUPPORTED,
            UnknownOperation: MigrationStop.UNSUPPORTED,
        },
    )


def _describe(connection: Connection, left_out: Collection[str]) -> StoredSchema:
    from fastapi_easy.infrastructure.migrations.relational.detection.description import describe

    return describe(connection, left_out)


def _checksum(declared: DeclaredTables, dialect: Dialect) -> str:
    from fastapi_easy.infrastructure.migrations.relational.detection.description import declared_checksum

    return declared_checksum(declared, dialect)


def _detect(
    connection: Connection, declared: DeclaredTables, hints: Hints, created: Collection[str]
) -> Sequence[Any]:
    from fastapi_easy.infrastructure.migrations.relational.detection.detect import detect

    detected = detect(connection, declared, hints, created)
    is_sqlite = connection.dialect.name == "sqlite"
    return [
        replace(each, change=_with_fill(each.change, declared.fills, hints, is_rebuilt=is_sqlite))
        for each in detected
    ]


def _with_fill(
    change: Change, fills: Mapping[str, Callable[[], OldRowValue | None]], hints: Hints, *, is_rebuilt: bool
) -> Change:
    """Return *change* with what rows that exist get, if it needs that."""
    needs_values = change.kind is ChangeKind.SET_NOT_NULL or (
        change.kind is ChangeKind.ADD_COLUMN
        and not change.facts.get("nullable", True)
        and change.facts.get("default") is None
    )
    facts = change.facts.copy()
    value = fills[change.object]() if needs_values and change.object in fills else None
    if value is not None:
        facts["suggested_fill" if value.declared else "example_fill"] = value.sql
    if needs_values and is_rebuilt and change.object in hints.fill:
        # The copy of a rebuild fills them; elsewhere the steps of a safe rewrite say so.
        facts["in_batches"] = True
    return change if facts == change.facts else replace(change, facts=facts)


def _compile(connection: Connection, detected: Sequence[Any], hints: Hints) -> Sequence[Step]:
    server = server_name_of(connection.dialect.name)
    match server:
        case "sqlite":
            from fastapi_easy.infrastructure.migrations.relational.sqlite.compiling import (
                compile_sqlite_steps,
            )

            return compile_sqlite_steps(connection, detected, hints)
        case "postgresql" | "mysql":
            from fastapi_easy.infrastructure.migrations.relational.compiling.steps import compile_steps

            return compile_steps(detected, detect_server(connection), hints, connection)
        case _:
            assert_never(server)


def _measure(connection: Connection, changes: Sequence[Change], questions: Sequence[str]) -> Statistics:
    from fastapi_easy.infrastructure.migrations.relational.statistics.measure import measure

    begin = _BEGIN.get(server_name_of(connection.dialect.name))
    if begin is None:
        return measure(connection, changes, questions)
    # The engine commits each statement by itself, and SAVEPOINT needs a transaction.
    _ = connection.exec_driver_sql(begin)
    try:
        return measure(connection, changes, questions)
    finally:
        if not connection.invalidated:
            _ = connection.exec_driver_sql("ROLLBACK")


def _find_effect(connection: Connection, probe: Probe) -> Effect:
    if connection.dialect.name == "sqlite":
        from fastapi_easy.infrastructure.migrations.relational.sqlite.probes import find_sqlite_effect

        return find_sqlite_effect(connection, probe)
    from fastapi_easy.infrastructure.migrations.relational.probing.effect import find_effect

    return find_effect(connection, probe)
