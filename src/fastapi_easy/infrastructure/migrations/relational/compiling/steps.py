"""Detected differences as steps."""

from collections.abc import Sequence
from typing import Any

from alembic.operations.ops import DropColumnOp, RenameTableOp
from sqlalchemy import Connection

from fastapi_easy.domain.migrations.hints import Hints
from fastapi_easy.domain.migrations.step import Step
from fastapi_easy.infrastructure.migrations.relational.compiling.mysql.situation import MySQLSituation
from fastapi_easy.infrastructure.migrations.relational.compiling.mysql.steps import mysql_steps
from fastapi_easy.infrastructure.migrations.relational.compiling.ordering import Placed, in_order
from fastapi_easy.infrastructure.migrations.relational.compiling.postgres.situation import PostgresSituation
from fastapi_easy.infrastructure.migrations.relational.compiling.postgres.steps import postgres_steps
from fastapi_easy.infrastructure.migrations.relational.compiling.prepared import (
    ColumnRename,
    Work,
    prepare,
    prepared_alone,
    table_key,
    with_neighbours,
)
from fastapi_easy.infrastructure.migrations.relational.compiling.rendering import Renderer
from fastapi_easy.infrastructure.migrations.relational.compiling.schemas import missing_schemas
from fastapi_easy.infrastructure.migrations.relational.compiling.situation import Situation
from fastapi_easy.infrastructure.migrations.relational.compiling.tables_in_order import (
    TableCreation,
    TableKey,
    TableRemoval,
)
from fastapi_easy.infrastructure.migrations.relational.operations import CreateEnumOp, Detected
from fastapi_easy.infrastructure.relational.server import Server


def compile_steps(
    detected: Sequence[Detected],
    server: Server,
    hints: Hints,
    connection: Connection | None,
    *,
    keep_order: bool = False,
) -> list[Step]:
    """Return the steps that carry out what was detected, in an order in which they can be executed.

    Args:
        detected: The differences, in any order.

        server: PostgreSQL, MySQL or MariaDB.

        hints: What a person has said.

        connection: What may be asked about the stored schema, for the way back and for probes; nothing is written.
            `None` when there is none: then the way back is as exact as the operations are.

        keep_order: Leave the steps in the order of *detected*, and put nothing together but alterations of one column
            that follow each other: migration scripts mean every operation where it stands.

    Raises:
        UnknownOperation: Nobody knows how to carry out one of the operations.
        LookupError: The server is SQLite, whose steps are compiled elsewhere.
    """
    work = (
        with_neighbours([one for each in detected for one in prepared_alone(each)])
        if keep_order
        else prepare(detected).work()
    )
    known: dict[str, Any] = {
        "server": server,
        "write": Renderer(server),
        "hints": hints,
        "connection": connection,
        "new_tables": frozenset(each.what.key for each in work if isinstance(each.what, TableCreation)),
        "new_types": frozenset(
            (each.what.schema, each.what.name) for each in work if isinstance(each.what, CreateEnumOp)
        ),
        "dropped_tables": frozenset(each.what.key for each in work if isinstance(each.what, TableRemoval)),
        "dropped_columns": frozenset(
            (table_key(each.what), str(each.what.column_name))
            for each in work
            if isinstance(each.what, DropColumnOp)
        ),
        "renamed": _renamed(work),
    }
    schemas = [each.what.key[0] for each in work if isinstance(each.what, TableCreation)]
    placed = [
        *missing_schemas(schemas, Situation(**known)),
        *_placed(work, server, known, keep_order=keep_order),
    ]
    return [each.step for each in placed] if keep_order else in_order(placed)


def _renamed(work: list[Work]) -> dict[tuple[TableKey, str], tuple[TableKey, str]]:
    renamed: dict[tuple[TableKey, str], tuple[TableKey, str]] = {}
    for each in work:
        match each.what:
            case RenameTableOp() as operation:
                after = (operation.schema, str(operation.new_table_name))
                renamed[after, ""] = (table_key(operation), "")
            case ColumnRename() as rename:
                table = (rename.schema, rename.table)
                renamed[table, rename.after] = (table, rename.before)
            case _:
                pass
    return renamed


def _placed(work: list[Work], server: Server, known: dict[str, Any], *, keep_order: bool) -> list[Placed]:
    match server.name:
        case "postgresql":
            return postgres_steps(work, PostgresSituation(**known))
        case "mysql":
            return mysql_steps(work, MySQLSituation(**known), keep_order=keep_order)
        case "sqlite":
            raise LookupError("the steps of SQLite are compiled elsewhere")
